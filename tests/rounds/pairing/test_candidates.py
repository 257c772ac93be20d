"""Groups of agents by wish, against asking each pair by itself."""

from gemba.rounds.pairing.candidates import Fitting, match
from tests.rounds.pairing.worlds import make


def test_groups_match_equally_well_and_hold_everyone_who_fits() -> None:
    several = 0
    for seed in range(40):
        world = make(seed, people=12, agents=9)
        fitting = Fitting(world.agents)
        for person in world.people:
            groups = fitting.groups(person)
            scores = [{match(person, world.agents[index]) for index in group} for group in groups]
            assert all(len(score) == 1 for score in scores)
            best_first = [score.pop() for score in scores]
            assert best_first == sorted(set(best_first), reverse=True)
            fit = sorted(
                number
                for number, agent in enumerate(world.agents)
                if set(person.languages) & agent.languages
                and (not person.insists or not person.products or set(person.products) & agent.products)
                and person.line in (None, agent.line)
            )
            assert sorted(index for group in groups for index in group) == fit
            several += len(groups) > 1
    assert several > 100
