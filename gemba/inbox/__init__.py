"""Mail that comes in: answers to invites, and mail that came back."""
