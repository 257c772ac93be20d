"""Files that people add to insights: pictures as everywhere, and plain documents that are only ever kept.

A document is never drawn or shown by us: it leaves as a download with a fixed type. What it is, its bytes
say; only text is told from tables by the end of its name.
"""

import csv
import io
import re
import unicodedata

from gemba.insights.rules.images import BYTES_MAX, ENDINGS, BadPicture, Clean, clean, format_of
from gemba.insights.rules.kinds import _n

NAME_MAX = 80
DOCUMENTS = {
    "application/pdf": "pdf",
    "text/plain; charset=utf-8": "txt",
    "text/csv; charset=utf-8": "csv",
}
"""What is taken beside pictures: types as they are served, with the ends of their names."""
SUFFIXES = {**ENDINGS, **DOCUMENTS}
ACCEPTED = ".png,.jpg,.jpeg,.webp,.pdf,.txt,.csv"

TOO_LARGE = _n("A file may have 10 MB at most. Make it smaller, or write in the description where it stands.")
NO_FILE = _n(
    "This kind of file is not taken. Add a PNG, JPEG or WebP picture, a PDF, or plain text as .txt or .csv."
)
EMPTY = _n("This file is empty.")
ACTIVE_PDF = _n("This PDF runs programs or carries other files. Print it into a new PDF and add that.")
BROKEN_PDF = _n("This PDF is damaged or not whole. Save it anew and add that.")
NO_UTF8 = _n("This text is not in UTF-8. Save it as “UTF-8” (in a spreadsheet: “CSV UTF-8”) and add that.")
FORMULAS = _n("This table holds formulas, which run where it is opened. Save its values only and add that.")

_PDF_ACTS = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA)(?![A-Za-z])")
_PDF_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_END = 1024
_FORMULA = re.compile(r"=|@[^,;\t]*\(|[+-][^,;\t]*\||[+-]\s*[\w.]+\(")
"""How a cell begins that a spreadsheet computes; numbers and dashes before words are none."""


def taken(data: bytes, name: str) -> Clean:
    """The file as we keep it; a document has no width and height. Raises BadPicture."""
    if len(data) > BYTES_MAX:
        raise BadPicture(TOO_LARGE)
    if not data:
        raise BadPicture(EMPTY)
    if format_of(data):
        return clean(data)
    if data.startswith(b"%PDF-"):
        return Clean(_pdf(data), "application/pdf", 0, 0)
    end = name.lower().rpartition(".")[2]
    if end not in ("txt", "csv"):
        raise BadPicture(NO_FILE)
    text = _text(data)
    if end == "csv" and _has_formulas(text):
        raise BadPicture(FORMULAS)
    media = "text/csv" if end == "csv" else "text/plain"
    return Clean(text.encode(), f"{media}; charset=utf-8", 0, 0)


def name_of(given: str, media: str) -> str:
    """The name a file is shown and saved by: its own words, and the end that its type has."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    kept = "".join(ch for ch in last if unicodedata.category(ch)[0] != "C" and ch not in '<>:"|?*')
    stem = " ".join(kept.split())
    if "." in stem:
        stem = stem.rpartition(".")[0]
    stem = stem.strip(". ")[:NAME_MAX].strip() or "file"
    return f"{stem}.{SUFFIXES[media]}"


def _pdf(data: bytes) -> bytes:
    """The PDF, if nothing in it says that it acts. Raises BadPicture.

    What is packed inside may still hide: that is why it never opens within our pages.
    """
    if b"%%EOF" not in data[-_PDF_END:]:
        raise BadPicture(BROKEN_PDF)
    plain = _PDF_NAME.sub(lambda found: bytes([int(found[1], 16)]), data)
    if _PDF_ACTS.search(plain):
        raise BadPicture(ACTIVE_PDF)
    return data


def _text(data: bytes) -> str:
    """The text without its mark of order. Raises BadPicture."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPicture(NO_UTF8) from error
    if any(ch < " " and ch not in "\t\r\n\f" for ch in text):
        raise BadPicture(NO_FILE)
    if not text.strip():
        raise BadPicture(EMPTY)
    return text


def _has_formulas(text: str) -> bool:
    """Whether a spreadsheet would compute a cell, whatever stands between the cells of the table."""
    for mark in ",;\t":
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
        try:
            if any(_FORMULA.match(cell.strip()) for row in rows for cell in row):
                return True
        except csv.Error:
            return True
    return False
