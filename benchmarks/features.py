"""Features as of a time, side by side with what others use.

Question: reading three feature views as of a time, what does our store cost, against Feast and pandas?

    python -m benchmarks features -- [--rows 1000000 10000000] [--repeats 3] [--memory-gb 12]

Every candidate runs in a process of its own, alternating, from Parquet files to one Parquet file. The
values of ours are in its store, those of the others in one file for each view. Results are compared row by
row. A process with more memory than the limit is stopped. Peers are installed from PyPI into
.local/benchmarks/. Medians count. The tables go to benchmarks/results/features.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.features_candidates import FEATURES, VIEWS, result_of
from benchmarks.features_differences import explain
from benchmarks.pages import write_page
from benchmarks.peers import FILES, python_with
from mlops.context.files import FilesContext
from mlops.feature_store.definitions.definition_file import read_definitions

REPOSITORY = Path(__file__).resolve().parents[1]
FEAST_STORE = "Feast, file store"
PEERS = ("pandas merge_asof", FEAST_STORE)
FEAST = "feast==0.67.0"
OURS = "ours"
DAYS = 90
DECISION = (
    "\nDecision: DuckDB's ASOF join over one number, made of the time and the created time; "
    "in parts of the same keys."
)
DEFINITIONS = """
[[entity]]
name = "customer"
join_keys = ["customer_id"]
value_type = "Int64"
"""
VIEW = """
[[feature_view]]
name = "{name}"
entities = ["customer"]
ttl_seconds = 2592000
schema = {{{name}_a = "Float64", {name}_b = "Float64", {name}_c = "Int64"}}
source = {{timestamp_field = "event_timestamp", created_timestamp_column = "created"}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[1_000_000, 10_000_000], help="entity rows, and rows of a view"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs of each candidate")
    parser.add_argument("--memory-gb", type=float, default=12.0, help="a candidate is stopped above it")
    arguments = parser.parse_args()
    sections = [measure(rows, arguments.repeats, arguments.memory_gb) for rows in arguments.rows]
    page = "\n".join([header(arguments.repeats), *sections, DECISION, ""])
    print(page)
    write_page("features", page)


def measure(rows: int, repeats: int, memory_gb: float) -> str:
    """Run all candidates on files of one size; return their section of the page."""
    folder = FILES / f"features-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    ingestion = prepare(folder, rows)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in (OURS, *PEERS)}
    for _ in range(repeats):
        for name, results in runs.items():
            if results and results[-1]["is_stopped"]:
                continue
            results.append(run(name, folder, memory_gb))
            print(rows, name, results[-1], file=sys.stderr)
    return render(runs, rows, folder, ingestion, memory_gb)


def prepare(folder: Path, rows: int) -> float:
    """Write the files and fill our store, once; return the CPU seconds of ingesting a million rows."""
    measured = folder / "ingestion.json"
    if measured.exists():
        return float(json.loads(measured.read_text()))
    write_data(folder, rows)
    definitions = folder / "features.toml"
    definitions.write_text(DEFINITIONS + "".join(VIEW.format(name=name) for name in VIEWS))
    store = FilesContext(folder).features
    store.apply(read_definitions(definitions))
    start = cpu_seconds()
    for name in VIEWS:
        store.ingest(name, folder / f"{name}.parquet")
    seconds = (cpu_seconds() - start) / (len(VIEWS) * rows) * 1_000_000
    measured.write_text(json.dumps(seconds))
    return seconds


def write_data(folder: Path, rows: int) -> None:
    """Write entity rows, and values with ties of their time, corrections, and missing values."""
    newest = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    minutes = f"INTERVAL 1 MINUTE * floor(random() * {DAYS} * 1440)"
    moment = f"TIMESTAMPTZ '{newest}' - INTERVAL '{DAYS} days' + {minutes} AS event_timestamp"
    customer = f"CAST(floor(random() * {max(1, rows // 20)}) AS BIGINT) AS customer_id"
    with duckdb.connect(config={"threads": 1, "temp_directory": str(folder / "spill")}) as connection:
        connection.execute("SELECT setseed(0.5)")
        entities = f"SELECT {customer}, {moment}, range AS label FROM range({rows})"
        connection.execute(f"COPY ({entities}) TO '{folder / 'entities.parquet'}'")
        for name in VIEWS:
            a, b, c = (f"{name}_{letter}" for letter in "abc")
            values = f"CASE WHEN random() > 0.1 THEN random() END AS {a}, random() AS {b}, range AS {c}"
            drawn = f"SELECT {customer}, {moment}, {values} FROM range({rows})"
            created = f"event_timestamp + INTERVAL 1 SECOND * (1 + {c} % 3000) AS created"
            unique = "DISTINCT ON (customer_id, event_timestamp, created) *"
            query = f"SELECT {unique} FROM (SELECT *, {created} FROM ({drawn})) ORDER BY created"
            connection.execute(f"COPY ({query}) TO '{folder / name}.parquet'")


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def run(name: str, folder: Path, memory_gb: float) -> dict[str, Any]:
    """Run a candidate; return its cost, or that it was stopped at the limit of memory."""
    script = str(Path(__file__).with_name("features_candidates.py"))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "FEAST_USAGE": "False"}
    command = [str(python_for(name)), "-W", "ignore", script, name, str(folder)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            if memory_of(process.pid) > memory_gb * 2**30:
                process.kill()
                return {"is_stopped": True}
            time.sleep(0.2)
        output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{name} failed")
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return {**result, "is_stopped": False}


def memory_of(pid: int) -> int:
    """Return the resident bytes of a process; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def python_for(name: str) -> Path:
    """Return the interpreter with the peers; ours for our own candidate."""
    own = Path(sys.executable)
    return python_with([FEAST, f"duckdb=={duckdb.__version__}"], "feast") if name in PEERS else own


def header(repeats: int) -> str:
    return (
        "# Features as of a time: cost and result\n\n"
        "Entity rows and three views of as many rows, with three features each, 20 rows for an entity, "
        f"{DAYS} days, ttl 30 days.\nMedians of {repeats} runs, one process each, imports included. "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."
    )


def render(
    runs: dict[str, list[dict[str, Any]]], rows: int, folder: Path, ingestion: float, memory_gb: float
) -> str:
    ours = statistics.median(each["cpu_seconds"] for each in runs[OURS])
    lines = [
        "",
        f"## {rows:,} entity rows",
        "",
        "| candidate | CPU s (min to max) | times ours | peak MB | entity rows | of these equal to ours |",
        "|---|---|---|---|---|---|",
    ]
    for name, results in runs.items():
        if results[-1]["is_stopped"]:
            lines.append(f"| {name} | stopped at {memory_gb:g} GB of memory | | | | |")
            continue
        seconds = sorted(each["cpu_seconds"] for each in results)
        median = statistics.median(seconds)
        n_rows, n_equal = compare(folder, name)
        lines.append(
            f"| {name} | {median:.1f} ({seconds[0]:.1f} to {seconds[-1]:.1f}) | {median / ours:.1f} "
            f"| {statistics.median(each['peak_mb'] for each in results):,.0f} | {n_rows:,} | {n_equal:,} |"
        )
    if not runs[FEAST_STORE][-1]["is_stopped"]:
        lines += ["", "How the result of Feast differs:", "", *explain(folder)]
    return "\n".join([*lines, "", f"Ingestion into our store: {ingestion:.1f} CPU s for a million rows."])


def compare(folder: Path, name: str) -> tuple[int, int]:
    """Return how many entity rows a result has, and in how many of them all values are those of ours."""
    same = " AND ".join(f"ours.{each} IS NOT DISTINCT FROM other.{each}" for each in FEATURES)
    tables = (
        f"'{result_of(folder, name)}' AS other LEFT JOIN '{result_of(folder, OURS)}' AS ours USING (label)"
    )
    config: dict[str, Any] = {"threads": 1, "memory_limit": "2GB", "temp_directory": str(folder / "spill")}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        row = connection.sql(f"SELECT count(*), count(*) FILTER ({same}) FROM {tables}").fetchall()[0]
    return int(row[0]), int(row[1])


if __name__ == "__main__":
    main()
