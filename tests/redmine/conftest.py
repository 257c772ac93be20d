"""Only `make test-redmine` runs these tests: it installs and starts a Redmine of its own."""

import os

collect_ignore_glob = [] if os.environ.get("GEMBA_TEST_REDMINE") else ["test_*.py"]
