"""The REST API over the same services."""
