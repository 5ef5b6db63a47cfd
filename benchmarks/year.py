"""Question: in a year of a group, what is said when, which emails are sent, and are the estimates right?

    python -m benchmarks year -- [--days 365]

A group lives through 2026 on plain files with a simulated clock: files are scored and recorded in the ledger
as on a stack, outcomes come two weeks later (some after two months, some corrected, some of unknown patients),
and the functions of the night check drift, arrivals and quality. What happens is in `year_patients.py`. The
emails must be exactly those of `EXPECTED`; others, or missing ones, end with exit code 1. Emails about a
delivered or refused file are not counted. The page goes to benchmarks/results/year.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import year_patients as story
from benchmarks.year_world import GROUP, World
from mlops.models.scoring.quality import QualityReport

N_TRAINING = 4_000
LATE_SHARE, CORRECTED_SHARE, N_UNKNOWN = 0.10, 0.02, 3
LATE_DAYS = 60


@dataclass(frozen=True)
class Expected:
    """An email that must come, within some days of what causes it."""

    subject: str
    cause: str
    first: date
    last: date


EXPECTED: tuple[Expected, ...] = ()


class Outcomes:
    """The outcomes of all scored patients, and the files in which they come."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._by_day: dict[date, pd.DataFrame] = {}
        self._corrections: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame, day: date) -> None:
        """Remember the outcomes of a day; a part of them will come late."""
        known = rows[[story.ID, story.TARGET]]
        self._by_day[day] = known.assign(is_late=self._rng.random(len(known)) < LATE_SHARE)

    def file(self, day: date) -> pd.DataFrame:
        """Return what is known since last week: new outcomes, late ones, corrections, unknown patients."""
        new = self._of(day - timedelta(days=20), is_late=False)
        late = self._of(day - timedelta(days=20 + LATE_DAYS), is_late=True)
        wrong = new.sample(frac=CORRECTED_SHARE, random_state=self._rng.integers(2**31))
        corrections, self._corrections = self._corrections, [wrong]
        flipped = wrong.assign(**{story.TARGET: wrong[story.TARGET].map({"yes": "no", "no": "yes"})})
        unknown = pd.DataFrame(
            {story.ID: [f"X{day:%m%d}-{n}" for n in range(N_UNKNOWN)], story.TARGET: ["no"] * N_UNKNOWN}
        )
        return pd.concat([new.drop(wrong.index), flipped, late, *corrections, unknown], ignore_index=True)

    def _of(self, first: date, *, is_late: bool) -> pd.DataFrame:
        days = (first + timedelta(days=offset) for offset in range(7))
        parts = [self._by_day[day] for day in days if day in self._by_day]
        every = pd.concat(parts, ignore_index=True) if parts else self._nothing()
        return every[every["is_late"] == is_late].drop(columns="is_late")

    @staticmethod
    def _nothing() -> pd.DataFrame:
        return pd.DataFrame({story.ID: [], story.TARGET: [], "is_late": np.zeros(0, dtype=bool)})


@dataclass
class Year:
    """What was said in the year."""

    world: World
    verdicts: list[tuple[date, str, str, str, str]]
    reports: dict[date, QualityReport]
    seconds: float = 0.0


def live(root: Path, n_days: int) -> Year:
    """Run the year, and return what was said."""
    rng, started = np.random.default_rng(2026), time.process_time()
    world, outcomes = World(root), Outcomes(rng)
    year = Year(world, [], {})
    before = story.FIRST - timedelta(days=1)
    world.promote(story.training_rows(date(2025, 1, 1), before, N_TRAINING, rng))
    for day in (story.FIRST + timedelta(days=offset) for offset in range(n_days)):
        world.night(day)
        year.verdicts.append((day, *verdicts_of(world)))
        if (report := world.quality_archive.last_report(GROUP)) and report.measured_on == day:
            year.reports[day] = report
        if first := story.RETRAININGS.get(day):
            last = day - timedelta(days=15)
            world.promote(story.training_rows(first, last, N_TRAINING, rng))
        if story.has_file(day):
            rows = story.patients(day, rng)
            outcomes.add(rows, day)
            world.score(story.as_delivered(rows, day), day)
        if day.weekday() == 0 and len(file := outcomes.file(day)) > N_UNKNOWN:
            world.label(file, day)
    year.seconds = time.process_time() - started
    return year


def verdicts_of(world: World) -> tuple[str, str, str, str]:
    """Return the verdicts of the last night: drift, predictions, arrivals, quality."""
    drift = world.drift_archive.last_report(GROUP)
    quality = world.quality_archive.last_report(GROUP)
    assert drift is not None
    return (
        drift.verdict,
        drift.prediction_verdict or "-",
        drift.arrivals_verdict,
        quality.verdict if quality else "-",
    )
