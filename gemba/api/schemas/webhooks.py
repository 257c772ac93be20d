"""Outgoing webhooks."""

from marshmallow import fields

from gemba.api.fields import Body, Choice, Instant, Line, Listed
from gemba.api.schemas.common import Answer, told
from gemba.webhooks.rules import CHOICES


class Webhook(Answer):
    """An address that hears of events, each POSTed as {id, event, at, data} and signed."""

    id = fields.Integer(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(metadata={"enum": [str(each) for each in CHOICES]}), required=True)
    secret = fields.String(required=True, metadata=told("What is sent is signed with it."))
    created_at = Instant(required=True)


class Webhooks(Answer):
    """All of them, oldest first."""

    items = fields.List(fields.Nested(Webhook), required=True)


class NewWebhook(Body):
    """An address to add."""

    url = Line(2000, least=1, required=True)
    events = Listed(Choice(list(CHOICES)), len(CHOICES), required=True)
