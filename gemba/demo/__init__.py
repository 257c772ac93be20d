"""The demo company: people, hours, visits and notes that let the product be tried at once."""
