"""What the house says when it refuses.

The docstring of an error class is the English sentence a person reads (and the key of its
translation); `status` is the HTTP code, `code` the stable end of the API's problem type.
Values for placeholders in the sentence are keyword arguments of the raise.
"""

from collections.abc import Mapping, Sequence

FieldErrors = Mapping[str, Sequence[str]]


class GembaError(Exception):
    """Something in the request cannot be done."""

    status = 400
    code = "bad-request"

    def __init__(self, sentence: str | None = None, **values: object) -> None:
        self.sentence = sentence or (type(self).__doc__ or "").strip()
        self.values = values
        super().__init__(self.sentence % values if values else self.sentence)


class SignInNeeded(GembaError):
    """Please sign in first."""

    status = 401
    code = "unauthorized"


class Forbidden(GembaError):
    """Your role does not allow this."""

    status = 403
    code = "forbidden"


class NotFound(GembaError):
    """There is nothing here, or it is not yours to see."""

    status = 404
    code = "not-found"


class Refused(GembaError):
    """This cannot be done as things are now."""

    status = 409
    code = "refused"


class Stale(Refused):
    """Someone else changed this while you were writing. Your words are kept: compare and save again."""

    code = "stale"


class Invalid(GembaError):
    """Some fields need another look."""

    status = 422
    code = "invalid"

    def __init__(self, errors: FieldErrors, sentence: str | None = None) -> None:
        super().__init__(sentence)
        self.errors = {field: list(sentences) for field, sentences in errors.items()}
