"""How gunicorn serves Gemba; PORT, HOST and WEB_CONCURRENCY may be set from outside."""

import os

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 (a server serves)
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
backlog = 2048
timeout = 60
graceful_timeout = 30
keepalive = 5
# One import instead of one per process: starts sooner and shares memory. New code needs a restart, not a HUP.
preload_app = True
control_socket_disable = True
accesslog = None
# Behind a proxy the app itself decides whom to trust (GEMBA_TRUSTED_PROXIES).
forwarded_allow_ips = ""
