"""What several shapes share."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields

from gemba.api.fields import Body, Line, Whole
from gemba.api.paging import LIMIT, LIMIT_MAX


def told(doc: str, **more: object) -> dict[str, object]:
    """Metadata of an answer's field: its description and what else the document says of it."""
    return {"description": doc, **more}


class Answer(Schema):
    """A document that the API answers; it may grow by members."""

    class Meta:
        """Says in the OpenAPI document that there may be more members one day."""

        unknown = EXCLUDE


class PartQuery(Body):
    """Which part of a list."""

    limit = Whole(1, LIMIT_MAX, text=True, load_default=LIMIT)
    cursor = Line(
        200, least=1, sentence="Give a cursor as it stood in next, or leave it out.", load_default=None
    )


def part_of(item: type[Schema], name: str) -> type[Schema]:
    """The schema of a list's answer."""
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(
            required=True,
            allow_none=True,
            metadata=told("The address of the following part; null at the end.", format="uri"),
        ),
    }
    return Answer.from_dict(members, name=name)


class Problem(Answer):
    """RFC 9457 problem details."""

    type = fields.String(
        required=True, metadata=told("An address that ends in the stable code.", format="uri")
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata=told("With code invalid: sentences by field."),
    )
    alternatives = fields.List(
        fields.String(metadata={"format": "date-time"}),
        metadata=told("With code slot-taken: the three nearest starts that are open."),
    )
    reasons = fields.List(
        fields.Dict(keys=fields.String(), values=fields.String()),
        metadata=told("With code not-offered: what stands against it, each as {code, detail}."),
    )
