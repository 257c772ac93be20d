"""Why an address could not be read. None of the sentences holds the address: it may be a secret."""

from gemba.errors import GembaError


class FetchFailed(GembaError):
    """The address could not be read."""

    status = 422
    code = "fetch-failed"


class BadAddress(FetchFailed):
    """Give an address that begins with https://, http:// or webcal://, without a name or a password in it."""

    code = "bad-address"


class NotPublic(FetchFailed):
    """The address leads into a private network. Only public addresses are read."""

    code = "not-public"


class UnknownHost(FetchFailed):
    """There is no server of this name. Is the address complete?"""

    code = "unknown-host"


class NoAnswer(FetchFailed):
    """The server does not answer."""

    code = "no-answer"


class TooSlow(FetchFailed):
    """The server is too slow: its answer did not come in ten seconds."""

    code = "too-slow"


class NotTrusted(FetchFailed):
    """The server's certificate cannot be trusted."""

    code = "not-trusted"


class TooLarge(FetchFailed):
    """The answer is larger than what is read here."""

    code = "too-large"


class TooManyRedirects(FetchFailed):
    """The address leads on to others and does not arrive."""

    code = "too-many-redirects"


class BrokenAnswer(FetchFailed):
    """The server's answer breaks off or cannot be read."""

    code = "broken-answer"
