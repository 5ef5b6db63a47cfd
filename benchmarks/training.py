"""Question: what does a training cost around the fit: reading, splitting, evaluating, baseline, saving?

    python -m benchmarks training -- [--rows 200000 1000000] [--repeats 3]

The table is like one of adherence: an id, twelve numbers, six categories, a target. Both sides fit the same
single small tree of HistGradientBoosting (ours twice: once out of fold, for the threshold); the time inside
of `fit` is taken out, and what is left is the work around it. The peer is what a person writes in an hour:
pandas, a ColumnTransformer, scores, describe and histograms as a baseline, joblib. Ours does more: dialect
and types, intervals, slices, importance, leaks, the model card. CPU seconds, one process per run, one thread,
without imports. The table goes to benchmarks/results/training.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.pages import write_page
from mlops.pipelines.training_pipeline import TrainingPipeline

OURS, PEER = "ours", "pandas and scikit-learn, written plainly"
ONE_TREE = {"max_iter": 1, "max_leaf_nodes": 4}
DECISION = (
    "Decision: a text is processed once, when it is read. From there to the matrix it is a code, and the "
    "columns of categories are made from codes (scikit-learn's encoder counts and compares cell by cell, "
    "in Python). Intervals, slices and importance use a limited number of rows. Of the rest at a million "
    "rows about two fifths is reading (types, ids and irregular values of every cell) and a sixth the "
    "dense matrix of 64-bit floats for the trees. The remainder is the hash of ids that keeps rows on "
    "their side of the split, scores, intervals and slices. All of it is kept: it shows what the data are "
    "and how good the model is."
)


def write_table(path: Path, rows: int) -> None:
    """Write a CSV of weak signals, with gaps."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"patient_id": [f"P{number:07d}" for number in range(rows)]}
    for number in range(12):
        values = rng.normal(50, 10, rows) if number < 8 else rng.lognormal(2, 1, rows)
        columns[f"number_{number:02d}"] = values.round(3)
    columns["number_02"][rng.random(rows) < 0.02] = np.nan
    levels = [f"level {number}" for number in range(8)]
    for number in range(6):
        columns[f"category_{number}"] = rng.choice(levels, rows, p=np.arange(8, 0, -1) / 36)
    signal = (columns["number_00"] - 50) / 10 + (columns["category_0"] == "level 3")
    columns["target"] = np.where(signal + rng.logistic(size=rows) > 1, "yes", "no")
    pd.DataFrame(columns).to_csv(path, index=False)


def ours(table: Path, folder: Path) -> None:
    """Train by the pipeline."""
    config = {"target": "target", "id_columns": "patient_id", "algorithm": "HistGradientBoosting", **ONE_TREE}
    TrainingPipeline(config).execute(table, folder)


def peer(table: Path, folder: Path) -> None:
    """Train as most people would."""
    frame = pd.read_csv(table).drop_duplicates()
    frame.isna().mean()
    features, target = frame.drop(columns=["patient_id", "target"]), frame["target"] == "yes"
    train, test, y_train, y_test = train_test_split(features, target, stratify=target, random_state=0)
    numbers = list(features.select_dtypes("number"))
    texts = [name for name in features if name not in numbers]
    model = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
        ),
        HistGradientBoostingClassifier(**ONE_TREE, early_stopping=False),
    )
    model.fit(train, y_train)
    probability = model.predict_proba(test)[:, 1]
    for score in (metrics.roc_auc_score, metrics.average_precision_score, metrics.log_loss):
        score(y_test, probability)
    metrics.classification_report(y_test, probability > 0.5, zero_division=0.0)
    baseline = {
        "numbers": train[numbers].describe().to_dict(),
        "histograms": {name: np.histogram(train[name].dropna(), bins=20)[0].tolist() for name in numbers},
        "levels": {name: train[name].value_counts(normalize=True).to_dict() for name in texts},
        "correlations": train[numbers].corr().to_dict(),
    }
    (folder / "baseline.json").write_text(json.dumps(baseline))
    joblib.dump(model, folder / "model.joblib")


SIDES: dict[str, Callable[[Path, Path], None]] = {OURS: ours, PEER: peer}


def run(side: str, table: Path) -> dict[str, float]:
    """Run one side in a process of its own; return CPU seconds without imports, and the peak of memory."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "benchmarks.training",
        "--side",
        side,
        "--table",
        str(table),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def run_side(side: str, table: Path) -> None:
    """Print what one side costs on this table, after a small one has brought all imports."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.csv"
        write_table(small, 2_000)
        for place in ("first", "second"):
            (Path(folder) / place).mkdir()
        SIDES[side](small, Path(folder) / "first")
        fits = time_fits()
        start = time.process_time()
        SIDES[side](table, Path(folder) / "second")
        seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"around": seconds - sum(fits), "fit": sum(fits), "peak_mb": peak}))


def time_fits() -> list[float]:
    """Return a list that gets the CPU seconds of every fit of a tree from now on."""
    seconds: list[float] = []
    fit = HistGradientBoostingClassifier.fit

    def timed(self: Any, *args: Any, **options: Any) -> Any:
        start = time.process_time()
        fitted = fit(self, *args, **options)
        seconds.append(time.process_time() - start)
        return fitted

    HistGradientBoostingClassifier.fit = timed
    return seconds


def compare(rows: int, repeats: int) -> list[str]:
    """Run both sides on a table of so many rows and return its lines of the result."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "train.csv"
        write_table(table, rows)
        runs = {side: [run(side, table) for _ in range(repeats)] for side in SIDES}
    medians = {
        side: {name: statistics.median(one[name] for one in of_side) for name in of_side[0]}
        for side, of_side in runs.items()
    }
    lines = []
    for side, median in medians.items():
        around = sorted(one["around"] for one in runs[side])
        lines.append(
            f"| {rows:,} | {side} | {median['around']:.1f} ({around[0]:.1f} to {around[-1]:.1f}) "
            f"| {median['fit']:.1f} | {median['peak_mb']:,.0f} "
            f"| {medians[PEER]['around'] / median['around']:.2f} |"
        )
    return lines


def render(lines: list[str], repeats: int) -> str:
    """Return the whole result."""
    head = [
        "# Training: the work around the fit",
        "",
        f"20 columns of CSV, one small tree, CPU seconds, medians of {repeats} runs (min to max); "
        f"{platform.machine()}, {os.cpu_count()} cores in use by others, Python {platform.python_version()}.",
        "",
        "| rows | | around the fit | fits | peak MB | peer's time around the fit by this one's |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *lines, "", DECISION, ""])


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--table", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        run_side(arguments.side, arguments.table)
        return
    lines = [line for rows in arguments.rows for line in compare(rows, arguments.repeats)]
    text = render(lines, arguments.repeats)
    print(text)
    write_page("training", text)


if __name__ == "__main__":
    main()
