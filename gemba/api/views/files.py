"""Files of insights."""

from typing import Any

from flask import Response, g, request

from gemba.api.blueprint import blueprint, call
from gemba.api.lookups import caller
from gemba.api.paging import answer
from gemba.api.schemas import talk as shapes
from gemba.clock import now
from gemba.errors import Invalid
from gemba.insights.models import Picture
from gemba.insights.rules.documents import SUFFIXES
from gemba.insights.rules.images import BYTES_MAX, Clean
from gemba.insights.service import files, pictures

PATH = "/insights/<id:insight_id>/files"
ROOM = BYTES_MAX + 64 * 1024
"""A file and the parts beside it."""
MEDIA = " ".join(media.partition(";")[0] for media in SUFFIXES)


def _make_room(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """This call takes more than others; said before anything reads the body."""
    if endpoint == "api.add_insight_file":
        request.max_content_length = ROOM


blueprint.url_value_preprocessor(_make_room)


@call("GET", PATH, tag="Insights", answer=shapes.FilePart, problems=[404])
def list_insight_files(insight_id: int) -> Any:
    """Files of an insight

    Oldest first, with those of insights merged into it; all of them.
    """
    return answer([_document(each) for each in files.listed(insight_id, caller())], None)


def _read_file(_body: Any, insight_id: int) -> tuple[Clean, str]:
    """The file as it will be kept, and its name."""
    sent = None if request.is_json else request.files.get("file")
    if sent is None:
        raise Invalid({"file": ["Send the file as `file` of multipart/form-data."]})
    files.may_add(insight_id, caller())
    name = sent.filename or ""
    made = files.read(sent.read(BYTES_MAX + 1), name)
    return made, request.form.get("name", "") or name


@call(
    "POST",
    PATH,
    tag="Insights",
    body=shapes.NewFile,
    answer=shapes.File,
    status=201,
    problems=[404, 409],
    prepare=_read_file,
)
def add_insight_file(_body: Any, insight_id: int) -> Any:
    """Add a file to an insight

    For owners and admins: a PNG, JPEG or WebP picture, which is drawn anew without place and camera, a PDF,
    or plain text as .txt or .csv in UTF-8; at most 10 MB.
    """
    made, name = g.prepared
    return _document(files.add(insight_id, caller(), made, name, now=now()))


@call("GET", f"{PATH}/<id:file_id>", tag="Insights", media=MEDIA, problems=[404])
def read_insight_file(insight_id: int, file_id: int) -> Any:
    """A file itself"""
    row, data = pictures.get(caller(), files.one_of(insight_id, caller(), file_id).id)
    file = Response(data, content_type=row.media)
    file.headers["Content-Disposition"] = f'attachment; filename="file-{row.id}.{SUFFIXES[row.media]}"'
    file.headers["X-Content-Type-Options"] = "nosniff"
    file.headers["Cache-Control"] = "private, no-store"
    return file


@call("DELETE", f"{PATH}/<id:file_id>", tag="Insights", answer=shapes.File, problems=[404])
def remove_insight_file(insight_id: int, file_id: int) -> Any:
    """Remove a file of an insight

    For owners and admins; within a day the page of the insight can still bring it back. Answers what it was.
    """
    gone = _document(files.one_of(insight_id, caller(), file_id))
    files.remove(file_id, caller(), now=now())
    return gone


def _document(row: Picture) -> dict[str, Any]:
    names = ("id", "name", "media", "size")
    return {
        **{name: getattr(row, name) for name in names},
        "insight": row.insight_id,
        "width": row.width or None,
        "height": row.height or None,
        "person": row.author_id,
        "at": row.created_at,
    }
