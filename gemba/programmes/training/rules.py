"""What a step of a training may look like, and when a question is answered right."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemba.people.rules import clean_line, clean_text

STEPS_MOST = 40
TITLE_MAX, TEXT_MAX, LINK_MAX, ANSWER_MAX = 120, 2000, 500, 200
ANSWERS_LEAST, ANSWERS_MOST = 2, 8
FILE_MAX = 10 * 1024 * 1024
RIGHT = "*"
"""Begins the line of a right answer where a question is written."""


class StepKind(StrEnum):
    """What there is to do: read a text or a file, answer a question, be signed off by a mentor."""

    READ = "read"
    FILE = "file"
    QUESTION = "question"
    SIGN_OFF = "sign-off"


class Problem(StrEnum):
    """What can be wrong with a step; the value is the sentence, which says what would be accepted."""

    TITLE = "Please give a title of 1 to 120 characters."
    TITLE_RU = "Please use at most 120 characters."
    TEXT = "Please give text of at most 2000 characters."
    LINK = "Please give an address that begins with https:// or http://, of at most 500 characters."
    ANSWERS = "Please give 2 to 8 different answers, one a line, of at most 200 characters each."
    RIGHT_ONES = "Please begin each right answer with an asterisk; one at least is right, and one is not."
    ANSWERS_RU = "Please give the same number of answers as in English, the same ones with an asterisk."
    FILE = "Please choose a PDF file of at most 10 MB."
    STEPS = "A training has at most 40 steps. Remove one first."


@dataclass(frozen=True)
class Choice:
    """One answer of a question."""

    text: str
    right: bool


@dataclass(frozen=True)
class StepText:
    """The words of a step, as they are stored. `answers` are lines, the right ones with an asterisk."""

    title: str
    title_ru: str = ""
    text: str = ""
    text_ru: str = ""
    link: str = ""
    answers: str = ""
    answers_ru: str = ""


class BadStep(ValueError):
    """Some fields of this step need another look: sentences by field."""

    def __init__(self, errors: Mapping[str, Problem]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = {name: [problem.value] for name, problem in errors.items()}


def choices_of(lines: str) -> list[Choice]:
    """The answers of a question, in their order."""
    cleaned = [clean_line(line) for line in clean_text(lines).split("\n")]
    return [
        Choice(line.removeprefix(RIGHT).strip(), line.startswith(RIGHT))
        for line in cleaned
        if line.removeprefix(RIGHT).strip()
    ]


def read_step(kind: StepKind, typed: StepText) -> StepText:
    """The clean words of a step; what its kind has no use for is left out. Raises BadStep."""
    title, title_ru = clean_line(typed.title), clean_line(typed.title_ru)
    text, text_ru, link = clean_text(typed.text), clean_text(typed.text_ru), clean_line(typed.link)
    is_question = kind is StepKind.QUESTION
    errors = {
        name: problem
        for name, problem, is_wrong in (
            ("title", Problem.TITLE, not 0 < len(title) <= TITLE_MAX),
            ("title_ru", Problem.TITLE_RU, len(title_ru) > TITLE_MAX),
            ("text", Problem.TEXT, len(text) > TEXT_MAX),
            ("text_ru", Problem.TEXT, len(text_ru) > TEXT_MAX),
            ("link", Problem.LINK, kind is StepKind.READ and not _is_link(link)),
        )
        if is_wrong
    }
    if is_question:
        errors |= _wrong_answers(choices_of(typed.answers), choices_of(typed.answers_ru))
    if errors:
        raise BadStep(errors)
    return StepText(
        title,
        title_ru,
        text,
        text_ru,
        link if kind is StepKind.READ else "",
        _lines(choices_of(typed.answers)) if is_question else "",
        _lines(choices_of(typed.answers_ru)) if is_question else "",
    )


def _is_link(link: str) -> bool:
    is_web = link.startswith(("https://", "http://")) and len(link) > len("https://")
    return not link or (is_web and len(link) <= LINK_MAX and " " not in link)


def _wrong_answers(answers: list[Choice], russian: list[Choice]) -> dict[str, Problem]:
    errors: dict[str, Problem] = {}
    texts = [each.text for each in answers]
    if (
        not ANSWERS_LEAST <= len(texts) <= ANSWERS_MOST
        or len(set(texts)) < len(texts)
        or any(len(text) > ANSWER_MAX for text in texts)
    ):
        errors["answers"] = Problem.ANSWERS
    elif len({each.right for each in answers}) < 2:
        errors["answers"] = Problem.RIGHT_ONES
    is_same = [each.right for each in russian] == [each.right for each in answers]
    if russian and (not is_same or any(len(each.text) > ANSWER_MAX for each in russian)):
        errors["answers_ru"] = Problem.ANSWERS_RU
    return errors


def _lines(choices: list[Choice]) -> str:
    return "\n".join(f"{RIGHT if each.right else ''}{each.text}" for each in choices)


def is_right(choices: list[Choice], chosen: Collection[int]) -> bool:
    """Whether exactly the right answers were chosen, by their places from 0."""
    return set(chosen) == {place for place, each in enumerate(choices) if each.right}


def is_pdf(data: bytes) -> bool:
    """Whether this begins as a PDF does (ISO 32000-2, 7.5.2) and is not too large."""
    return data.startswith(b"%PDF-") and len(data) <= FILE_MAX
