"""The shared HTTP edge: access, forms, filters, pages."""
