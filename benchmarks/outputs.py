"""Question: are probabilities calibrated, and do intervals and sets contain what they promise?

    python -m benchmarks outputs -- FOLDER [--seeds 3] [--only NAME]

FOLDER is that of `training_quality.py`. Each table is split several times, trained without a set algorithm
(and, for classes, with class weights that make all classes weigh the same), and looked at on its held-out
rows. Segments are the values of the categories of the table with at least 400 held-out rows in all splits
together, and the fifths of the rows by the predicted number. The tables go to benchmarks/results/outputs.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.pages import write_page
from benchmarks.training_quality import Case, example_cases
from mlops.algorithms.cores import using_cores
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.quality.calibration import expected_calibration_error
from mlops.pipelines.artifacts.model import Scores
from mlops.pipelines.evaluation.evaluation_details import class_calibration
from mlops.pipelines.evaluation.judged_rows import JudgedRows
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import fit_model
from mlops.pipelines.model_card.figures import error_by_chance

COVERAGE = 0.9
MIN_ROWS, MAX_VALUES = 400, 12
BALANCED = {"algorithm": "LogisticRegression", "hyperparameters": {"class_weight": "balanced"}}


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out rows of one split: features, truth and what the model says."""

    case: Case
    algorithm: str
    aligned: pd.DataFrame
    judged: JudgedRows

    @property
    def scores(self) -> Scores:
        """What the model says."""
        return self.judged.scores

    @property
    def holds_truth(self) -> np.ndarray:
        """Whether the interval, or the set, of each row contains the truth."""
        y, scores = self.judged.y, self.scores
        if scores.in_set is not None:
            inside: np.ndarray = scores.in_set[np.arange(len(y)), y]
            return inside
        assert scores.interval_low is not None
        assert scores.interval_high is not None
        return (scores.interval_low <= y) & (y <= scores.interval_high)


def trained(case: Case, further: dict[str, Any]) -> HeldOut:
    """Train on the split of the case, and score its held-out rows."""
    config = {**case.config, "classes": {"set_coverage": COVERAGE}, **further}
    rows = prepare_rows(case.source, GroupSettings.from_config(config))
    with using_cores(1):
        fitted = fit_model(rows)
    test = rows.split.test
    scores = fitted.model.score_aligned(rows.aligned[test]).over_labels(len(rows.problem.labels))
    judged = JudgedRows(rows.problem, rows.problem.y[test], scores, rows.split.members[test])
    return HeldOut(case, fitted.configured.algorithm.name, rows.aligned[test], judged)


def calibration_line(held_out: HeldOut, title: str) -> str:
    """Return the calibration error of one split, and that of true probabilities on as many rows."""
    bins = class_calibration(held_out.judged)
    error, by_chance = expected_calibration_error(bins), error_by_chance(bins)
    n_rows = len(held_out.judged.y)
    return f"| {held_out.case.name} | {title} | {n_rows:,} | {error:.3f} | {by_chance:.3f} |"


def segments(splits: Sequence[HeldOut]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name of each segment, and whether the truth of each of its rows is inside."""
    inside = np.concatenate([one.holds_truth for one in splits])
    if splits[0].judged.task == "regression":
        predicted = np.concatenate([one.scores.predicted for one in splits])
        for number, rows in enumerate(np.array_split(np.argsort(predicted, kind="stable"), 5), start=1):
            yield f"fifth {number} of the predictions", inside[rows]
    else:
        y = np.concatenate([one.judged.y for one in splits])
        for place, label in enumerate(splits[0].judged.problem.labels):
            if (y == place).any():
                yield f"class {label}", inside[y == place]
    features = pd.concat([one.aligned for one in splits], ignore_index=True)
    for column in features.select_dtypes(exclude="number"):
        counts = features[column].value_counts()
        if len(counts) <= MAX_VALUES:
            for value in counts.index[counts >= MIN_ROWS]:
                yield f"{column} {value}", inside[(features[column] == value).to_numpy()]


def coverage_lines(splits: Sequence[HeldOut]) -> list[str]:
    """Return the coverage of all held-out rows, and those of the segments farthest from what is promised."""
    inside = np.concatenate([one.holds_truth for one in splits])
    sizes = [one.scores.in_set.sum(axis=1) for one in splits if one.scores.in_set is not None]
    size = f"{np.concatenate(sizes).mean():.2f} classes" if sizes else ""
    named = [(name, float(rows.mean()), len(rows)) for name, rows in segments(splits)]
    low, high = (pick(named, key=lambda one: one[1]) for pick in (min, max))
    n_near = sum(abs(share - COVERAGE) <= 0.03 for _, share, _ in named)
    ends = " | ".join(f"{share:.1%} ({name}, {n:,} rows)" for name, share, n in (low, high))
    return [
        f"| {splits[0].case.name} | {inside.mean():.1%} | {size} | {n_near} of {len(named)} | {ends} |",
    ]


def main() -> None:
    """Measure, print, and keep the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the CSV files and their JSON lie")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each file")
    parser.add_argument(
        "--only", default="", help="only sets whose name contains this; nothing is stored then"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    errors: list[str] = []
    by_set: dict[str, list[HeldOut]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(arguments.seeds):
            for case in example_cases(arguments.folder, seed, Path(scratch)):
                if arguments.only not in case.name:
                    continue
                held_out = trained(case, {})
                by_set.setdefault(case.name, []).append(held_out)
                if held_out.judged.task != "regression":
                    errors.append(calibration_line(held_out, f"default ({held_out.algorithm})"))
                    errors.append(calibration_line(trained(case, BALANCED), "logistic regression, balanced"))
                print(case.name, seed, held_out.algorithm, file=sys.stderr, flush=True)
    page = render(sorted(errors), by_set)
    print(page)
    if not arguments.only:
        write_page("outputs", page)


def render(errors: Sequence[str], by_set: dict[str, list[HeldOut]]) -> str:
    """Return the page."""
    kinds = {"Intervals of numbers": True, "Sets of classes": False}
    parts = [
        f"# Outputs\n\n{(__doc__ or '').splitlines()[0].removeprefix('Question: ')}\n",
        "## Calibration error of the held-out rows, one line for each split\n",
        "| set | model | rows | error | of true probabilities |\n|---|---|---|---|---|",
        *errors,
    ]
    for title, is_regression in kinds.items():
        parts += [
            f"\n## {title}, {COVERAGE:.0%} promised, all splits together\n",
            "| set | inside | size | segments within 3 points | lowest segment | highest segment |",
            "|---|---|---|---|---|---|",
        ]
        for splits in by_set.values():
            if (splits[0].judged.task == "regression") == is_regression:
                parts += coverage_lines(splits)
    parts.append(
        "\nEach class is a segment of the sets. A set contains at least the share that is promised, because"
        " the predicted class is always in it. Decision: calibration, intervals and sets are fitted to what"
        " models predict out of fold; none of them has rows of its own."
    )
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
