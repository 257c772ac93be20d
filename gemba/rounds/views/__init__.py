"""Pages of rounds: for visitors, for agents, and for whoever runs them."""

from gemba.rounds.views import cadence, goals, manage, proposal, refusing, repairing, taking_part
from gemba.rounds.views.edge import blueprint

__all__ = ["blueprint", "cadence", "goals", "manage", "proposal", "refusing", "repairing", "taking_part"]
