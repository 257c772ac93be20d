"""When an agent can be visited."""
