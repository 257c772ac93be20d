"""Tests of the schedule domain."""
