"""The pairing engine: who is served, by whom and when. Pure and deterministic; standard library only.

A round is a min-cost flow: person → place (an agent's local day, or a part of it) → day → week → month →
agent, with a cap at each. Phase A (`admit`) says who is served by a published order, phase B (`assign`) finds
the cheapest way to serve exactly those (research of the house; Schrijver 2003, ch. 9, 11 and 41).
"""
