"""Bounds of rounds."""

NOTE_MAX = 500
