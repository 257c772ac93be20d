"""Guards over the whole app: what holds everywhere, cheap and impossible to forget."""
