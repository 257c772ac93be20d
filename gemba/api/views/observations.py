"""Notes of a visit."""

from typing import Any

from gemba.api.blueprint import call
from gemba.api.lookups import caller, product_id
from gemba.api.paging import answer, micros, part, unseal
from gemba.api.schemas import visits as shapes
from gemba.api.schemas.common import PartQuery
from gemba.api.shapes import observation_document
from gemba.clock import now
from gemba.insights import service
from gemba.insights.rules.kinds import Kind
from gemba.insights.rules.private import PRIVATE_FIELDS, mask
from gemba.insights.service import NoteFields
from gemba.insights.views.edge import mask_words

RULE = "/visits/<id:visit_id>/observations"


@call("GET", RULE, tag="Observations", query=PartQuery, answer=shapes.ObservationPart, problems=[404])
def list_observations(query: dict[str, Any], visit_id: int) -> Any:
    """The notes of a visit, oldest first

    For those who sit in it.
    """
    visit = service.visit_for_notes(caller(), visit_id)
    after = unseal(query["cursor"], 2)
    rows = [
        note
        for note in service.observations_of(visit, newest_first=False)
        if after is None or (micros(note.at), note.id) > after
    ]
    shown, cursor = part(rows, query["limit"], lambda note: (micros(note.at), note.id))
    return answer([observation_document(note, visit) for note in shown], cursor)


@call(
    "POST",
    RULE,
    tag="Observations",
    body=shapes.NewObservation,
    answer=shapes.Observation,
    status=201,
    problems=[404, 409],
)
def take_note(body: dict[str, Any], visit_id: int) -> Any:
    """Take a note

    The same `client_id` again answers 200 with the first note. Each note becomes evidence of an insight: of
    the one named, else of a new one. Nothing is refused because it looks like private data (phone, e-mail,
    card, passport, SNILS, INN): `warnings` name it, and with `mask` it is masked before it is kept.
    """
    visit = service.visit_for_notes(caller(), visit_id)
    if body["mask"]:
        body = {**body, **{name: mask(body[name], mask_words()) for name in PRIVATE_FIELDS}}
    fields = NoteFields(
        text=body["text"],
        kind=Kind(body["kind"]),
        severity=body["severity"],
        frequency=body["frequency"] or "",
        verbatim=body["verbatim"],
        workaround=body["workaround"],
        product_id=product_id(body["product"]),
        tool=body["tool"],
        # Tags are kept parted by spaces.
        tags=tuple(dict.fromkeys("-".join(tag.split()) for tag in body["tags"])),
        is_question=body["is_question"],
        is_ask=body["is_ask"],
    )
    note, is_new = service.record(
        visit.id, caller(), body["client_id"], fields, at=body["at"], insight_id=body["insight"], now=now()
    )
    return observation_document(note, visit), 201 if is_new else 200
