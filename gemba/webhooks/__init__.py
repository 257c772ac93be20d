"""Outgoing webhooks: other systems hear what happened here, signed, in order, as often as it takes."""
