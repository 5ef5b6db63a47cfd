"""Counting comparisons on the same rows, and what each of them may spend of the error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from mlops.models.training import ChampionComparison
from mlops.pipelines.evaluation.looks import count_looks, error_of_look, interval_of_look


def look_at(rows: range, champion: str = "v1.0.0", comparable: bool = True) -> ChampionComparison:
    """Look at rows whose keys are spread evenly; the sample are the 256 smallest keys."""
    keys = np.random.default_rng(0).integers(0, 2**32, 20_000)
    sample = tuple(int(key) for key in np.sort(keys[rows.start : rows.stop])[:256])
    return ChampionComparison(champion, comparable=comparable, looked_at=sample)


def share_of_sequences_with_an_error(n_looks: int) -> float:
    """Integrate over the luck of the champion: half the variance of each difference of equal models."""
    luck, weights = np.polynomial.hermite_e.hermegauss(80)
    bounds = norm.isf([error_of_look(look) for look in range(1, n_looks + 1)])
    passes_none = np.prod(norm.cdf(np.sqrt(2.0) * bounds - luck[:, None]), axis=1)
    return float(1.0 - passes_none @ weights / weights.sum())


def test_twenty_equal_candidates_hold_a_promotion_in_less_than_five_percent_of_the_sequences():
    assert 0.04 < share_of_sequences_with_an_error(20) < 0.045


def test_any_number_of_equal_candidates_stays_below_five_percent():
    assert 0.045 < share_of_sequences_with_an_error(5_000) < 0.05


def test_each_of_twenty_looks_asks_for_the_same_difference():
    assert {error_of_look(look) for look in (1, 1.5, 7, 20)} == {error_of_look(1)}
    assert error_of_look(21) < error_of_look(20)


def test_the_interval_of_a_look_leaves_its_error_below_it():
    low, high = interval_of_look(0.1, (0.1 - 1.959964, 0.1 + 1.959964), 3)
    assert norm.cdf(low - 0.1) == pytest.approx(error_of_look(3))
    assert high - 0.1 == pytest.approx(0.1 - low)


def test_each_comparison_on_the_same_rows_is_a_look():
    ours = look_at(range(1_000))
    assert count_looks(ours, []) == 1.0
    assert count_looks(ours, [look_at(range(1_000))] * 4) == 5.0


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_rows_that_are_new_reset_the_count_by_their_share(share):
    n_old = int(2_000 * share)
    ours = look_at(range(2_000 - n_old, 4_000 - n_old))
    assert count_looks(ours, [look_at(range(2_000))] * 3) == pytest.approx(1.0 + 3 * share, abs=0.3)


def test_looks_of_other_champions_and_without_common_rows_do_not_count():
    ours = look_at(range(1_000))
    others = [look_at(range(1_000), "v0.9.0"), look_at(range(1_000), comparable=False)]
    assert count_looks(ours, others) == 1.0


def test_a_comparison_of_an_earlier_release_counts_as_a_whole_look():
    earlier = ChampionComparison("v1.0.0", comparable=True)
    assert count_looks(look_at(range(1_000)), [earlier]) == 2.0


def test_a_much_larger_earlier_look_that_leaves_no_sample_counts_whole():
    assert count_looks(look_at(range(40)), [look_at(range(20_000))]) == 2.0
