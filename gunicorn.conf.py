"""How gunicorn serves Gemba; PORT, HOST and WEB_CONCURRENCY may be set from outside."""

import gc
import os
import shutil
import tempfile
from typing import Any

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

# All processes keep their counts for /metrics here (gemba/upkeep/metrics.py); a reload finds the same folder.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="gemba-metrics-")


def when_ready(_server: Any) -> None:
    """Takes what was imported out of the collector's sight: it stays for good, and looking through it again
    and again costs a fifth of a request that makes many objects; pages of memory also stay shared."""
    gc.collect()
    gc.freeze()


def on_exit(_server: Any) -> None:
    """Throws the counts away: Prometheus expects them to begin anew."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
