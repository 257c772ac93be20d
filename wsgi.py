"""The WSGI entry point: `gunicorn wsgi:app`."""

import sys

from gemba.app import create_app
from gemba.config import BadSetting

try:
    app = create_app()
except BadSetting as error:
    sys.stderr.write(f"{error}\n")
    # gunicorn's code for "do not start me again".
    sys.exit(4)
