"""The life of a visit: book, move, cancel, take place."""
