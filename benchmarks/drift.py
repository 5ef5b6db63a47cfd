"""Drift detection, side by side with what others use.

Question: on 18 features, what does our detector cost and find, against Evidently's preset and a pandas loop?

    python -m benchmarks drift -- [--rows 1000000] [--repeats 3]

Every candidate runs in a process of its own, alternating, on the same two frames: five columns of the second
have drifted, the rest has not. Peers are installed from PyPI into .local/benchmarks/. Medians count.
The table goes to benchmarks/results/drift.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pages import write_page
from benchmarks.peers import FILES, python_with

REPOSITORY = Path(__file__).resolve().parents[1]
PEERS = {"Evidently preset": ("evidently==0.7.21", "pandas==2.2.3")}
OURS = "ours, stored baseline"
ATTEMPTS = 5  # the pyarrow that a peer brings along crashes now and then while it is imported
LEVELS = 8
DRIFTED = ("category_0", "category_1", "number_00", "number_01", "number_02")


def main() -> None:
    arguments = parse()
    FILES.mkdir(parents=True, exist_ok=True)
    data = FILES / f"drift-{arguments.rows}.npz"
    write_data(data, arguments.rows)
    candidates = [OURS, "ours, both frames", "pandas loop", *PEERS]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in candidates}
    for _ in range(arguments.repeats):
        for name in candidates:
            runs[name].append(run(name, data))
    table = render(runs, arguments.rows)
    print(table)
    write_page("drift", table)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows on each side")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each candidate")
    return parser.parse_args()


def write_data(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    sides = {"r": columns(rng, rows), "c": columns(rng, rows)}
    drift(sides["c"], rng)
    arrays = {f"{side}/{name}": values for side, held in sides.items() for name, values in held.items()}
    np.savez(path, **arrays)  # type: ignore[arg-type]


def columns(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Twelve numbers (normal, skewed, counts, mostly zero, partly missing) and six categories."""
    numbers: dict[str, np.ndarray] = {f"number_{index:02d}": rng.normal(50, 10, rows) for index in range(6)}
    numbers |= {f"number_{index:02d}": rng.lognormal(2, 1, rows) for index in range(6, 8)}
    numbers |= {f"number_{index:02d}": rng.integers(0, 100, rows) for index in range(8, 10)}
    numbers["number_10"] = rng.poisson(2, rows)
    numbers["number_11"] = np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(5, rows))
    numbers["number_02"][rng.random(rows) < 0.02] = np.nan
    shares = np.arange(LEVELS, 0, -1) / np.arange(LEVELS + 1).sum()
    categories = {f"category_{i}": rng.choice(LEVELS, rows, p=shares).astype(np.int8) for i in range(6)}
    return {**numbers, **categories}


def drift(current: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """A shift, a spread, a rise of missing values, a level that doubles, two levels that swap."""
    current["number_00"] += 5.0
    current["number_01"] = 50 + (current["number_01"] - 50) * 1.5
    current["number_02"][rng.random(len(current["number_02"])) < 0.10] = np.nan
    current["category_0"][rng.random(len(current["category_0"])) < 0.2] = LEVELS - 1
    first, last = current["category_1"] == 0, current["category_1"] == LEVELS - 1
    current["category_1"][first], current["category_1"][last] = LEVELS - 1, 0


def run(name: str, data: Path) -> dict[str, Any]:
    script = str(Path(__file__).with_name("drift_candidates.py"))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
    command = [str(python_for(name)), "-W", "ignore", script, name, str(data)]
    for _ in range(ATTEMPTS):
        done = subprocess.run(command, env=environment, check=False, stdout=subprocess.PIPE, text=True)
        if done.returncode >= 0:
            break
        print(f"{name} ended with signal {-done.returncode}; once more", file=sys.stderr)
    done.check_returncode()
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def python_for(name: str) -> Path:
    """Return the interpreter with that peer; ours for our own candidates."""
    own = Path(sys.executable)
    return python_with(PEERS[name], name.split(maxsplit=1)[0].lower()) if name in PEERS else own


def render(runs: dict[str, list[dict[str, Any]]], rows: int) -> str:
    ours = statistics.median(each["cpu_seconds"] for each in runs[OURS])
    lines = [
        "# Drift: cost and findings",
        "",
        f"{rows:,} rows against {rows:,}, 18 features of which 5 drifted, frames in memory. "
        f"Medians of {len(runs[OURS])} runs, one process each.",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
        "| candidate | CPU s (min to max) | times ours | extra MB | found of 5 | false of 13 |",
        "|---|---|---|---|---|---|",
    ]
    for name, results in runs.items():
        seconds = sorted(each["cpu_seconds"] for each in results)
        median = statistics.median(seconds)
        drifted = set(results[0]["drifted"])
        lines.append(
            f"| {name} | {median:.3f} ({seconds[0]:.3f} to {seconds[-1]:.3f}) | {median / ours:.1f} "
            f"| {statistics.median(each['extra_mb'] for each in results):.0f} "
            f"| {len(drifted & set(DRIFTED))} | {len(drifted - set(DRIFTED))} |"
        )
    decision = (
        "Decision: count in the bins of the stored baseline, compute every statistic from the counts, and "
        "never read the training rows again."
    )
    return "\n".join([*lines, "", decision, ""])


if __name__ == "__main__":
    main()
