"""Question: what does a second core do for a training, by the clock and in CPU seconds?

    python -m benchmarks cores -- [--jobs 1 2] [--only NAME ...] [--repeats 3] [--scale 1.0]

The table is that of benchmarks/training.py. Each training is a process of its own, `n_jobs` in turn; the time
is that of `TrainingPipeline.execute`, CPU seconds are those of all threads (user and system). The scores must
be the same. The table goes to benchmarks/results/cores.md.
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
import time
from pathlib import Path
from typing import Any

from benchmarks.pages import write_page
from mlops.pipelines.training_pipeline import TrainingPipeline

# name: rows, settings
TRAININGS: dict[str, tuple[int, dict[str, Any]]] = {
    "chosen by default": (100_000, {}),
    "search of 12 trials": (20_000, {"algorithm": "XGBoost", "search": {"trials": 12}}),
    "XGBoost, 200 trees": (200_000, {"algorithm": "XGBoost", "n_estimators": 200, "max_depth": 6}),
}
DECISION = (
    "Decision: contenders and trials of a fold are fitted at the same time, each on its share of the cores; "
    "threads within a fit are for more than 2 million cells. Waiting threads sleep: with OpenMP's own way, "
    "which lets them spin, fits of XGBoost with two threads took up to 25 times the CPU on a busy machine."
)


def train(name: str, table: Path, n_jobs: int) -> dict[str, float]:
    """Train in this process; return seconds by the clock, CPU seconds, and the area under the curve."""
    config = {"target": "target", "id_columns": "patient_id", **TRAININGS[name][1]}
    with tempfile.TemporaryDirectory() as folder:
        clock, cpu = time.perf_counter(), time.process_time()
        result = TrainingPipeline(config, n_jobs=n_jobs).execute(table, folder)
        seconds = {"clock": time.perf_counter() - clock, "cpu": time.process_time() - cpu}
    return {**seconds, "auc": float(result.metrics.roc_auc or 0.0)}


def run(name: str, table: Path, n_jobs: int) -> dict[str, float]:
    """Train in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.cores", "--only", name]
    command += ["--jobs", str(n_jobs), "--table", str(table)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def compare(name: str, jobs: list[int], repeats: int, scale: float) -> list[str]:
    """Return the lines of one training in the table, the numbers of cores in turn."""
    from benchmarks.training import write_table  # noqa: PLC0415  loads XGBoost, too early for a training

    rows = int(TRAININGS[name][0] * scale)
    runs: dict[int, list[dict[str, float]]] = {n_jobs: [] for n_jobs in jobs}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "train.csv"
        write_table(table, rows)
        for _ in range(repeats):
            for n_jobs, measured in runs.items():
                measured.append(run(name, table, n_jobs))
                print(name, n_jobs, measured[-1], os.getloadavg()[0], file=sys.stderr, flush=True)
    if len({each["auc"] for measured in runs.values() for each in measured}) > 1:
        raise RuntimeError(f"The scores of {name} depend on the number of cores.")
    return [
        f"| {name}, {rows:,} rows | {n_jobs} | {_median(measured, 'clock')} | {_median(measured, 'cpu')} |"
        for n_jobs, measured in runs.items()
    ]


def _median(measured: list[dict[str, float]], key: str) -> str:
    values = [each[key] for each in measured]
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def main() -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+", choices=list(TRAININGS), default=list(TRAININGS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="times the number of rows")
    parser.add_argument("--table", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.table:
        print(json.dumps(train(arguments.only[0], arguments.table, arguments.jobs[0])))
        return
    before = os.getloadavg()[0]
    lines = [
        line
        for name in arguments.only
        for line in compare(name, arguments.jobs, arguments.repeats, arguments.scale)
    ]
    head = [
        "# Trainings on several cores\n",
        f"20 columns of CSV, medians of {arguments.repeats} runs in turn (least to most); "
        f"{platform.machine()},"
        f" {os.cpu_count()} cores that others used too, with loads of {before:.0f} before and "
        f"{os.getloadavg()[0]:.0f} after: the clock says little.\n",
        "| training | cores | s by the clock | CPU s |",
        "|---|---|---|---|",
    ]
    text = "\n".join([*head, *lines, "", DECISION, ""])
    print(text)
    write_page("cores", text)


if __name__ == "__main__":
    main()
