"""Stand-ins that behave: they can be slow, refuse, and break off."""
