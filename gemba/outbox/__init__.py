"""What still has to leave the house, and how it leaves."""
