"""Gemba's own mails in a real Thunderbird: `make test-thunderbird`, apart from `make test` and CI."""
