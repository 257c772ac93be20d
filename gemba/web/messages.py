"""Finds what is to be translated: marked strings as Babel does, and the sentences of errors and rules.

A refusal's sentence is the docstring of its class (gemba/errors.py); sentences of rules stand in
dictionaries and enumerations of plain strings, for rules know no Flask.
"""

import ast
from collections.abc import Collection, Iterator
from typing import IO, Any

from babel.messages.extract import extract_python

Message = tuple[int, str | None, Any, list[str]]
ROOTS = frozenset({"GembaError", "SignInNeeded", "Forbidden", "NotFound", "Refused", "Stale", "Invalid"})
SENTENCES = frozenset({"REASON_SENTENCES", "Problem"})
"""Names of dictionaries and enumerations whose string values are sentences for people."""


def extract(
    file: IO[bytes],
    keywords: Collection[str] | dict[str, Any],
    comment_tags: Collection[str],
    options: dict[str, Any],
) -> Iterator[Message]:
    """Babel's extraction method "gemba" (babel.cfg)."""
    python: Any = extract_python
    yield from python(file, keywords, comment_tags, options)
    file.seek(0)
    yield from _sentences(ast.parse(file.read()))


def _sentences(tree: ast.Module) -> Iterator[Message]:
    errors = set(ROOTS)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = _bases(node)
            is_error = (
                node.name in ROOTS or bases & errors or any(name.endswith("NotFound") for name in bases)
            )
            if is_error:
                errors.add(node.name)
                yield from _docstring(node)
        if _name(node) in SENTENCES and (not isinstance(node, ast.ClassDef) or "StrEnum" in _bases(node)):
            yield from _values(node)


def _bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def _docstring(node: ast.ClassDef) -> Iterator[Message]:
    words = ast.get_docstring(node)
    if words:
        yield node.lineno, None, words.strip(), []


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.ClassDef):
        return node.name
    target = node.target if isinstance(node, ast.AnnAssign) else None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]  # type: ignore[assignment]
    return target.id if isinstance(target, ast.Name) else ""


def _values(node: ast.stmt) -> Iterator[Message]:
    docstrings = {ast.get_docstring(node, clean=False)} if isinstance(node, ast.ClassDef) else set()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value not in docstrings:
            yield part.lineno, None, part.value, []
