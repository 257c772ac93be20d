"""What is refused about busy calendars."""

from gemba.errors import Refused


class TooManySources(Refused):
    """There are ten calendars here already. Remove one first."""

    code = "too-many-calendars"


class AlreadyThere(Refused):
    """This calendar is here already."""

    code = "calendar-is-there"


class NothingToRead(Refused):
    """A file is not read again. Upload the new one."""

    code = "nothing-to-read"
