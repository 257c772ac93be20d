"""What is left of an agent's or a mentor's time while visits are given out one by one."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from gemba.rounds.pairing.grid import Grid, bits_of
from gemba.rounds.pairing.values import Agent


class Host:
    """Somebody in whose time visits lie. `open` are the starts (bits) at which one more is possible."""

    def __init__(self, agent: Agent, grid: Grid) -> None:
        self.agent, self.grid = agent, grid
        self.visits: list[int] = []
        """The starts (bits) of the visits given so far."""
        self.elsewhere: list[int] = []
        """The same of this person's visits in the other part, as agent or as mentor."""
        self._periods = _periods(agent, grid)
        self._most = grid.count if agent.spare is None else max(agent.spare, 0)
        self.open = self._left(self.visits)

    @property
    def share(self) -> float:
        """How much of what they offer is given."""
        return (len(self.visits) + self.agent.load) / max(self.agent.offered, 0.01)

    def take(self, bit: int) -> None:
        """Gives a start away."""
        self.visits.append(bit)
        self.look_again()

    def leave(self, bit: int) -> None:
        """Gives it back."""
        self.visits.remove(bit)
        self.look_again()

    def look_again(self) -> None:
        """Finds out anew what is open."""
        self.open = self._left(self.visits)

    def _left(self, visits: list[int]) -> int:
        if len(visits) >= self._most:
            return 0
        apart, found = self.agent.apart, self.agent.starts
        near = (1 << 2 * apart - 1) - 1
        for bit in (*visits, *self.elsewhere):
            low = bit - apart + 1
            found &= ~(near << low if low >= 0 else near >> -low)
        for mask, cap in self._periods:
            if found & mask and sum(mask >> bit & 1 for bit in visits) >= cap:
                found &= ~mask
        return found


def _periods(agent: Agent, grid: Grid) -> list[tuple[int, int]]:
    """(ticks as bits, what is left of the cap) of each day, week and month that a cap binds."""
    keys: tuple[tuple[int | None, Callable[[date], date]], ...] = (
        (agent.per_day, lambda day: day),
        (agent.per_week, lambda day: day - timedelta(days=day.weekday())),
        (agent.per_month, lambda day: day.replace(day=1)),
    )
    found = []
    for cap, key in keys:
        if cap is None:
            continue
        masks: dict[date, int] = {}
        for day, mask in grid.days(agent.zone):
            masks[key(day)] = masks.get(key(day), 0) | mask
        before = _counted(agent.taken, key)
        found += [(mask, cap - before.get(when, 0)) for when, mask in masks.items() if mask & agent.starts]
    return found


def _counted(taken: Mapping[date, int], key: Callable[[date], date]) -> dict[date, int]:
    found: dict[date, int] = {}
    for day, count in taken.items():
        found[key(day)] = found.get(key(day), 0) + count
    return found


def anyone(hosts: list[Host], but: frozenset[int] = frozenset()) -> int:
    """The starts (bits) that any of these has open."""
    found = 0
    for host in hosts:
        if host.agent.id not in but:
            found |= host.open
    return found


def spread(starts: int, most: int) -> list[int]:
    """At most so many of these bits, evenly."""
    every = bits_of(starts)
    return sorted({every[len(every) * step // most] for step in range(most)}) if every else []
