"""Who takes part: people, roles, lines, products, sign-in and tokens."""
