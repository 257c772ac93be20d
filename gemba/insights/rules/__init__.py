"""Rules of the insights backlog: pure functions over plain values, no database and no web."""
