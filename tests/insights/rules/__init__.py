"""Tests of the backlog's rules; they need no app and no database."""
