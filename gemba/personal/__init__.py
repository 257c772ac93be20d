"""What one person may do with all that is known of them: take it along, and have it erased."""
