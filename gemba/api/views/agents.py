"""Agents' hours."""

from typing import Any

from gemba.api.blueprint import call
from gemba.api.lookups import caller
from gemba.api.schemas import people as shapes
from gemba.clock import now
from gemba.schedule import service


@call("GET", "/agents/<id:agent_id>/availability", tag="Agents", answer=shapes.Availability, problems=[404])
def show_availability(agent_id: int) -> Any:
    """An agent's hours

    For the agent, the lead of their line and admins.
    """
    return service.availability_document(service.availability(caller(), agent_id))


@call(
    "PUT",
    "/agents/<id:agent_id>/availability",
    tag="Agents",
    body=shapes.Availability,
    answer=shapes.Availability,
    problems=[404],
)
def set_availability(body: Any, agent_id: int) -> Any:
    """Replace an agent's hours

    The whole document is written; what is left out is empty, 0 or no limit. Visits already booked stay.
    """
    return service.availability_document(service.set_availability(caller(), agent_id, body, now=now()))
