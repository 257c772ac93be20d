"""The calls. Importing this declares them all."""

from gemba.api.views import agents, insights, observations, people, programmes, visits

__all__ = ["agents", "insights", "observations", "people", "programmes", "visits"]
