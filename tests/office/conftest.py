"""Only `make test-office` runs these tests: the program is large and belongs to no test machine."""

import os

collect_ignore_glob = [] if os.environ.get("GEMBA_TEST_OFFICE") else ["test_*.py"]
