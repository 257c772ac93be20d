"""What stands in the way of saving and bringing back."""

from gemba.errors import Refused


class FileThere(Refused):
    """%(file)s is there already and a backup never overwrites. Name another file."""

    code = "file-there"


class CannotWrite(Refused):
    """%(file)s cannot be written: %(reason)s."""

    code = "cannot-write"


class NoTool(Refused):
    """%(tool)s is not installed. Install the PostgreSQL client programs (Debian: postgresql-client)."""

    code = "no-tool"


class ToolFailed(Refused):
    """%(tool)s could not do it: %(reason)s"""

    code = "tool-failed"


class NoBackup(Refused):
    """%(file)s is not a backup of Gemba: %(reason)s."""

    code = "no-backup"


class OtherDatabase(Refused):
    """%(file)s comes from %(found)s, this database is %(needed)s. Restore it where it comes from."""

    code = "other-database"


class UnknownRevision(Refused):
    """This backup is at revision %(revision)s, unknown to this code. Restore it with a newer Gemba."""

    code = "unknown-revision"


class NotEmpty(Refused):
    """The database has people in it. To throw them away for those of the backup, say --replace."""

    code = "not-empty"


class NotMigrated(Refused):
    """The database has no tables yet, so there is nothing to save. Run: gemba db upgrade"""

    code = "not-migrated"
