"""Trackers: adapters, exports, the way back."""
