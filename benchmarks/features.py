"""Features as of a time, side by side with what others use.

Question: reading three feature views as of a time, what does our store cost, against Feast and pandas?

    .venv/bin/python -m benchmarks.features [--rows 1000000] [--repeats 3]

Every candidate runs in a process of its own, alternating, from Parquet files to one Parquet file. The
values of ours are in its store, those of the others in one file for each view. Results are compared row by
row. Peers are installed from PyPI into .local/benchmarks/. Medians count. The table goes to
benchmarks/results/features.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.features_candidates import FEATURES, VIEWS, result_of
from mlops.context.files import FilesContext
from mlops.feature_store.definitions.definition_file import read_definitions

REPOSITORY = Path(__file__).resolve().parents[1]
ENVIRONMENTS = REPOSITORY / ".local" / "benchmarks"
PEERS = ("pandas merge_asof", "Feast, file store")
FEAST = "feast==0.67.0"
UV = str(Path(sys.executable).with_name("uv"))
OURS = "ours"
DAYS = 90
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
    parser.add_argument("--rows", type=int, default=1_000_000, help="entity rows, and rows of each view")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each candidate")
    arguments = parser.parse_args()
    folder = ENVIRONMENTS / f"features-{arguments.rows}"
    folder.mkdir(parents=True, exist_ok=True)
    ingestion_seconds = prepare(folder, arguments.rows)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in (OURS, *PEERS)}
    for _ in range(arguments.repeats):
        for name, results in runs.items():
            results.append(run(name, folder))
            print(name, results[-1], file=sys.stderr)
    table = render(runs, arguments.rows, folder, ingestion_seconds)
    print(table)
    (REPOSITORY / "benchmarks" / "results" / "features.md").write_text(table)


def prepare(folder: Path, rows: int) -> float | None:
    """Write the files and fill our store, once; return the CPU seconds of ingesting a million rows."""
    if (folder / "feature-store").exists():
        return None
    write_data(folder, rows)
    definitions = folder / "features.toml"
    definitions.write_text(DEFINITIONS + "".join(VIEW.format(name=name) for name in VIEWS))
    store = FilesContext(folder).features
    store.apply(read_definitions(definitions))
    start = cpu_seconds()
    for name in VIEWS:
        store.ingest(name, folder / f"{name}.parquet")
    return (cpu_seconds() - start) / (len(VIEWS) * rows) * 1_000_000


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


def run(name: str, folder: Path) -> dict[str, Any]:
    script = str(Path(__file__).with_name("features_candidates.py"))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "FEAST_USAGE": "False"}
    command = [str(python_for(name)), "-W", "ignore", script, name, str(folder)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def python_for(name: str) -> Path:
    """Return the interpreter with the peers, making their environment on first use."""
    if name not in PEERS:
        return Path(sys.executable)
    folder = ENVIRONMENTS / "feast"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        packages = [FEAST, f"duckdb=={duckdb.__version__}"]
        subprocess.run([UV, "pip", "install", "--quiet", "--python", str(python), *packages], check=True)
    return python


def render(
    runs: dict[str, list[dict[str, Any]]], rows: int, folder: Path, ingestion_seconds: float | None
) -> str:
    ours = statistics.median(each["cpu_seconds"] for each in runs[OURS])
    lines = [
        "# Features as of a time: cost and result",
        "",
        f"{rows:,} entity rows, three views of {rows:,} rows with three features, {max(1, rows // 20):,} "
        f"entities, {DAYS} days, ttl 30 days.",
        f"Medians of {len(runs[OURS])} runs, one process each, imports included.",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
        "| candidate | CPU s (min to max) | times ours | peak MB | entity rows | of these equal to ours |",
        "|---|---|---|---|---|---|",
    ]
    for name, results in runs.items():
        seconds = sorted(each["cpu_seconds"] for each in results)
        median = statistics.median(seconds)
        n_rows, n_equal = compare(folder, name)
        lines.append(
            f"| {name} | {median:.1f} ({seconds[0]:.1f} to {seconds[-1]:.1f}) | {median / ours:.1f} "
            f"| {statistics.median(each['peak_mb'] for each in results):,.0f} | {n_rows:,} | {n_equal:,} |"
        )
    if ingestion_seconds is not None:
        lines += ["", f"Ingestion into our store: {ingestion_seconds:.1f} CPU s for a million rows."]
    decision = "Decision: DuckDB's ASOF join over one number, made of the time and the created time."
    return "\n".join([*lines, "", decision, ""])


def compare(folder: Path, name: str) -> tuple[int, int]:
    """Return how many entity rows a result has, and in how many of them all values are those of ours."""
    same = " AND ".join(f"ours.{each} IS NOT DISTINCT FROM other.{each}" for each in FEATURES)
    tables = (
        f"'{result_of(folder, name)}' AS other LEFT JOIN '{result_of(folder, OURS)}' AS ours USING (label)"
    )
    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as connection:
        row = connection.sql(f"SELECT count(*), count(*) FILTER ({same}) FROM {tables}").fetchall()[0]
    return int(row[0]), int(row[1])


if __name__ == "__main__":
    main()
