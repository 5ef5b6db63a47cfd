"""The statistics against scipy and against values worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from mlops.monitoring.statistics.benjamini_hochberg import benjamini_hochberg
from mlops.monitoring.statistics.chi_square import (
    chi_square_tail,
    chi_square_tests,
    pool_sparse_bins,
)
from mlops.monitoring.statistics.cramers_v import cramers_v
from mlops.monitoring.statistics.jensen_shannon import jensen_shannon_distance
from mlops.monitoring.statistics.kolmogorov_smirnov import (
    kolmogorov_smirnov,
    kolmogorov_smirnov_of_counts,
    kolmogorov_smirnov_p_value,
)
from mlops.monitoring.statistics.population_stability_index import (
    expected_without_drift,
    population_stability_index,
    population_stability_index_of_counts,
)
from mlops.monitoring.statistics.rates import rate_increase_p_value, unseen_levels_p_value
from mlops.monitoring.statistics.shares import shares
from mlops.monitoring.statistics.wasserstein import wasserstein, wasserstein_of_counts
from tests.unit.monitoring.statistics_of_others import chi_square_test, cramers_v_uncorrected

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=30)
SAMPLES = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=60)


def two_rows_of_counts() -> st.SearchStrategy[tuple[list[int], list[int]]]:
    pairs = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=30)
    return pairs.map(lambda rows: ([a for a, _ in rows], [b for _, b in rows]))


def test_psi_of_a_table_worked_by_hand():
    by_hand = (0.3 - 0.5) * math.log(0.3 / 0.5) + (0.7 - 0.5) * math.log(0.7 / 0.5)
    assert population_stability_index([0.5, 0.5], [0.3, 0.7]) == pytest.approx(by_hand, rel=1e-12)


def test_psi_of_shares_refuses_an_empty_bin_because_it_would_be_infinite():
    with pytest.raises(ValueError, match="above 0"):
        population_stability_index([0.5, 0.5], [0.0, 1.0])


def test_bins_that_both_sides_lack_do_not_look_like_drift():
    with_empty = population_stability_index_of_counts([500, 500, 0, 0], [50, 50, 0, 0])
    assert with_empty == population_stability_index_of_counts([500, 500], [50, 50]) == pytest.approx(0.0)


@pytest.mark.property
@given(two_rows_of_counts())
def test_psi_is_the_sum_of_both_relative_entropies(rows: tuple[list[int], list[int]]):
    p, q = (np.asarray(row) + 0.5 for row in rows)
    p, q = p / p.sum(), q / q.sum()
    independent = scipy.stats.entropy(p, q) + scipy.stats.entropy(q, p)
    assert population_stability_index(p, q) == pytest.approx(independent, rel=1e-9, abs=1e-12)


@pytest.mark.property
@given(two_rows_of_counts())
def test_psi_of_counts_is_finite_never_negative_and_symmetric(rows: tuple[list[int], list[int]]):
    psi = population_stability_index_of_counts(*rows)
    assert math.isfinite(psi)
    assert psi >= 0.0
    assert psi == pytest.approx(population_stability_index_of_counts(rows[1], rows[0]), rel=1e-9, abs=1e-12)


@pytest.mark.property
@given(COUNTS)
def test_every_statistic_is_zero_on_itself(counts: list[int]):
    assert population_stability_index_of_counts(counts, counts) == 0.0
    assert chi_square_test(counts, counts).statistic == pytest.approx(0.0, abs=1e-9)
    assert jensen_shannon_distance(shares(counts), shares(counts)) == 0.0
    assert kolmogorov_smirnov_of_counts(counts, counts) == 0.0
    assert wasserstein_of_counts(counts, counts, range(len(counts) + 1)) == 0.0


@pytest.mark.property
@given(st.floats(1e-3, 2000.0), st.integers(1, 60))
def test_the_chi_square_tail_equals_scipys(statistic: float, degrees_of_freedom: int):
    expected = scipy.stats.chi2.sf(statistic, degrees_of_freedom)
    assert chi_square_tail(statistic, degrees_of_freedom=degrees_of_freedom) == pytest.approx(
        expected, rel=1e-9, abs=1e-300
    )


@pytest.mark.property
@given(two_rows_of_counts())
def test_the_chi_square_test_equals_scipys_without_yates(rows: tuple[list[int], list[int]]):
    table = np.array(rows)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        assert chi_square_test(*rows).p_value == 1.0
        return
    expected = scipy.stats.chi2_contingency(table, correction=False)
    got = chi_square_test(*rows)
    assert got.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert got.degrees_of_freedom == expected.dof
    assert got.p_value == pytest.approx(expected.pvalue, rel=1e-8, abs=1e-300)


@pytest.mark.property
@given(two_rows_of_counts())
def test_pooling_loses_no_row_and_keeps_thin_bins_out(rows: tuple[list[int], list[int]]):
    reference, current = pool_sparse_bins(*rows)
    assert (reference.sum(), current.sum()) == (sum(rows[0]), sum(rows[1]))
    total = reference.sum() + current.sum()
    bins = (reference + current)[(reference + current) > 0]
    if len(bins) > 2:
        expected = bins * min(reference.sum(), current.sum()) / total
        assert (expected >= 5.0 - 1e-9).all() or (expected < 5.0).sum() <= 1


def test_a_constant_that_became_another_constant_is_still_seen_after_pooling():
    assert chi_square_test(*pool_sparse_bins([10_000, 0], [0, 100])).p_value < 1e-9


def test_cramers_v_is_one_for_samples_without_a_common_bin_and_zero_under_noise():
    apart = chi_square_test([500, 0], [0, 500])
    assert cramers_v(apart.statistic, n_bins=2, n_rows=1000) == pytest.approx(1.0, abs=1e-3)
    assert cramers_v_uncorrected(apart.statistic, n_rows=1000) == 1.0
    assert cramers_v(9.0, n_bins=10, n_rows=1000) == 0.0  # chi-square at its expectation


@pytest.mark.property
@given(two_rows_of_counts())
def test_the_jensen_shannon_distance_equals_scipys(rows: tuple[list[int], list[int]]):
    p, q = shares(rows[0]), shares(rows[1])
    if not (p.any() and q.any()):
        return
    expected = scipy.spatial.distance.jensenshannon(p, q, base=2)
    assert jensen_shannon_distance(p, q) == pytest.approx(np.nan_to_num(expected), rel=1e-7, abs=1e-7)


@pytest.mark.property
@given(SAMPLES, SAMPLES)
def test_the_kolmogorov_smirnov_distance_equals_scipys(first: list[float], second: list[float]):
    with np.errstate(divide="ignore"):  # scipy divides by zero for its p-value of tiny samples
        expected = scipy.stats.ks_2samp(first, second, method="asymp").statistic
    assert kolmogorov_smirnov(first, second) == pytest.approx(expected, abs=1e-12)


@pytest.mark.property
@given(SAMPLES, SAMPLES)
def test_the_wasserstein_distance_equals_scipys(first: list[float], second: list[float]):
    expected = scipy.stats.wasserstein_distance(first, second)
    assert wasserstein(first, second) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_distances_of_fine_counts_come_close_to_the_exact_ones():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 1, 5000), rng.normal(0.7, 1.2, 4000)
    ends = np.linspace(-6, 6, 201)
    counts = [np.histogram(side, ends)[0] for side in (first, second)]
    assert kolmogorov_smirnov_of_counts(*counts) == pytest.approx(kolmogorov_smirnov(first, second), abs=0.01)
    assert wasserstein_of_counts(*counts, ends) == pytest.approx(wasserstein(first, second), rel=1e-3)


@pytest.mark.property
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40))
def test_benjamini_hochberg_equals_scipys(p_values: list[float]):
    expected = scipy.stats.false_discovery_control(p_values)
    assert benjamini_hochberg(p_values) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_benjamini_hochberg_of_no_test_is_empty():
    assert len(benjamini_hochberg([])) == 0


def test_the_index_to_expect_without_drift_is_the_mean_of_many_draws():
    rng = np.random.default_rng(0)
    probabilities = np.full(10, 0.1)
    before, now = rng.multinomial(900, probabilities, 400), rng.multinomial(300, probabilities, 400)
    drawn = np.mean([population_stability_index_of_counts(*pair) for pair in zip(before, now, strict=True)])
    assert drawn == pytest.approx(expected_without_drift(before[0], now[0]), rel=0.05)


@pytest.mark.parametrize(
    ("distance", "rows"), [(0.05, 400), (0.1, 300), (0.15, 300), (0.24, 200), (0.3, 120)]
)
def test_the_kolmogorov_smirnov_p_value_is_close_to_scipys(distance: float, rows: int):
    # scipy's asymptotic form of two samples is that of one sample of n m / (n + m) rows
    exact = scipy.stats.kstwo.sf(distance, rows * rows // (2 * rows))
    assert kolmogorov_smirnov_p_value(distance, rows, rows) == pytest.approx(exact, rel=0.2)


@pytest.mark.parametrize(
    "counts", [(0, 1000, 1, 1000), (3, 2000, 9, 500), (40, 9000, 80, 9000), (700, 5000, 790, 5000)]
)
def test_the_p_value_of_a_rate_is_the_binomial_tail(counts: tuple[int, int, int, int]):
    n_before, rows_before, n_now, rows_now = counts
    exact = scipy.stats.binom.sf(n_now - 1, n_before + n_now, rows_now / (rows_now + rows_before))
    assert rate_increase_p_value(*counts) == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize(("rows_before", "rows_now"), [(500, 500), (2000, 300), (500, 5000)])
def test_unseen_levels_of_the_same_population_are_rarely_significant(rows_before: int, rows_now: int):
    p_values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        levels = rng.zipf(1.8, rows_before + rows_now)
        before, now = levels[:rows_before], levels[rows_before:]
        _, repeats = np.unique(before, return_counts=True)
        unseen = np.unique(now[~np.isin(now, before)], return_counts=True)[1]
        p_values.append(
            unseen_levels_p_value(int((repeats == 1).sum()), rows_before, unseen.tolist(), rows_now)
        )
    assert np.mean(np.array(p_values) <= 0.01) <= 0.03


def test_unseen_levels_of_another_population_are_significant():
    assert unseen_levels_p_value(0, 1000, [1], 1000) > 0.2
    assert unseen_levels_p_value(0, 1000, [12], 1000) < 0.001
    assert unseen_levels_p_value(2, 1000, [1] * 40, 1000) < 0.001


@pytest.mark.property
@given(st.lists(st.tuples(*[st.integers(0, 60)] * 8), min_size=1, max_size=6))
def test_tables_of_counts_have_the_statistics_of_each_of_their_rows(rows: list[tuple[int, ...]]):
    table = np.array(rows)
    before, now, ends = table[:, :4], table[:, 4:], np.arange(5.0)
    pairs = list(zip(before, now, strict=True))
    for statistic in (
        population_stability_index_of_counts,
        expected_without_drift,
        kolmogorov_smirnov_of_counts,
        lambda a, b: jensen_shannon_distance(shares(a), shares(b)),
        lambda a, b: wasserstein_of_counts(a, b, ends),
    ):
        assert statistic(before, now) == pytest.approx([statistic(*pair) for pair in pairs], abs=1e-12)
    alone = [chi_square_test(*pool_sparse_bins(*pair)).statistic for pair in pairs]
    together = chi_square_tests(*pool_sparse_bins(before, now))
    assert [test.statistic for test in together] == pytest.approx(alone, abs=1e-9)


def test_bins_are_joined_until_the_joined_rows_are_enough_for_the_test():
    # of the smaller side 45, 5.5, 2 and 1 rows are expected: the last two alone are fewer than 5
    before, now = pool_sparse_bins([450, 55, 20, 10], [45, 5, 2, 1])
    assert before[before > 0].tolist() == [450, 85]
    assert now[now > 0].tolist() == [45, 8]
