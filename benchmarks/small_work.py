"""Cost of the pieces of work that no other benchmark measures.

Question: what do a listing, a night, a messy or wordy file, a baseline and the help cost in CPU seconds?

    python -m benchmarks small_work -- [--repeats 3]

Each piece of work runs in a process of its own, in turn, beside a plain parse of the same file or a loop over
the same frame, where there is one. The table goes to benchmarks/results/small_work.md.
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
from pathlib import Path
from typing import Any

from benchmarks.pages import write_page
from benchmarks.small_work_candidates import CANDIDATES

REPOSITORY = Path(__file__).resolve().parents[1]
HELP = "mlops --help, the whole process"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
DECISION = (
    "Decision: the statistics of all features of a batch are computed at once, on tables of counts; only "
    "what the page of a report shows is drawn; the decoder of a record calls nothing for values that stay as "
    "they are; long texts are cut out of the block, and compared with their stripped form before any search "
    "in them; the words of a file that is not UTF-8 are split first, and each distinct one is looked at "
    "once; a baseline reads only the columns that it profiles; plain files are listed by the prefix of their "
    "names; a table of versions takes what it prints from each stored document, without the rest as records; "
    "the changes of all features are described at once; a baseline looks at each column as few times as its "
    "statistics need."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="runs of each piece of work")
    parser.add_argument("--source", type=Path, default=REPOSITORY / "src", help="the library to measure")
    arguments = parser.parse_args()
    names = (HELP, *CANDIDATES)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(arguments.repeats):
        for name, results in runs.items():
            results.append(run(name, arguments.source))
    page = render(runs)
    print(page)
    if arguments.source == REPOSITORY / "src":
        write_page("small_work", page)


def run(name: str, source: Path) -> dict[str, Any]:
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(source)}
    if name == HELP:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "mlops", "--help"]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"cpu_seconds": used, "peak_mb": None}
    script = str(Path(__file__).with_name("small_work_candidates.py"))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-W", "ignore", script, name, folder]
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def render(runs: dict[str, list[dict[str, Any]]]) -> str:
    n_runs = len(runs[HELP])
    measured = "One run of each" if n_runs == 1 else f"Medians of {n_runs} runs"
    lines = [
        "# Small pieces of work: cost",
        "",
        f"{measured} on a shared machine, one process and one thread each, without imports but for the help.",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
        "| work | CPU s (min to max) | peak MB |",
        "|---|---|---|",
    ]
    for name, results in runs.items():
        seconds = sorted(each["cpu_seconds"] for each in results)
        peak = "-" if results[0]["peak_mb"] is None else f"{results[0]['peak_mb']:.0f}"
        spread = f"{statistics.median(seconds):.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f})"
        lines.append(f"| {name} | {spread} | {peak} |")
    return "\n".join([*lines, "", DECISION, ""])


if __name__ == "__main__":
    main()
