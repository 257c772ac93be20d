"""What goes to trackers and what comes of it, as plain values: no network, no database, no clock."""
