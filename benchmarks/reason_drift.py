"""Verdicts on the reasons of predictions where the truth is known.

Question: how often do reasons warn on random halves of one table, and how often is a change found?

    python -m benchmarks reason_drift -- [FOLDER] [--splits 10] [--threshold 0.1]

Every CSV file of the folder (default: the examples) is halved at random several times. A model is fitted to
one half, with its held-out rows as the reference; batches are random rows of the other half. Then the column
of the largest share, and that of the second largest, change in the batch. A JSON file of the same name may
list `id_columns`, `target` and `leakage_columns`. Without a folder the table goes to
benchmarks/results/reason_drift.md, where that of a folder is added by hand.
"""

from __future__ import annotations

import argparse
import json
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import threadpoolctl

from benchmarks.pages import write_page
from mlops.models.drift.contributions import ContributionDrift, ContributionSums
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.verdict.contributions import MIN_ROWS_BEFORE, compare_contributions
from mlops.monitoring.verdict.rule import SIGNIFICANT_REASONS, Thresholds
from mlops.pipelines.artifacts.model import Model, align
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import fit_model
from mlops.pipelines.scoring.reasons import held_out_contributions

REPOSITORY = Path(__file__).resolve().parents[1]
ALGORITHMS: Mapping[str, Mapping[str, Any]] = {
    "linear": {},
    "XGBoost": {"n_estimators": 100, "max_depth": 4},
    "RandomForest": {"n_estimators": 50, "min_samples_leaf": 20},
}
ROWS = (300, 1_000)
BATCHES = 3
CHANGES: Mapping[str, Callable[[pd.Series], pd.Series]] = {
    "all as the commonest": lambda column: pd.Series(column.mode().iloc[0], column.index),
    "+1 sd": lambda column: column + column.std(),
    "sd x 2": lambda column: column.mean() + 2 * (column - column.mean()),
}


@dataclass(frozen=True)
class Case:
    """A fitted model, the sums of its held-out rows, and other rows of the same table."""

    model: Model
    reference: ContributionSums
    others: pd.DataFrame
    thresholds: Thresholds

    def judged(self, batch: pd.DataFrame) -> ContributionDrift:
        """Compare the reasons of some rows with those of the held-out rows."""
        aligned = align(batch, self.model.schema.features)[0]
        now = held_out_contributions(self.model, aligned, self.model.score_aligned(aligned))
        drift = compare_contributions(self.reference, now, self.thresholds)
        assert drift is not None
        return drift


def tables(folder: Path) -> Iterator[tuple[str, pd.DataFrame, GroupSettings]]:
    """Yield each table, without columns that would tell the answer, and what it is trained with."""
    for path in sorted(folder.glob("*.csv")) or sorted(folder.glob("*/train.csv")):
        facts, settings = path.with_suffix(".json"), path.with_name("model.toml")
        if facts.exists():
            stated = json.loads(facts.read_text())
            left_out = [*stated.get("id_columns", []), *stated.get("leakage_columns", [])]
            target = stated["target"]
        else:
            stated = tomllib.loads(settings.read_text())
            left_out = [*_listed(stated, "id_columns"), *_listed(stated, "exclude_columns")]
            target = stated["target"]
        name = path.stem if facts.exists() else path.parent.name
        frame = pd.read_csv(path)
        yield (
            name,
            frame.drop(columns=[each for each in left_out if each in frame]),
            GroupSettings(target=target),
        )


def _listed(stated: Mapping[str, Any], name: str) -> list[str]:
    value = stated.get(name, [])
    return [value] if isinstance(value, str) else value


def cases(
    frame: pd.DataFrame, settings: GroupSettings, kind: str, n_splits: int, thresholds: Thresholds
) -> Iterator[Case]:
    for seed in range(n_splits):
        shuffled = frame.sample(frac=1.0, random_state=seed).reset_index(drop=True)
        half = len(shuffled) // 2
        algorithm = kind if kind != "linear" else _linear(frame[settings.target])
        stated = {"target": settings.target, "algorithm": algorithm, "seed": seed}
        config = {**stated, "hyperparameters": dict(ALGORITHMS[kind])}
        rows = prepare_rows(shuffled[:half], GroupSettings.from_config(config))
        model = fit_model(rows, None).model
        aligned = rows.aligned[rows.split.test]
        reference = held_out_contributions(model, aligned, model.score_aligned(aligned))
        if reference is not None and reference.n_rows >= MIN_ROWS_BEFORE:
            yield Case(model, reference, shuffled[half:], thresholds)


