"""The WSGI entry point: `gunicorn wsgi:app`."""

import os
import sys

from gemba.app import create_app
from gemba.config import BadSetting
from gemba.db import db

try:
    app = create_app()
    with app.app_context():
        # gunicorn forks after this, and no connection may be shared between processes.
        db.engine.dispose()
except BadSetting as error:
    sys.stderr.write(f"{error}\n")
    # gunicorn's code for "do not start me again".
    sys.exit(4)

if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
    # `flask --app wsgi …` knows what `gemba …` knows; a web process need not.
    from gemba.commands import commands

    app.cli.commands.update(commands.commands)
