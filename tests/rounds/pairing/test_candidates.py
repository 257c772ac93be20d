"""Groups of places by wish, against asking each pair by itself."""

from dataclasses import replace

from gemba.rounds.pairing.candidates import Candidates, match, score_at
from gemba.rounds.pairing.grid import bits_of
from gemba.rounds.pairing.network import Network
from tests.rounds.pairing.worlds import make


def test_groups_match_equally_well_and_hold_everyone_who_fits() -> None:
    several = 0
    for seed in range(40):
        world = make(seed, people=12, agents=9)
        network = Network(world.agents, world.grid)
        candidates = Candidates(world.people, network)
        for number, person in enumerate(world.people):
            whole = candidates.fit(replace(person, refuses=frozenset(), met=frozenset()), again=True)
            fit = {
                index
                for index, agent in enumerate(world.agents)
                if set(person.languages) & agent.languages
                and (not person.insists or not person.products or set(person.products) & agent.products)
                and person.line in (None, agent.line)
            }
            assert {network.places[place].agent for place in bits_of(whole)} == {
                index for index in fit if network.of_agent[index]
            }
            groups, before = candidates.fitting.groups(person), 0
            for group in groups:
                agents = {network.places[place].agent for place in bits_of(group.places & ~before)}
                assert {match(person, world.agents[index]) for index in agents} == {group.score}
                before |= group.places
            several += len(groups) > 1
            for score, places in candidates.classes(number):
                for place in bits_of(places):
                    agent = world.agents[network.places[place].agent]
                    assert score_at(person, agent, candidates.start_in(number, place)) == score
    assert several > 100
