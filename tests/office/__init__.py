"""The backlog's files in a real LibreOffice Calc: `make test-office`, apart from `make test` and CI."""
