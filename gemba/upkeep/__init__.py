"""What an operator needs: start, look after, save and bring back. Above all domains."""
