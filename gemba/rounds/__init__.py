"""Campaigns of a programme: sign-up and cadence."""
