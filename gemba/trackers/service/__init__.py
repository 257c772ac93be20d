"""What can be done with trackers, exports and tickets; the only door for pages, calls and jobs.

Functions take the acting person and `now`, write through `db.session` and flush; entry points commit. What
speaks to a tracker says so, and is called with no transaction open.
"""
