"""Calendar messages, checked byte by byte and read by three programs that are not ours."""
