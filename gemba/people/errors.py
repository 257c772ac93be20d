"""What is refused about people and their sign-ins."""

from gemba.errors import GembaError, Refused


class TooManyMails(GembaError):
    """This address was asked for five times in the last hour. Use the newest mail, or try again later."""

    status = 429
    code = "too-many-mails"


class WrongCode(GembaError):
    """This code is not right. Look at the newest mail and try again."""

    status = 422
    code = "wrong-code"


class ProofGone(GembaError):
    """This code or link is used up or older than ten minutes. Ask for a new one."""

    status = 422
    code = "proof-gone"


class UnknownIdentity(Refused):
    """Nobody here has the address your provider vouches for. Ask an admin to add you."""

    code = "unknown-identity"


class UnverifiedEmail(Refused):
    """Your provider does not vouch for your address. Sign in by mail instead, or ask your provider."""

    code = "unverified-email"


class OtherIdentity(Refused):
    """This address already signs in through another account of your provider. Ask an admin."""

    code = "other-identity"


class ProviderSilent(Refused):
    """The sign-in provider does not answer as it should. Sign in by mail instead, or try again later."""

    status = 503
    code = "provider-silent"


class NotCompleted(GembaError):
    """The sign-in with your provider was not completed. Please start again."""

    code = "not-completed"
