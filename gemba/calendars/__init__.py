"""Agents' busy calendars: read from elsewhere, and nothing kept of them but when somebody is busy."""
