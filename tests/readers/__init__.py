"""Calendar readers of other houses (ical.js, node-ical), run as a second opinion."""