def _linear(target: pd.Series) -> str:
    return "Ridge" if target.dtype.kind == "f" or target.nunique() > 20 else "LogisticRegression"


def line(name: str, kind: str, built: list[Case]) -> str:
    rng = np.random.default_rng(0)
    clean = [_share([bool(each.columns_with_drift) for each in _clean(built, n, rng)]) for n in ROWS]
    verdicts = {label: [] for label in CHANGES}
    for case in built:
        batch = case.others[: max(ROWS)]
        for label, change in CHANGES.items():
            for column in _largest(case, batch, is_number=label != "all as the commonest"):
                changed = batch.assign(**{column: change(batch[column])})
                verdicts[label].append(bool(case.judged(changed).columns_with_drift))
    n_held_out = int(np.median([case.reference.n_rows for case in built])) if built else 0
    cells = [name, kind, f"{n_held_out:,}", *clean, *(_share(each) for each in verdicts.values())]
    return f"| {' | '.join(cells)} |"


def _clean(built: list[Case], n: int, rng: np.random.Generator) -> Iterator[ContributionDrift]:
    for case in built:
        for _ in range(BATCHES if len(case.others) >= n else 0):
            yield case.judged(case.others.iloc[rng.choice(len(case.others), n, replace=False)])


def _largest(case: Case, batch: pd.DataFrame, *, is_number: bool) -> list[str]:
    """Return the two columns of the largest share, of those that a change makes sense for."""
    shares = dict(zip(case.reference.columns, case.reference.absolute, strict=True))
    usable = [
        name
        for name in sorted(shares, key=lambda name: -shares[name])
        if name in batch
        and batch[name].notna().any()
        and (not is_number or (batch[name].dtype.kind in "if" and batch[name].nunique() > 20))
    ]
    return usable[:2]


def _share(verdicts: list[bool]) -> str:
    return f"{100 * float(np.mean(verdicts)):.0f} % of {len(verdicts)}" if verdicts else "-"


def report(folder: Path, n_splits: int, thresholds: Thresholds) -> Iterator[str]:
    yield "# Reasons of predictions where the truth is known\n"
    yield (__doc__ or "").splitlines()[2].removeprefix("Question: ").capitalize() + "\n"
    yield (
        f"A column warns when Cohen's h of its share is at least {thresholds.warn:g} and q at most "
        f"{SIGNIFICANT_REASONS:g}. "
        f"{n_splits} random halves, {BATCHES} batches of each; changes in {max(ROWS):,} rows, or all.\n"
    )
    yield (
        "| table | model | held out | " + " | ".join([*(f"clean, n = {n:,}" for n in ROWS), *CHANGES]) + " |"
    )
    yield "|---" * (3 + len(ROWS) + len(CHANGES)) + "|"
    for name, frame, settings in tables(folder):
        for kind in ALGORITHMS:
            yield line(name, kind, list(cases(frame, settings, kind, n_splits, thresholds)))


def main() -> None:
    """Print the table, and store it for the examples."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="folder of CSV files (default: the examples)")
    parser.add_argument("--splits", type=int, default=10, help="random halves of each table")
    parser.add_argument("--threshold", type=float, default=0.1, help="limit of the effect")
    arguments = parser.parse_args()
    thresholds, folder = (
        Thresholds(arguments.threshold, 2 * arguments.threshold),
        arguments.folder or REPOSITORY / "examples",
    )
    lines = []
    with threadpoolctl.threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in report(folder, arguments.splits, thresholds):
            print(text, flush=True)
            lines.append(text)
    if arguments.folder is None:
        write_page("reason_drift", "\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
