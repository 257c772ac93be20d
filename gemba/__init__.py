"""Gemba: visits beside frontline support, and the backlog that comes of them."""
