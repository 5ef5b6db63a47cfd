"""Question: what does a whole training cost, beside a script that fits the same model once?

    python -m benchmarks whole_trainings -- [--only NAME ...] [--repeats 3] [--scale 1.0]

The table is that of benchmarks/training.py. The script is what a person writes in an hour: pandas, a
ColumnTransformer, one fit, scores of held-out rows, describe and histograms as a baseline, joblib; beside the
default choice of an algorithm it fits a linear model and HistGradientBoosting, and keeps the better one. Ours
does more in each: dialect and types, a threshold or calibration out of fold, intervals, slices, importance,
leaks, reasons, the model card. Whole processes with their imports, CPU seconds (user and system), one thread.
The table goes to benchmarks/results/whole_trainings.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
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
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from benchmarks.pages import write_page
from benchmarks.small_work_candidates import peak_mb
from benchmarks.training import write_table
from mlops.pipelines.training_pipeline import TrainingPipeline

OURS, SCRIPT = "ours", "script"
TREES: dict[str, Any] = {"n_estimators": 200, "max_depth": 6}
DECISION = (
    "The held-out rows of the two sides are not the same: of 100,000 rows their areas differ by about 0.003 "
    "by chance, and settings that are not stated are the defaults of each side, as the learning rate of "
    "XGBoost. Decision: what a model needs beside the last fit (a threshold, calibration, the choice of an "
    "algorithm) comes from folds of at most a fifth of many rows. The rest of the difference is imports, "
    "reading with all checks, intervals, slices, and the keys by which rows are recognised later."
)


type Models = Callable[[], list[Any]]

# name: rows, our settings, the models of the script
TRAININGS: dict[str, tuple[int, dict[str, Any], Models]] = {
    "LogisticRegression": (
        1_000_000,
        {"algorithm": "LogisticRegression"},
        lambda: [LogisticRegression(max_iter=1000)],
    ),
    "XGBoost, 200 trees": (
        200_000,
        {"algorithm": "XGBoost", **TREES},
        lambda: [XGBClassifier(**TREES, tree_method="hist", n_jobs=1)],
    ),
    "chosen by default": (
        100_000,
        {},
        lambda: [LogisticRegression(max_iter=1000), HistGradientBoostingClassifier()],
    ),
}


def ours(name: str, table: Path, folder: Path) -> float:
    """Train by the pipeline; return the area under the curve on its held-out rows."""
    config = {"target": "target", "id_columns": "patient_id", **TRAININGS[name][1]}
    result = TrainingPipeline(config).execute(table, folder)
    return float(result.metrics.roc_auc or np.nan)


def script(name: str, table: Path, folder: Path) -> float:
    """Train as most people would; return the area under the curve on held-out rows."""
    frame = pd.read_csv(table).drop_duplicates()
    features, target = frame.drop(columns=["patient_id", "target"]), frame["target"] == "yes"
    train, test, y_train, y_test = train_test_split(
        features, target, test_size=0.2, stratify=target, random_state=0
    )
    numbers = list(features.select_dtypes("number"))
    texts = [name for name in features if name not in numbers]
    fitted = []
    for model in TRAININGS[name][2]():
        pipeline = make_pipeline(
            make_column_transformer(
                (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
            ),
            model,
        ).fit(train, y_train)
        probability = pipeline.predict_proba(test)[:, 1]
        for score in (metrics.average_precision_score, metrics.log_loss):
            score(y_test, probability)
        fitted.append((metrics.roc_auc_score(y_test, probability), pipeline))
    baseline = {
        "numbers": train[numbers].describe().to_dict(),
        "histograms": {name: np.histogram(train[name].dropna(), bins=20)[0].tolist() for name in numbers},
        "levels": {name: train[name].value_counts(normalize=True).to_dict() for name in texts},
    }
    (folder / "baseline.json").write_text(json.dumps(baseline))
    quality, best = max(fitted, key=lambda each: each[0])
    joblib.dump(best, folder / "model.joblib")
    return float(quality)


SIDES: dict[str, Callable[[str, Path, Path], float]] = {OURS: ours, SCRIPT: script}


def run(side: str, name: str, table: Path) -> dict[str, float]:
    """Run one training in a process of its own; return what the whole process used."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.whole_trainings", "--side", side]
    command += ["--only", name, "--table", str(table)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{side} of {name} ended with status {status}.")
    result: dict[str, float] = json.loads(output.splitlines()[-1])
    return {"cpu": usage.ru_utime + usage.ru_stime, **result}


def compare(name: str, repeats: int, scale: float) -> list[str]:
    """Return the lines of one training in the table, ours and the script in turn."""
    rows = int(TRAININGS[name][0] * scale)
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "train.csv"
        write_table(table, rows)
        for _ in range(repeats):
            for side, results in runs.items():
                results.append(run(side, name, table))
                print(name, side, results[-1], file=sys.stderr, flush=True)
    medians = {
        side: {key: statistics.median(each[key] for each in results) for key in results[0]}
        for side, results in runs.items()
    }
    of_script = medians[SCRIPT]["cpu"]
    return [
        f"| {name}, {rows:,} rows | {side} | {median['cpu']:.1f} | {median['cpu'] / of_script:.2f} "
        f"| {median['peak_mb']:,.0f} | {median['auc']:.4f} |"
        for side, median in medians.items()
    ]


def render(lines: list[str], repeats: int) -> str:
    """Return the whole result."""
    measured = "one run of each" if repeats == 1 else f"medians of {repeats} runs"
    head = [
        "# Whole trainings, beside a script that fits once",
        "",
        f"20 columns of CSV, whole processes with imports, one thread, {measured}; "
        f"{platform.machine()}, {os.cpu_count()} cores in use by others, Python {platform.python_version()}.",
        "",
        "| training | | CPU s | times the script | peak MB | ROC AUC |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *lines, "", DECISION, ""])


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(TRAININGS), default=list(TRAININGS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="times the number of rows")
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--table", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        with tempfile.TemporaryDirectory() as folder:
            quality = SIDES[arguments.side](arguments.only[0], arguments.table, Path(folder))
        print(json.dumps({"auc": quality, "peak_mb": peak_mb()}))
        return
    lines = [line for name in arguments.only for line in compare(name, arguments.repeats, arguments.scale)]
    text = render(lines, arguments.repeats)
    print(text)
    write_page("whole_trainings", text)


if __name__ == "__main__":
    main()
