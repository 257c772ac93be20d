"""iCalendar: what goes into people's calendars."""
