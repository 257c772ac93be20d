"""What is said around an insight, its files, and what it has to do with others."""

from marshmallow import fields

from gemba.api.fields import Body, Choice, FileBody, Id, Instant, Line, Text
from gemba.api.schemas.common import Answer, PartQuery, part_of, told
from gemba.api.schemas.insights import Insight
from gemba.insights.rules.documents import NAME_MAX
from gemba.insights.rules.kinds import COMMENT_MAX, CommentKind, LinkKind

BLOCKED_BY = "blocked-by"
HOW = (*LinkKind, BLOCKED_BY)


class CommentsQuery(PartQuery):
    """Which of what was said."""

    kind = Choice(list(CommentKind), load_default=None)


class Comment(Answer):
    """A comment; a note for owners, admins and leads only; or what a lead asks for."""

    id = fields.Integer(required=True)
    insight = fields.Integer(
        required=True, metadata=told("Where it was written: this insight or one merged into it.")
    )
    kind = fields.String(required=True, metadata={"enum": [str(kind) for kind in CommentKind]})
    text = fields.String(required=True)
    person = fields.Integer(
        required=True, allow_none=True, metadata=told("Who wrote it; null where the person is gone.")
    )
    name = fields.String(required=True)
    at = Instant(required=True)


CommentPart = part_of(Comment, "CommentPart")


class NewComment(Body):
    """What to say, and who reads it. Notes are for owners, admins and leads; asks for leads and admins."""

    text = Text(COMMENT_MAX, least=1, required=True)
    kind = Choice(list(CommentKind), load_default=str(CommentKind.COMMENT))


class Link(Answer):
    """Another insight and how this one has to do with it."""

    how = fields.String(required=True, metadata={"enum": [str(how) for how in HOW]})
    other = fields.Nested(Insight, required=True)


LinkPart = part_of(Link, "LinkPart")


class NewLink(Body):
    """With which one, and how, read from this one."""

    other = Id("the other insight", required=True)
    how = Choice([str(how) for how in HOW], load_default=str(LinkKind.RELATED))


class File(Answer):
    """A file of an insight; documents have no width and height."""

    id = fields.Integer(required=True)
    insight = fields.Integer(
        required=True, metadata=told("Where it was added: this insight or one merged into it.")
    )
    name = fields.String(required=True)
    media = fields.String(required=True)
    size = fields.Integer(required=True, metadata=told("In bytes."))
    width = fields.Integer(required=True, allow_none=True, metadata=told("In pixels."))
    height = fields.Integer(required=True, allow_none=True, metadata=told("In pixels."))
    person = fields.Integer(required=True, metadata=told("Who added it."))
    at = Instant(required=True)


FilePart = part_of(File, "FilePart")


class NewFile(FileBody):
    """A file, as `file` of multipart/form-data; `name` is what it is called, else its own name."""

    MEDIA = ("multipart/form-data",)
    name = Line(NAME_MAX, load_default="")
