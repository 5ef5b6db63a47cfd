"""Question: in a year of a group, what is said when, which emails are sent, and are the estimates right?

    python -m benchmarks year -- [--days 365]

A group lives through 2026 on plain files with a simulated clock. Files are scored and recorded in the ledger
as on a stack. Outcomes come two weeks later: some after two months, some corrected, some of strangers.
The functions of the night check drift, arrivals and quality, and propose retrainings. What happens is in
`year_patients.py`. The emails must be exactly those of `EXPECTED`; others, or missing ones, end with exit
code 1. Emails about a delivered or refused file are not counted. The page goes to benchmarks/results/year.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks import year_patients as story
from benchmarks.pages import write_page
from benchmarks.year_world import GROUP, World, at
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


DRIFT, NORMAL = f"Inputs changed: {GROUP}", f"Back to normal: {GROUP}"
WARNING = f"Inputs changed somewhat in 3 checks: {GROUP}"
NO_FILE, FILES_AGAIN = f"No new file to score: {GROUP}", f"Files to score arrive as usual: {GROUP}"
DROPPED, AS_APPROVED = f"[{GROUP}] Quality dropped", f"[{GROUP}] Quality is as approved again"
PROPOSED = f"[{GROUP}] Train again?"
AUTUMN = (date(2026, 10, 15), date(2026, 12, 15))
EXPECTED = (
    Expected(
        NO_FILE, "doses in micrograms: each file is refused (warning)", date(2026, 3, 4), date(2026, 3, 6)
    ),
    Expected(
        NO_FILE, "doses in micrograms: each file is refused (alert)", date(2026, 3, 6), date(2026, 3, 8)
    ),
    Expected(FILES_AGAIN, "doses in milligrams again", date(2026, 3, 10), date(2026, 3, 11)),
    Expected(DRIFT, "doses 2.205 times as high", date(2026, 3, 25), date(2026, 3, 28)),
    Expected(NORMAL, "doses in milligrams again", date(2026, 3, 30), date(2026, 4, 3)),
    Expected(DRIFT, "no refill gap is filled in", date(2026, 4, 15), date(2026, 4, 16)),
    Expected(NORMAL, "refill gaps are filled in again", date(2026, 4, 20), date(2026, 4, 24)),
    Expected(WARNING, "the patients grow older", date(2026, 5, 20), date(2026, 7, 10)),
    Expected(NO_FILE, "a week without files (warning)", date(2026, 7, 8), date(2026, 7, 10)),
    Expected(NO_FILE, "a week without files (alert)", date(2026, 7, 10), date(2026, 7, 12)),
    Expected(FILES_AGAIN, "files come again", date(2026, 7, 14), date(2026, 7, 15)),
    Expected(NORMAL, "a new model knows the older patients", date(2026, 9, 15), date(2026, 9, 18)),
    *(
        Expected(subject, "autumn beside August, of which the model has learned", *AUTUMN)
        for subject in (WARNING, NORMAL) * 4
    ),
    Expected(DROPPED, "the predictions without refill gaps were worse", date(2026, 5, 1), date(2026, 5, 15)),
    Expected(AS_APPROVED, "the days after them", date(2026, 5, 15), date(2026, 6, 5)),
    Expected(DROPPED, "another concept with the same inputs", date(2026, 10, 20), date(2026, 12, 1)),
    Expected(PROPOSED, "the alert about doses", date(2026, 3, 25), date(2026, 3, 28)),
    Expected(PROPOSED, "the alert about refill gaps", date(2026, 4, 15), date(2026, 4, 16)),
    Expected(PROPOSED, "the predictions without refill gaps were worse", date(2026, 5, 1), date(2026, 5, 15)),
    *(
        Expected(PROPOSED, "another concept, every 14 days", date(2026, 10, 20), date(2026, 12, 14))
        for _ in range(4)
    ),
)


class Outcomes:
    """The outcomes of all scored patients, and the files in which they come."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._by_day: dict[date, pd.DataFrame] = {}
        self._corrections: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame, day: date) -> None:
        """Remember the outcomes of a day; a part of them will come late."""
        outcomes = rows[[story.ID, story.TARGET]]
        self._by_day[day] = outcomes.assign(is_late=self._rng.random(len(outcomes)) < LATE_SHARE)

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
    verdicts: list[tuple[date, str, str, str, str, str]]
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
        if days := story.RETRAININGS.get(day):
            world.now = at(day, 8)
            world.promote(story.training_rows(*days, N_TRAINING, rng))
        if story.has_file(day):
            rows = story.patients(day, rng)
            outcomes.add(rows, day)
            world.score(story.as_delivered(rows, day), day)
        if day.weekday() == 0 and len(file := outcomes.file(day)) > N_UNKNOWN:
            world.label(file, day)
    year.seconds = time.process_time() - started
    return year


def verdicts_of(world: World) -> tuple[str, str, str, str, str]:
    """Return the verdicts of the last night: drift, predictions, reasons, arrivals, quality."""
    drift = world.drift_archive.last_report(GROUP)
    quality = world.quality_archive.last_report(GROUP)
    assert drift is not None
    return (
        drift.verdict,
        drift.prediction_verdict or "-",
        "-" if drift.reason_drift_score is None else "WARN" if drift.reasons_with_drift else "OK",
        drift.arrivals_verdict,
        quality.verdict if quality else "-",
    )


