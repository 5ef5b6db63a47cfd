"""Question: what does a training cost around the fit: reading, splitting, evaluating, baseline, saving?

    python -m benchmarks training -- [--rows 1000000] [--repeats 3]

The table is like one of adherence: an id, twelve numbers, six categories, a target. Both sides fit the same
single small tree of HistGradientBoosting, so that nearly all of the time is what lies around a fit (ours fits
it twice: once out of fold, for the threshold). The peer is what a person writes in an hour: pandas, a
ColumnTransformer, scores, describe and histograms as a baseline, joblib. Ours does more: dialect and types,
intervals, slices, importance, leaks, the model card. CPU seconds, one process per run, one thread, without
imports. The table goes to benchmarks/results/training.md.
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

from mlops.pipelines.training_pipeline import TrainingPipeline

OURS, PEER = "ours", "pandas and scikit-learn, written plainly"
ONE_TREE = {"max_iter": 1, "max_leaf_nodes": 4}
DECISION = (
    "Decision: intervals, slices and importance look at a bounded number of rows (they were most of it), and "
    "the preprocessing is fitted to at most 100,000; what is left is reading in pieces and counting levels."
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
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run_side(side: str, table: Path) -> None:
    """Print what one side costs on this table, after a small one has brought all imports."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.csv"
        write_table(small, 2_000)
        for place in ("first", "second"):
            (Path(folder) / place).mkdir()
        SIDES[side](small, Path(folder) / "first")
        start = time.process_time()
        SIDES[side](table, Path(folder) / "second")
        seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_seconds": seconds, "peak_mb": peak}))


def render(runs: dict[str, list[dict[str, float]]], rows: int) -> str:
    """Return the table with the ratio."""
    lines = [
        "# Training: the work around the fit",
        "",
        f"{rows:,} rows x 20 columns of CSV, one small tree, medians of {len(runs[OURS])} runs; "
        f"{platform.machine()}, {os.cpu_count()} cores in use by others, Python {platform.python_version()}.",
        "",
        "| | CPU s (least to most) | peak MB |",
        "|---|---|---|",
    ]
    medians = {}
    for side, results in runs.items():
        seconds = sorted(each["cpu_seconds"] for each in results)
        medians[side] = statistics.median(seconds)
        peak = statistics.median(each["peak_mb"] for each in results)
        lines.append(
            f"| {side} | {medians[side]:.1f} ({seconds[0]:.1f} to {seconds[-1]:.1f}) | {peak:,.0f} |"
        )
    ratio = medians[PEER] / medians[OURS]
    return "\n".join([*lines, "", f"The peer takes {ratio:.2f} times as long as ours.", "", DECISION, ""])


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--table", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        run_side(arguments.side, arguments.table)
        return
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "train.csv"
        write_table(table, arguments.rows)
        runs = {side: [run(side, table) for _ in range(arguments.repeats)] for side in SIDES}
    text = render(runs, arguments.rows)
    print(text)
    (Path(__file__).parent / "results" / "training.md").write_text(text)


if __name__ == "__main__":
    main()
