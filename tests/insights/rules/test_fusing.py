"""One ranking out of several."""

from gemba.insights.rules.fusing import fused


def test_what_both_rank_comes_first_and_ties_stay_as_they_came() -> None:
    assert fused([3, 1, 2], []) == [3, 1, 2]
    assert fused([], [5, 4]) == [5, 4]
    assert fused([1, 2], [3, 2]) == [2, 1, 3]
    assert fused([1, 2], [2, 1]) == [1, 2]
    assert fused() == []
