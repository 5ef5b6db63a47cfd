"""Question: what does it cost to score a CSV into a CSV, against MLflow and a plain script?

    python -m benchmarks scoring -- [--rows 100000 1000000] [--algorithms LogisticRegression] [--repeats 3]

The table is like one of adherence: an id, twelve numbers, six categories, a target. Models are fitted to
30,000 rows. Whole processes in turn, imports and loading of the model included, one thread; CPU seconds are
user and system time. Ours also checks the file, gives each row a status, and writes the profile, the data
quality and the drift report. The peers are the same estimator behind a ColumnTransformer, from MLflow and
from joblib, in an environment of their own. `pandas.read_csv` alone, in chunks of known types and without a
model, is the least that any candidate which reads through pandas needs: its ratio is the largest that can be
reached. The table goes to benchmarks/results/scoring.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import write_page
from benchmarks.peers import python_with
from benchmarks.scoring_candidates import CANDIDATES, SETTINGS
from benchmarks.training import write_table
from mlops.pipelines.training_pipeline import TrainingPipeline

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("mlflow-skinny==3.17.2", "scikit-learn==1.9.0", "pandas==2.2.3", "xgboost-cpu==3.4.1")
OURS, MLFLOW = "ours", "MLflow pyfunc"
TRAINING_ROWS = 30_000
DECISION = (
    "Decision: a file is scored while it is checked, so its cells are parsed once, and predictions are "
    "written a column at a time, as bytes. All blocks but the first have 2 MiB, so that less is done once "
    "for each block. Each distinct text of a block is looked at once, and what was found goes with it to the "
    "predictions. Reading with all checks is half of the work for a linear model; the predictor of XGBoost "
    "is two fifths of it for 200 trees, and the same for all candidates. The plain script, which checks "
    "nothing and writes no report, needs more CPU time, and its memory grows with the file."
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Run:
    """What one process needed."""

    cpu_seconds: float
    peak_mb: float


def main() -> None:
    arguments = parse()
    python = python_with(PACKAGES, "mlflow")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_table(folder / "train.csv", TRAINING_ROWS)
        for algorithm in arguments.algorithms:
            train(algorithm, folder, python)
        lines = heading(arguments.repeats)
        for n_rows in arguments.rows:
            write_table(folder / "score.csv", n_rows)
            for algorithm in arguments.algorithms:
                runs = compared(algorithm, folder, python, arguments.repeats)
                lines += render(f"{algorithm}, {n_rows:,} rows", runs)
                print(*lines[-len(runs) :], sep="\n", flush=True)
    page = "\n".join([*lines, "", DECISION, ""])
    write_page("scoring", page)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000], help="rows of the file")
    parser.add_argument("--algorithms", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--repeats", type=int, default=3, help="runs of each candidate")
    return parser.parse_args()


def train(algorithm: str, folder: Path, python: Path) -> None:
    """Fit both models."""
    config = {"target": "target", "id_columns": "patient_id", "algorithm": algorithm, **SETTINGS[algorithm]}
    TrainingPipeline(config).execute(folder / "train.csv", folder / f"{algorithm}-ours")
    (folder / f"{algorithm}-peers").mkdir()
    start(python, ["fit", algorithm, str(folder / "train.csv"), str(folder / f"{algorithm}-peers")])


def compared(algorithm: str, folder: Path, python: Path, repeats: int) -> dict[str, list[Run]]:
    """Run every candidate in turn over the same file."""
    runs: dict[str, list[Run]] = {name: [] for name in CANDIDATES}
    for _ in range(repeats):
        for name, of_candidate in runs.items():
            is_ours = name == OURS
            model = folder / f"{algorithm}-{'ours' if is_ours else 'peers'}"
            output = folder / ("predictions" if is_ours else "predictions.csv")
            interpreter = Path(sys.executable) if is_ours else python
            of_candidate.append(
                start(interpreter, [name, str(folder / "score.csv"), str(model), str(output)])
            )
    return runs


def start(python: Path, arguments: Sequence[str]) -> Run:
    """Run a candidate as a process of its own."""
    script = str(Path(__file__).with_name("scoring_candidates.py"))
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [str(python), "-W", "ignore", script, *arguments]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Run(usage.ru_utime + usage.ru_stime, int(output.splitlines()[-1]) / 1024)


def heading(repeats: int) -> list[str]:
    return [
        "# Scoring: a CSV into a CSV",
        "",
        f"20 columns; whole processes in turn, medians of {repeats} (smallest to largest), one thread.",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()};"
        f" peers: {', '.join(PACKAGES)}.",
        "",
        "| model and file | candidate | CPU s | MLflow / candidate | peak MB |",
        "|---|---|---|---|---|",
    ]


def render(case: str, runs: dict[str, list[Run]]) -> list[str]:
    of_peer = statistics.median(run.cpu_seconds for run in runs[MLFLOW])
    lines = []
    for name, of_candidate in runs.items():
        seconds = sorted(run.cpu_seconds for run in of_candidate)
        median, peak = statistics.median(seconds), max(run.peak_mb for run in of_candidate)
        spread = f"{median:.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f})"
        lines.append(f"| {case} | {name} | {spread} | {of_peer / median:.2f} | {peak:.0f} |")
    return lines


if __name__ == "__main__":
    main()
