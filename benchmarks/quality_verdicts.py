"""Question: how often is a healthy group said to have dropped in a year, and how soon is a real drop found?

    python -m benchmarks quality_verdicts -- [--years 40]

Every night the labels of one more day have come, and the last 90 days are judged: all of them, the newest
periods, the newest 2, 4, 8, ... periods together, and five segments. The approved score comes from held-out
rows of its own. Errors of numbers are normal, or of Student's t distribution with five degrees of freedom.
"Persons": each is predicted on ten days in a row, with a correlation of 0.5. "Each night at 5 %" is the rule
before: a one-sided test with the uncertainty of both scores, corrected for the parts of that night only, of
rows taken as independent. The table goes to benchmarks/results/quality_verdicts.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from benchmarks.pages import write_page
from mlops.models.scoring.quality import N_NEWEST, QualityPart, QualityScore
from mlops.models.settings.group import TaskName
from mlops.monitoring.quality.class_scores import roc_auc
from mlops.monitoring.quality.counts import ClassCounts, NumberSums
from mlops.monitoring.quality.dependence import N_CLUSTERS
from mlops.monitoring.quality.measure import Measure
from mlops.monitoring.quality.number_scores import number_scores
from mlops.monitoring.quality.periods import periods_of, recent_runs
from mlops.monitoring.quality.proportions import Z_95
from mlops.monitoring.quality.verdict import judge
from mlops.monitoring.statistics.benjamini_hochberg import benjamini_hochberg

WINDOW, NIGHTS, N_SEGMENTS, N_BINS = 90, 365, 5, 60
START = date(2026, 1, 1)
DAYS_OF_PERSON = 10


@dataclass(frozen=True)
class Group:
    """A group: what it predicts, labels a day, held-out rows, and whether persons repeat."""

    task: TaskName
    n_a_day: int
    n_held_out: int
    degrees_of_freedom: float = math.inf
    has_persons: bool = False

    @property
    def name(self) -> str:
        """What the table calls it."""
        kind = "ROC AUC 0.76" if self.task == "binary" else "RMSE"
        tails = "" if math.isinf(self.degrees_of_freedom) else ", heavy tails"
        return f"{kind}{tails}{', persons' if self.has_persons else ''}"

    @property
    def metric(self) -> str:
        """The score that is judged."""
        return "roc_auc" if self.task == "binary" else "neg_root_mean_squared_error"


GROUPS = (
    Group("regression", 30, 500),
    Group("regression", 100, 5_000),
    Group("regression", 100, 5_000, degrees_of_freedom=5.0),
    Group("regression", 100, 5_000, has_persons=True),
    Group("binary", 30, 500),
    Group("binary", 100, 5_000),
)


def draw(
    group: Group, rng: np.random.Generator, n: int, drop: float, cohort: np.random.Generator | None = None
) -> np.ndarray:
    """Return n rows counted by segment and cluster: of classes by label and bin, of numbers as sums."""
    degrees = group.degrees_of_freedom
    noise = rng.standard_normal(n) if math.isinf(degrees) else rng.standard_t(degrees, n)
    clusters, labels = np.zeros(n, dtype=int), rng
    if cohort is not None:
        noise = math.sqrt(0.5) * (cohort.standard_normal(n) + noise)
        clusters, labels = cohort.integers(0, N_CLUSTERS, n), cohort
    segments, n_clusters = np.arange(n) % N_SEGMENTS, N_CLUSTERS if cohort else 1
    if group.task == "binary":
        label = (labels.random(n) < 0.3).astype(int)
        # Phi(distance / sqrt 2) is 0.76, and 0.71 after the drop
        bins = np.clip(np.round((noise + label * (0.7826 if drop else 1.0)) * 8) + N_BINS // 2, 0, N_BINS - 1)
        counted = np.zeros((N_SEGMENTS, n_clusters, 2, N_BINS))
        np.add.at(counted, (segments, clusters, label, bins.astype(int)), 1.0)
        return counted
    error = noise * (1.0 + 0.15 * drop)
    summed = np.zeros((N_SEGMENTS, n_clusters, 5))
    powers = [np.ones(n), np.abs(error), error**2, error**4]
    np.add.at(summed[..., :4], (segments, clusters), np.stack(powers, axis=1))
    np.maximum.at(summed[..., 4], (segments, clusters), error**2)
    return summed


def score(group: Group, counted: np.ndarray, *, has_clusters: bool) -> QualityScore | None:
    """Score the sum of draws, shape (draws, clusters, ...)."""
    if group.task == "binary":
        counts = counted.sum(axis=0) if has_clusters else counted.sum(axis=(0, 1))[np.newaxis]
        clusters, label, bins = np.nonzero(counts)
        ones = np.ones(len(label))
        return roc_auc(
            ClassCounts(label, label, bins, counts[clusters, label, bins], ones, ones,
                        clusters if has_clusters else None)
        )  # fmt: skip
    n, absolute, squares, fourth = counted[..., :4].sum(axis=(0, 1))
    of_clusters = counted[..., :3].sum(axis=0).T if has_clusters else None
    sums = NumberSums(n, 0.0, absolute, squares, fourth, counted[..., 4].max(), 0.0, 1.0, of_clusters)
    return number_scores(sums).get(group.metric)


class Year:
    """The nights of one group: what decides about it in each."""

    def __init__(self, group: Group, seed: int) -> None:
        self.group, self._rng, self._seed = group, np.random.default_rng(seed), seed
        n_of_segment = max(100, group.n_held_out // N_SEGMENTS)
        sizes = [group.n_held_out, *[n_of_segment] * N_SEGMENTS]
        self._approved = [
            score(group, draw(group, self._rng, size, 0.0), has_clusters=False) for size in sizes
        ]
        self.measure = Measure(group.task, group.metric, self._approved[0])
        self._days: list[np.ndarray] = []

    def add_day(self, drop: float) -> None:
        """Add the labels of one more day."""
        number, group = len(self._days), self.group
        cohort = np.random.default_rng((number // DAYS_OF_PERSON, self._seed)) if group.has_persons else None
        self._days.append(draw(group, self._rng, group.n_a_day, drop, cohort))

    def parts(self, *, has_clusters: bool) -> list[QualityPart]:
        """Return the parts of the newest night."""
        days = [START + timedelta(n) for n in range(max(0, len(self._days) - WINDOW), len(self._days))]
        runs = periods_of(days, dict.fromkeys(days, self.group.n_a_day), self.measure.min_labels)
        counted = {day: self._days[(day - START).days] for day in days}

        def part(chosen: Sequence[date], segment: int | None = None) -> QualityPart:
            rows = slice(None) if segment is None else slice(segment, segment + 1)
            of_part = np.stack([counted[day][rows] for day in chosen])
            scored = score(self.group, of_part.reshape(-1, *of_part.shape[2:]), has_clusters=has_clusters)
            approved = self._approved[0 if segment is None else 1 + segment]
            n = len(chosen) * self.group.n_a_day // (1 if segment is None else N_SEGMENTS)
            return QualityPart(
                "overall", "", n, n, {self.group.metric: scored} if scored else {}, approved=approved
            )

        whole = [part(chosen) for chosen in (days, *runs[-N_NEWEST:], *recent_runs(runs))]
        return whole + [part(days, segment) for segment in range(N_SEGMENTS)]


def is_dropped(year: Year) -> bool:
    """The verdict of one night."""
    judged = judge(year.parts(has_clusters=year.group.has_persons), year.measure)
    return any(part.verdict == "DROPPED" for part in judged)


def was_dropped(year: Year) -> bool:
    """The verdict before."""
    p_values = []
    for part in year.parts(has_clusters=False):
        scored, approved = part.scores.get(year.group.metric), part.approved
        if not scored or not scored.interval or not approved or not approved.interval or part.n_labels < 100:
            continue
        widths = [each[1] - each[0] for each in (scored.interval, approved.interval)]
        error = math.hypot(*widths) / (2.0 * Z_95)
        p_values.append(0.5 * math.erfc((approved.value - scored.value) / error / math.sqrt(2.0)))
    return bool(p_values) and bool(benjamini_hochberg(p_values).min() < 0.05)


def first_night(group: Group, seed: int, rule: Callable[[Year], bool], drop_on: int | None = None) -> float:
    """Return the first night with a drop, counted from the day of the drop; infinity without one."""
    year, begin = Year(group, seed), drop_on or 0
    for number in range(NIGHTS if drop_on is None else drop_on + WINDOW):
        year.add_day(0.0 if drop_on is None or number < drop_on else 1.0)
        if number >= begin and rule(year):
            return number - begin + 1
    return math.inf


def measure(group: Group, n_years: int) -> str:
    """Return the row of a group."""
    before = np.mean([first_night(group, seed, was_dropped) < math.inf for seed in range(n_years // 2)])
    now = np.mean([first_night(group, seed, is_dropped) < math.inf for seed in range(n_years)])
    delays = [first_night(group, 10_000 + seed, is_dropped, WINDOW) for seed in range(n_years // 2)]
    days = [np.quantile(delays, q, method="inverted_cdf") for q in (0.5, 0.9)]
    sizes = (f"{group.n_a_day:,}", f"{group.n_held_out:,}")
    shown = [f">{WINDOW}" if math.isinf(delay) else f"{delay:.0f}" for delay in days]
    return f"| {' | '.join((group.name, *sizes, f'{before:.0%}', f'{now:.1%}', *shown))} |"


def render(n_years: int) -> str:
    """Return the table."""
    lines = ["# Verdicts of realised quality over a year of nights", "", (__doc__ or "").splitlines()[0], ""]
    lines += [
        f"Alarms: share of {n_years} healthy years with at least one, of the rule before of {n_years // 2}.",
        "Days: from a drop of 0.05 of ROC AUC, or of 15 % more RMSE, after 90 healthy days, until it is",
        f"said: median, and 90 % of {n_years // 2} groups.",
        "",
        "| group | labels a day | held out | alarms, each night at 5 % | alarms | days to a drop | 90 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for group in GROUPS:
        lines.append(measure(group, n_years))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and store the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--years", type=int, default=40)
    page = render(parser.parse_args().years)
    print(page)
    write_page("quality_verdicts", page)


if __name__ == "__main__":
    main()
