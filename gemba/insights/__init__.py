"""Observations of visits and the backlog of insights they support."""
