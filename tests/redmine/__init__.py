"""A real Redmine, started by `make test-redmine`."""
