"""Tests of busy calendars."""