def estimates_of(year: Year) -> dict[str, list[tuple[float, float]]]:
    """Return estimated and realised scores by month, each period as it was last reported."""
    newest = {
        estimate.name: estimate
        for report in year.reports.values()
        for estimate in report.estimates
        if estimate.realised is not None
    }
    by_month: dict[str, list[tuple[float, float]]] = {}
    for name, estimate in sorted(newest.items()):
        assert estimate.realised is not None
        by_month.setdefault(name[:7], []).append((estimate.score.value, estimate.realised.value))
    return by_month


def unexpected(emails: Sequence[tuple[date, str]]) -> Iterator[str]:
    """Yield what does not fit: emails that nothing explains, and expected ones that did not come."""
    left = list(EXPECTED)
    for day, subject in emails:
        fitting = [each for each in left if each.subject in subject and each.first <= day <= each.last]
        if fitting:
            left.remove(fitting[0])
        else:
            yield f"{day} unexpected: {subject}"
    yield from (f"{each.first} to {each.last} missing: {each.subject} ({each.cause})" for each in left)


def cause_of(day: date, subject: str) -> str:
    """Return what an email is about."""
    fitting = (each.cause for each in EXPECTED if each.subject in subject and each.first <= day <= each.last)
    return next(fitting, "?")


def render(year: Year) -> str:
    """Return the page."""
    emails = year.world.outbox.emails
    wrong = list(unexpected(emails))
    lines = [
        "# A year of a group",
        "",
        (__doc__ or "").splitlines()[0],
        "",
        f"{story.N_A_DAY} rows on every working day of 2026, {len(year.verdicts)} nights, "
        f"{len(year.world.refused)} refused, {year.seconds:.0f} CPU seconds with trainings and scoring.",
        f"{len(emails)} emails, {f'{len(wrong)} not as expected' if wrong else 'exactly the expected ones'}.",
        "Expected only after a run had explained them: the eight of autumn, and the two about quality in",
        "May. Two of autumn came with drift of the reasons. An alert about age was expected, and is a",
        "warning: age matters little to this model.",
        "",
        "## Emails",
        "",
        "| day | email | what happened |",
        "|---|---|---|",
        *(f"| {day} | {subject} | {cause_of(day, subject)} |" for day, subject in emails),
        *(["", *(f"- {each}" for each in wrong)] if wrong else []),
        "",
        "## Retrainings that were proposed",
        "",
        'The check of retrainings runs every night, with `policy = "propose"` and the defaults. No one',
        "follows a proposal: the team trains again in September and December, on newer files.",
        "",
        "| day | reason | rows of files | labelled rows of the ledger | new to the champion |",
        "|---|---|---|---|---|",
        *_proposals(year),
        "",
        "## Nights by verdict",
        "",
        "Each of drift, predictions, reasons and files: OK, WARN, ALERT. Quality: OK, DROPPED.",
        "",
        "| month | drift | predictions | reasons | files | quality |",
        "|---|---|---|---|---|---|",
        *_months(year),
        "",
        "## Estimated and realised ROC AUC",
        "",
        "Means over the periods of a month; the estimate is made without labels, before the outcomes come.",
        "",
        "| month | periods | estimated | realised | largest difference |",
        "|---|---|---|---|---|",
        *_estimates(year),
    ]
    return "\n".join([*lines, ""])


def _proposals(year: Year) -> Iterator[str]:
    for day, detail in year.world.outbox.proposals:
        counts = (detail["files_rows"], detail["ledger_rows"], detail["n_new_rows"])
        yield f"| {day} | {' '.join(detail['reasons'])} | {' | '.join(f'{n or 0:,}' for n in counts)} |"


def _months(year: Year) -> Iterator[str]:
    months = sorted({f"{day:%Y-%m}" for day, *_ in year.verdicts})
    drift = ("OK", "WARN", "ALERT")
    for month in months:
        nights = [verdicts for day, *verdicts in year.verdicts if f"{day:%Y-%m}" == month]
        cells = [
            ", ".join(str(sum(night[place] == verdict for night in nights)) for verdict in verdicts)
            for place, verdicts in enumerate((drift, drift, drift, drift, ("OK", "DROPPED")))
        ]
        yield f"| {month} | {' | '.join(cells)} |"


def _estimates(year: Year) -> Iterator[str]:
    for month, pairs in estimates_of(year).items():
        estimated, realised = np.array(pairs).T
        largest = float(np.abs(estimated - realised).max())
        means = f"{estimated.mean():.3f} | {realised.mean():.3f} | {largest:.3f}"
        yield f"| {month} | {len(pairs)} | {means} |"


def main() -> int:
    """Live, print, and store the page; 1 when other emails were sent than expected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=365)
    n_days = parser.parse_args().days
    with TemporaryDirectory() as folder:
        year = live(Path(folder), n_days)
        page = render(year)
    print(page)
    if n_days >= (story.LAST - story.FIRST).days + 1:
        write_page("year", page)
    return int(any(unexpected(year.world.outbox.emails)))


if __name__ == "__main__":
    sys.exit(main())
