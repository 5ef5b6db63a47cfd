# ruff: noqa: PLC0415  each candidate runs in an environment that has only its own packages
"""One run of one validator over a file; started by validation.py in a process and environment of its own.

Prints CPU seconds, the peak of memory, and the number of faults of each kind. Reading is part of it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

NUMBERS = [f"number_{index:02d}" for index in range(12)]
CATEGORIES = [f"category_{index}" for index in range(6)]
LEVELS = [f"level {index}" for index in range(8)]
LOW, HIGH = 0.0, 100.0
type Counts = dict[str, int]


def ours(path: Path) -> Counts:
    from mlops.dataset.validation.validate import validate
    from mlops.models.dataset import ColumnContract, Contract

    columns = [ColumnContract("patient_id", "text", "id", is_unique=True)]
    columns += [ColumnContract(n, "number", "feature", minimum=25.0, maximum=75.0) for n in NUMBERS]
    columns += [ColumnContract(n, "category", "feature", levels=tuple(LEVELS)) for n in CATEGORIES]
    columns += [ColumnContract("target", "integer", "target", minimum=0, maximum=1)]
    report = validate(path, {"target": "target"}, Contract(tuple(columns), "target"))
    counts: Counts = {}
    for finding in report.findings:
        counts[finding.rule_id] = counts.get(finding.rule_id, 0) + (finding.count or 0)
    names = {"type_mismatch": "words", "out_of_range": "outside", "unseen_levels": "unknown levels"}
    return {names.get(rule, rule): count for rule, count in counts.items()}


def typed_parse(path: Path) -> Counts:
    import pandas as pd

    types = {"patient_id": "str", **dict.fromkeys(CATEGORIES, "category"), "target": "int8"}
    for _ in pd.read_csv(path, dtype=types, chunksize=50_000, low_memory=False):
        pass
    return {}


def pandera(path: Path) -> Counts:
    import pandas as pd
    import pandera.pandas as pa

    columns = {name: pa.Column(float, pa.Check.in_range(LOW, HIGH), coerce=True) for name in NUMBERS}
    columns |= {name: pa.Column(str, pa.Check.isin(LEVELS)) for name in CATEGORIES}
    columns |= {"patient_id": pa.Column(str, unique=True), "target": pa.Column(int)}
    try:
        pa.DataFrameSchema(columns).validate(pd.read_csv(path, low_memory=False), lazy=True)
    except pa.errors.SchemaErrors as errors:
        return by_kind(errors.failure_cases["check"].value_counts().items())
    return {}


def pandera_on_polars(path: Path) -> Counts:
    import pandera.polars as pa
    import polars as pl

    columns = {name: pa.Column(float, pa.Check.in_range(LOW, HIGH), coerce=True) for name in NUMBERS}
    columns |= {name: pa.Column(str, pa.Check.isin(LEVELS)) for name in CATEGORIES}
    columns |= {"patient_id": pa.Column(str, unique=True), "target": pa.Column(int)}
    try:
        pa.DataFrameSchema(columns).validate(pl.read_csv(path, infer_schema_length=None), lazy=True)
    except pa.errors.SchemaErrors as errors:
        counts = errors.failure_cases["check"].value_counts()
        return by_kind(counts.iter_rows())
    return {}


def by_kind(checks: Iterable[tuple[Any, int]]) -> Counts:
    """Add up the failures of the checks of one kind, whatever their parameters."""
    counts: Counts = {}
    for check, n in checks:
        kind = str(check).split("(")[0]
        counts[kind] = counts.get(kind, 0) + int(n)
    return counts


def great_expectations(path: Path) -> Counts:
    import great_expectations as gx
    import pandas as pd
    from great_expectations import expectations as gxe

    frame = pd.read_csv(path, low_memory=False)
    frame[NUMBERS] = frame[NUMBERS].apply(pd.to_numeric, errors="coerce")
    checks: list[Any] = [gxe.ExpectColumnValuesToBeUnique(column="patient_id")]
    for name in NUMBERS:
        checks.append(gxe.ExpectColumnValuesToNotBeNull(column=name))
        checks.append(gxe.ExpectColumnValuesToBeBetween(column=name, min_value=LOW, max_value=HIGH))
    checks += [gxe.ExpectColumnValuesToBeInSet(column=name, value_set=LEVELS) for name in CATEGORIES]
    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_pandas("files").add_dataframe_asset("file")
    batch = source.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    done = batch.validate(gx.ExpectationSuite(name="file", expectations=checks), result_format="COMPLETE")
    counts: Counts = {}
    for result in done.results:
        kind = result.expectation_config.type
        counts[kind] = counts.get(kind, 0) + int(result.result["unexpected_count"])
    return counts


def frictionless(path: Path) -> Counts:
    from frictionless import Resource, Schema

    fields: list[dict[str, Any]] = [{"name": "patient_id", "type": "string", "constraints": {"unique": True}}]
    bounds = {"minimum": LOW, "maximum": HIGH}
    fields += [{"name": n, "type": "number", "constraints": bounds} for n in NUMBERS]
    fields += [{"name": n, "type": "string", "constraints": {"enum": LEVELS}} for n in CATEGORIES]
    fields += [{"name": "target", "type": "integer"}]
    schema = Schema.from_descriptor({"fields": fields})
    report = Resource(path=path.name, basepath=str(path.parent), schema=schema).validate(limit_errors=100_000)
    counts: Counts = {}
    for (kind,) in report.flatten(["type"]):
        counts[kind] = counts.get(kind, 0) + 1
    return counts


CANDIDATES: dict[str, Callable[[Path], Counts]] = {
    "ours": ours,
    "typed parse alone": typed_parse,
    "pandera": pandera,
    "pandera on polars": pandera_on_polars,
    "Great Expectations": great_expectations,
    "frictionless": frictionless,
}


def peak_mb() -> float:
    """Return the peak of this program's memory; `getrusage` would also count what its parent had."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    name, path = sys.argv[1], Path(sys.argv[2])
    CANDIDATES[name](path.with_name("validation-head.csv"))  # imports and first-use work are not measured
    start = time.process_time()
    counts = CANDIDATES[name](path)
    seconds = time.process_time() - start
    print(json.dumps({"cpu_seconds": seconds, "peak_mb": peak_mb(), "counts": counts}))


if __name__ == "__main__":
    main()
