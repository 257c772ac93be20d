"""The fields of requests and answers: strict, and each says in one sentence what it takes.

Only these are used in schemas, so that validation, its sentences and the OpenAPI document cannot differ.
Nothing is guessed: `"5"` is no number, `1` is no `true`, and an instant names its zone.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields

from gemba.people.rules import clean_line, clean_text

ID_MAX = 2**31 - 1
"""Ids are 32-bit integers in PostgreSQL."""
FIRST_YEAR, LAST_YEAR = 1970, 2200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def listed(words: Iterable[object]) -> str:
    """a, b and c."""
    *head, last = [str(word) for word in words]
    return f"{', '.join(head)} and {last}" if head else last


def utc(instant: datetime) -> str:
    """The instant as the API writes it: 2026-11-23T09:00:00Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _said(sentence: str, more: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """Keyword arguments of a field whose every refusal is the same sentence; `doc` describes it."""
    given = dict(more)
    described = {"description": given.pop("doc", sentence), **properties}
    messages = dict.fromkeys(("invalid", "null", "invalid_uuid", "invalid_utf8"), sentence)
    messages["required"] = f"This is needed. {sentence}"
    return {**given, "error_messages": messages, "metadata": described}


class Whole(fields.Integer):
    """A whole number from `low` to `high`; `text` where it comes in an address, as digits."""

    def __init__(self, low: int, high: int, sentence: str = "", *, text: bool = False, **more: Any) -> None:
        self.low, self.high, self.text = low, high, text
        self.sentence = sentence or f"Give a whole number from {low} to {high}."
        super().__init__(strict=True, **_said(self.sentence, more, minimum=low, maximum=high))

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int:
        if self.text and isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
            value = int(value)
        # Not isinstance: JSON true is an int in Python.
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValidationError(self.sentence)
        return value


class Id(Whole):
    """The id of something."""

    def __init__(self, what: str, **more: Any) -> None:
        super().__init__(1, ID_MAX, f"Give the id of {what}, a whole number.", **more)


class Flag(fields.Boolean):
    """true or false."""

    def __init__(self, *, text: bool = False, **more: Any) -> None:
        self.text = text
        super().__init__(**_said("Give true or false.", more))

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        if self.text and value in ("true", "false"):
            return bool(value == "true")
        if not isinstance(value, bool):
            raise ValidationError("Give true or false.")
        return value


class _Words(fields.String):
    """Text of a bounded length, cleaned of what no text has: control characters, odd ends, loose halves."""

    clean = staticmethod(clean_line)

    def __init__(self, longest: int, *, least: int = 0, sentence: str = "", **more: Any) -> None:
        self.longest, self.least = longest, least
        bound = f"{least} to {longest}" if least else f"at most {longest}"
        self.sentence = sentence or f"Give text of {bound} characters."
        shape = {"maxLength": longest, **({"minLength": least} if least else {})}
        super().__init__(**_said(self.sentence, more, **shape))

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        # Cleaning cannot make long text short enough, but it takes its time: long text is refused at once.
        if not isinstance(value, str) or len(value) > 4 * self.longest + 100:
            raise ValidationError(self.sentence)
        text = self.clean(value)
        if not self.least <= len(text) <= self.longest:
            raise ValidationError(self.sentence)
        return text


class Line(_Words):
    """Text on one line."""


class Text(_Words):
    """Text of several lines."""

    clean = staticmethod(clean_text)


class Choice(fields.String):
    """One of some words; answered as the plain word."""

    def __init__(self, words: Collection[str], **more: Any) -> None:
        self.words = [str(word) for word in words]
        self.sentence = f"Choose one of {listed(self.words)}."
        enum = [*self.words, None] if more.get("allow_none") else self.words
        super().__init__(**_said(self.sentence, more, enum=enum))

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValidationError(self.sentence)
        return value


class Choices(fields.String):
    """In an address: one or several of some words, parted by commas; kept as it was written."""

    def __init__(self, words: Collection[str], **more: Any) -> None:
        self.words = [str(word) for word in words]
        self.sentence = f"Choose from {listed(self.words)}; part several with commas."
        super().__init__(**_said(self.sentence, more))

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        chosen = [word.strip() for word in value.split(",")]
        if len(value) > 200 or not set(chosen) <= set(self.words):
            raise ValidationError(self.sentence)
        return ",".join(chosen)


class Instant(fields.Field[datetime]):
    """An instant, answered in UTC. With `days` a date is taken too: it means its midnight in UTC."""

    def __init__(self, *, days: bool = False, **more: Any) -> None:
        self.days = days
        either = ", or a date as 2026-11-23" if days else ""
        self.sentence = f"Give an instant as 2026-11-23T09:00:00Z{either}."
        shape = {"example": "2026-11-23T09:00:00Z", **({} if days else {"format": "date-time"})}
        super().__init__(**_said(self.sentence, more, type="string", **shape))

    def _serialize(self, value: datetime | None, *_args: Any, **_kwargs: Any) -> str | None:
        return None if value is None else utc(value)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime:
        found = self._read(value) if isinstance(value, str) else None
        if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValidationError(self.sentence)
        return found

    def _read(self, value: str) -> datetime | None:
        try:
            if self.days and _DATE.fullmatch(value):
                return datetime.combine(date.fromisoformat(value), time(), UTC)
            if not _INSTANT.fullmatch(value):
                return None
            found = datetime.fromisoformat(value.upper())
            # At the ends of the calendar another zone's instant may lie beyond them.
            return found.astimezone(UTC) if FIRST_YEAR <= found.year <= LAST_YEAR else None
        except (ValueError, OverflowError):
            return None


class Day(fields.Date):
    """A day of the calendar, such as 2026-11-23."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**_said("Give a day as 2026-11-23.", more, type="string", format="date"))


class Uuid(fields.String):
    """A UUID, kept in its usual form."""

    SENTENCE = "Give a UUID such as 3f0e8a2c-6a0d-4c0b-9d4e-2f1a7c5b8e90."

    def __init__(self, **more: Any) -> None:
        super().__init__(**_said(self.SENTENCE, more, format="uuid"))

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str) or len(value) != 36:
            raise ValidationError(self.SENTENCE)
        try:
            return str(UUID(value))
        except ValueError as error:
            raise ValidationError(self.SENTENCE) from error


class ProductRef(fields.Field[int | str]):
    """A product by its id or its name; answered by its name. Whether there is one, the view asks."""

    SENTENCE = "Give a product's id or its name."

    def __init__(self, **more: Any) -> None:
        super().__init__(**_said(self.SENTENCE, more, type=["integer", "string"]))

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int | str:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
            value = int(value)
        if type(value) is int and 0 < value <= ID_MAX:
            return value
        text = clean_line(value) if isinstance(value, str) and len(value) <= 400 else ""
        if not 0 < len(text) <= 80 or text.isdecimal():
            raise ValidationError(self.SENTENCE)
        return text


class Listed(fields.List[Any]):
    """A list of at most `most` values of one sort."""

    def __init__(self, inner: fields.Field[Any], most: int, **more: Any) -> None:
        self.most = most
        self.sentence = f"Give a list of at most {most}."
        super().__init__(inner, **_said(self.sentence, more, maxItems=most))

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > self.most:
            raise ValidationError(self.sentence)
        return list(super()._deserialize(value, *args, **kwargs))


class Body(Schema):
    """A JSON object of a request. Unknown fields are refused by name, by the parser."""


class OptionalBody(Body):
    """A JSON object that may be left out altogether."""


class FileBody(Body):
    """A JSON object in whose place a file may come, in one of these types; in a multipart form as `file`."""

    MEDIA: tuple[str, ...] = ("text/calendar", "multipart/form-data")


class Raw(Body):
    """A document that the service's own rules read and refuse; this only describes it."""

    def load(self, data: Any, **_kwargs: Any) -> Any:
        """Hands the document on."""
        return data


def flat(messages: object, path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as sentences by path: {"limits.per_day": ["…"]}."""
    if isinstance(messages, dict):
        found: dict[str, list[str]] = {}
        for name, inner in messages.items():
            here = path if name == "_schema" else f"{path}.{str(name)[:60]}".lstrip(".")
            for at, words in flat(inner, here).items():
                found.setdefault(at, []).extend(words)
        return found
    sentences: list[object] = messages if isinstance(messages, list) else [messages]
    return {path or "body": [_SENTENCES.get(str(text), str(text)) for text in sentences]}


_SENTENCES = {
    "Unknown field.": "There is no such field here.",
    "Invalid input type.": "Give a JSON object.",
}
