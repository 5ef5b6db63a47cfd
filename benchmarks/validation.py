"""Validation of a CSV file, side by side with what others use.

Questions: what does our whole validation cost and find, against the same few checks in four validators, and
against a typed parse of the file by the parser that they use? Does that change when one row in a hundred is
faulty, which every validator lists?

    python -m benchmarks validation -- [--rows 200000] [--repeats 3]

The file has an id, twelve numbers, six categories and a target, and faults of four kinds. Every candidate
runs in a process of its own, in turn; peers are installed from PyPI into .local/benchmarks/. Ours also does
what the others do not do: digest, encoding and dialect, row repeats, leakage, personal data, profile
and contract. The table goes to benchmarks/results/validation.md.
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
import pandas as pd

from benchmarks.pages import write_page
from benchmarks.peers import FILES, python_with

REPOSITORY = Path(__file__).resolve().parents[1]
PEERS = {
    "pandera": ("pandera[pandas]==0.24.0", "pandas==2.2.3"),
    "pandera on polars": ("pandera[polars]==0.24.0", "polars==1.30.0"),
    "Great Expectations": ("great-expectations==1.24.1", "pandas==2.2.3"),
    "frictionless": ("frictionless==5.21.0",),
}
OURS, LIMIT = "ours", "typed parse alone"
FAULTS_PER_KIND = 100
DECISION = (
    "Decision: the cells of a block are read straight from its bytes, eight at a time. The parser takes "
    "only columns with a cell that is not plain (more than 15 digits, an exponent); a column "
    "with an irregular cell is read as text only in the blocks that contain one. There is one 64-bit key "
    "per id, and rows are compared only where ids repeat. So everything that the others do not do "
    "(digest, encoding and dialect, shape of every record, repeats, leaks, profile, contract) fits into "
    "one and a half times the parse alone. The compiled reader of polars is still cheaper, with twice the "
    "memory."
)


def main() -> None:
    arguments = parse()
    FILES.mkdir(parents=True, exist_ok=True)
    frame = a_frame(arguments.rows)
    frame.to_csv(FILES / "validation-clean.csv", index=False)
    frame.head(1000).to_csv(FILES / "validation-head.csv", index=False)
    faults = (FAULTS_PER_KIND, arguments.rows // 400)
    tables = [compared(frame, n_faults, arguments.repeats) for n_faults in faults]
    page = "\n".join(["# Validation: cost and findings", "", *tables, DECISION, ""])
    print(page)
    write_page("validation", page)


def compared(frame: pd.DataFrame, n_faults: int, repeats: int) -> str:
    """Run every candidate in turn over the same file and return the table."""
    path, clean = FILES / "validation.csv", FILES / "validation-clean.csv"
    with_faults(frame, n_faults).to_csv(path, index=False)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in (OURS, LIMIT, *PEERS)}
    for _ in range(repeats):
        for name, results in runs.items():
            results.append(run(name, clean if name == LIMIT else path))
    return render(runs, len(frame), n_faults)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the file")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each candidate")
    return parser.parse_args()


def a_frame(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"patient_id": [f"P{number:08d}" for number in rng.permutation(rows)]}
    columns |= {f"number_{i:02d}": np.clip(rng.normal(50, 10, rows), 25, 75).round(3) for i in range(12)}
    levels = np.array([f"level {index}" for index in range(8)])
    columns |= {f"category_{index}": levels[rng.integers(0, 8, rows)] for index in range(6)}
    return pd.DataFrame({**columns, "target": rng.integers(0, 2, rows)})


def with_faults(frame: pd.DataFrame, n_faults: int) -> pd.DataFrame:
    """Words among numbers, numbers out of range, unknown levels, repeated ids: so many of each."""
    rng = np.random.default_rng(1)
    places = rng.choice(len(frame) // 2, 4 * n_faults, replace=False).reshape(4, -1)
    places += len(frame) // 2
    faulty = frame.astype({"number_01": object})
    faulty.loc[places[0], "number_01"] = "soon"
    faulty.loc[places[1], "number_02"] = 1e6
    faulty.loc[places[2], "category_0"] = "level x"
    faulty.loc[places[3], "patient_id"] = faulty["patient_id"].to_numpy()[:n_faults]
    return faulty


def run(name: str, path: Path) -> dict[str, Any]:
    script = str(Path(__file__).with_name("validation_candidates.py"))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
    command = [str(python_for(name)), "-W", "ignore", script, name, str(path)]
    done = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def python_for(name: str) -> Path:
    """Return the interpreter with that peer; ours for our own candidates."""
    own = Path(sys.executable)
    return python_with(PEERS[name], name.lower().replace(" ", "-")) if name in PEERS else own


def render(runs: dict[str, list[dict[str, Any]]], rows: int, n_faults: int) -> str:
    ours = statistics.median(each["cpu_seconds"] for each in runs[OURS])
    lines = [
        f"{rows:,} rows x 20 columns with {n_faults:,} faults of each of four kinds (words among "
        "numbers, out of range, unknown levels, repeated ids), reading included.",
        f"Medians of {len(runs[OURS])} runs, one process each. "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
        "| candidate | CPU s (min to max) | times ours | peak MB | what it counted |",
        "|---|---|---|---|---|",
    ]
    for name, results in runs.items():
        seconds = sorted(each["cpu_seconds"] for each in results)
        median = statistics.median(seconds)
        counted = ", ".join(f"{kind} {n}" for kind, n in results[0]["counts"].items() if n) or "-"
        lines.append(
            f"| {name} | {median:.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f}) | {median / ours:.2f} "
            f"| {statistics.median(each['peak_mb'] for each in results):.0f} | {counted} |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
