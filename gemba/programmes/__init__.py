"""Running exercises: format, rules of booking, guide."""
