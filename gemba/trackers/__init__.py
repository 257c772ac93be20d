"""Export to issue trackers, and the way back: connections, exports, tickets and their statuses."""
