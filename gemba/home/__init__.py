"""The home page: the next visit, what waits, what came of one's notes."""
