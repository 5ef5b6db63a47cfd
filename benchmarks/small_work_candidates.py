# ruff: noqa: PLC0415  each candidate imports what it measures
"""One run of one piece of work; started by small_work.py in a process of its own.

Makes what the work needs, does a small part of it first (imports and first use are not measured), and prints
CPU seconds of user and system, and the peak of memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

GROUP, BUCKET, VERSION, NIGHT = "adherence", "artifacts", "v1.0.0", date(2026, 5, 10)
N_DIFFERENT_BATCHES = 20
MISSING = ("", "n/a", "-", "NULL")
WORDS = [
    "patient",
    "reports",
    "mild",
    "pain",
    "after",
    "the",
    "second",
    "dose",
    "and",
    "asks",
    "for",
    "a",
    "later",
    "appointment",
    "no",
    "side",
    "effects",
    "since",
    "visit",
    "blood",
    "pressure",
    "was",
    "normal,",
    "weight",
    "is",
    "stable",
    "refill",
    "requested",
    "by",
    "pharmacy",
    "on",
    "monday",
]
type Work = Callable[[], object]


def listing(n_versions: int) -> Work:
    """List the versions of a group on plain files, each as a whole record."""
    from mlops.registry.model_registry import ModelRegistry

    root = folder()
    store_versions(root, n_versions)
    return lambda: ModelRegistry(root=root / "model-registry").list_models(GROUP)


def table_of_versions(n_versions: int) -> Work:
    """Type `mlops versions` on plain files."""
    from mlops.cli.main import main

    root = folder()
    store_versions(root, n_versions)

    def work() -> None:
        with redirect_stdout(StringIO()):
            main(["versions", GROUP, "--root", str(root)])

    return work


def store_versions(root: Path, n_versions: int) -> None:
    from mlops.infrastructure.sqlite_table import SqliteTable
    from mlops.infrastructure.table import Put, document_attributes

    table = SqliteTable(root / "model-registry" / "registry.sqlite3")
    puts = []
    for number in range(1, n_versions + 1):
        attributes = document_attributes(a_version(GROUP, number).to_json())
        item = {"pk": f"GROUP#{GROUP}", "sk": f"VERSION#{number:08d}", "status": "Champion", **attributes}
        puts.append(Put(item))
    head = {"n_versions": n_versions, "latest": "v1.0.0", "champion": None, "revision": 1}
    table.write(*puts, Put({"pk": f"GROUP#{GROUP}", "sk": "HEAD", **head}))


def a_version(group: str, number: int) -> Any:
    """Return a version with metrics, a gate, a comparison and data findings, as a training registers it."""
    from mlops.models.objects import Artifact
    from mlops.models.registry import DataFindings, ModelMetadata, Status
    from mlops.models.training import EvaluationMetrics, GateCheck, GateResult

    names = ("roc_auc", "average_precision", "accuracy", "f1", "precision", "recall", "neg_log_loss")
    scores = dict.fromkeys(names, 0.912)
    features = tuple(f"feature_{index:02d}" for index in range(18))
    checks = tuple(
        GateCheck(name, name, "0.912 is at least 0.7", passed=True, value=0.912, required=0.7)
        for name in names[:3]
    )
    findings = ({"rule_id": "missing_values", "severity": "warn", "message": "2 % missing", "column": "age"},)
    return ModelMetadata(
        model_group=group,
        version=VERSION if number == 1 else f"v1.0.{number - 1}",
        number=number,
        status=Status.CHAMPION,
        created_at=datetime(2026, 5, 1, 8, 30, tzinfo=UTC),
        algorithm="RandomForest",
        hyperparameters={"n_estimators": 200, "max_depth": 10},
        metrics=EvaluationMetrics(**scores, dummy=scores, intervals=dict.fromkeys(names, (0.9, 0.92))),
        dataset_version="2026-05-01-3f2a",
        artifact=Artifact(uri="s3://artifacts/models/adherence/v1.0.0/model.tar.gz", sha256="0" * 64),
        features=features,
        target="target",
        gate=GateResult(passed=True, checks=checks),
        feature_importance={name: 1 / (1 + index) for index, name in enumerate(features)},
        data=DataFindings(verdict="warn", n_rows=100_000, findings=findings),
        library_versions={"scikit-learn": "1.7.2", "numpy": "2.3.4", "pandas": "2.3.3"},
    )


def night(n_groups: int, n_batches: int) -> Work:
    """Check the batches of every group against its baseline: 50 features, reports and states written."""
    from mlops.infrastructure.local_objects import FilesystemObjects
    from mlops.models.objects import ObjectRef
    from mlops.monitoring import build_baseline, profile_batch
    from mlops.use_cases.drift.check_drift import NightlyCheck
    from mlops.use_cases.drift.drift_archive import NightlyArchive

    objects, rng = FilesystemObjects(folder()), np.random.default_rng(0)
    rows = fifty_features(rng, 5_000)
    baseline = build_baseline(rows)
    batches = [fifty_features(rng, 1_000) for _ in range(N_DIFFERENT_BATCHES)]
    profiles = [profile_batch(batch, baseline).to_json().encode() for batch in batches]
    groups = [f"group-{index:04d}" for index in range(n_groups)]
    for group in groups:
        key = f"models/{group}/{VERSION}/baseline_statistics.json"
        objects.write(ObjectRef(BUCKET, key), baseline.to_json().encode(), "application/json")
        for index in range(n_batches):
            key = f"profiles/{group}/{VERSION}/{NIGHT.isoformat()}/{index:04d}.json"
            objects.write(ObjectRef(BUCKET, key), profiles[index % len(profiles)], "application/json")
    versions = {group: a_version(group, 1) for group in groups}
    champions = SimpleNamespace(groups=lambda: groups, champion=versions.get)
    silent = SimpleNamespace(**dict.fromkeys(("send", "send_email", "publish_event"), nothing))
    silent.publish_metrics = nothing
    no_files = SimpleNamespace(list=lambda *_: ())
    no_views = SimpleNamespace(describe=lambda *_: ())
    archive = NightlyArchive(objects, BUCKET)
    check = NightlyCheck(archive, champions, silent, silent, no_files, no_views)
    return lambda: check.run(datetime(NIGHT.year, NIGHT.month, NIGHT.day, 2, tzinfo=UTC))


def nothing(*_: Any, **__: Any) -> int:
    return 1


def fifty_features(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    levels = np.array([f"level {index}" for index in range(8)])
    columns: dict[str, Any] = {f"number_{i:02d}": rng.normal(50, 10, rows).round(3) for i in range(35)}
    columns |= {f"category_{i:02d}": levels[rng.integers(0, 8, rows)] for i in range(15)}
    return pd.DataFrame(columns)


def baseline(rows: int) -> Work:
    """Profile training rows: an id, twelve numbers and six categories."""
    from mlops.monitoring import build_baseline

    frame = a_frame(rows).astype({f"category_{index}": "category" for index in range(6)})
    features = [name for name in frame if name not in ("patient_id", "target")]
    return lambda: build_baseline(frame, features=features)


def described(rows: int) -> Work:
    """Do what a notebook does instead: describe, histograms, value counts."""
    frame = a_frame(rows).astype({f"category_{index}": "category" for index in range(6)})

    def work() -> None:
        frame.describe()
        for name in frame.select_dtypes("number"):
            np.histogram(frame[name].to_numpy(), bins=100)
        for name in frame.select_dtypes("category"):
            frame[name].value_counts()

    return work


def clean_file(rows: int) -> Work:
    path = folder() / "clean.csv"
    a_frame(rows).to_csv(path, index=False)
    return validation(path)


def messy_file(rows: int) -> Work:
    path = folder() / "messy.csv"
    write_messy(a_frame(rows), path)
    return validation(path)


def messy_parse(rows: int) -> Work:
    path = folder() / "messy.csv"
    write_messy(a_frame(rows), path)
    return lambda: pd.read_csv(path, sep=";", decimal=",", encoding="cp1252", na_values=MISSING)


def text_file(rows: int) -> Work:
    path = folder() / "text.csv"
    with_text(a_frame(rows)).to_csv(path, index=False)
    return validation(path)


def text_parse(rows: int) -> Work:
    path = folder() / "text.csv"
    with_text(a_frame(rows)).to_csv(path, index=False)
    return lambda: pd.read_csv(path)


def validation(path: Path) -> Work:
    from mlops.dataset.validation.validate import validate

    return lambda: validate(path, {"target": "target"})


def a_frame(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {"patient_id": [f"P{number:08d}" for number in rng.permutation(rows)]}
    columns |= {f"number_{i:02d}": rng.normal(50, 10, rows).round(3) for i in range(12)}
    levels = np.array([f"level {index}" for index in range(8)])
    columns |= {f"category_{index}": levels[rng.integers(0, 8, rows)] for index in range(6)}
    return pd.DataFrame({**columns, "target": rng.integers(0, 2, rows)})


def write_messy(frame: pd.DataFrame, path: Path) -> None:
    """Write with semicolons, decimal commas, letters beyond ASCII in cp1252, and 3 % missing tokens."""
    rng = np.random.default_rng(1)
    tokens = np.array(MISSING, dtype=object)
    messy = frame.copy()
    for name in frame.columns[1:-1]:
        if frame[name].dtype.kind == "f":
            text = frame[name].map("{:.3f}".format).str.replace(".", ",").to_numpy(dtype=object)
        else:
            text = frame[name].str.replace("level", "größe").to_numpy(dtype=object)
        is_missing = rng.random(len(frame)) < 0.03
        text[is_missing] = tokens[rng.integers(0, len(tokens), is_missing.sum())]
        messy[name] = text
    messy.to_csv(path, index=False, sep=";", encoding="cp1252")


def with_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Put six columns of 5 to 20 words in place of the categories."""
    rng = np.random.default_rng(2)
    words = np.array(WORDS, dtype=object)
    for index in range(6):
        lengths = rng.integers(5, 21, len(frame))
        picked = iter(words[rng.integers(0, len(words), lengths.sum())])
        frame[f"category_{index}"] = [" ".join(next(picked) for _ in range(n)) for n in lengths]
    return frame


def folder() -> Path:
    return Path(tempfile.mkdtemp(dir=sys.argv[2]))


# the work, and a small part of it
CANDIDATES: dict[str, tuple[Callable[[], Work], Callable[[], Work]]] = {
    "list 10,000 versions, whole records": (lambda: listing(10_000), lambda: listing(10)),
    "mlops versions, 10,000 of them": (lambda: table_of_versions(10_000), lambda: table_of_versions(10)),
    "night, 1 group x 1,000 profiles": (lambda: night(1, 1_000), lambda: night(1, 2)),
    "night, 100 groups x 10 profiles": (lambda: night(100, 10), lambda: night(1, 2)),
    "night, 1,000 groups x 1 profile": (lambda: night(1_000, 1), lambda: night(1, 2)),
    "validate a clean CSV, 100,000 rows": (lambda: clean_file(100_000), lambda: clean_file(1_000)),
    "validate a messy CSV, 100,000 rows": (lambda: messy_file(100_000), lambda: messy_file(1_000)),
    "pandas parse of the messy CSV": (lambda: messy_parse(100_000), lambda: messy_parse(1_000)),
    "validate a CSV of texts, 100,000 rows": (lambda: text_file(100_000), lambda: text_file(1_000)),
    "pandas parse of the CSV of texts": (lambda: text_parse(100_000), lambda: text_parse(1_000)),
    "build_baseline, 1,000,000 rows, 18 of 20 columns": (
        lambda: baseline(1_000_000),
        lambda: baseline(1_000),
    ),
    "describe, histograms and value counts": (lambda: described(1_000_000), lambda: described(1_000)),
}


def peak_mb() -> float:
    """Return the peak of this program's memory; `getrusage` would also count what its parent had."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    prepare, prepare_small = CANDIDATES[sys.argv[1]]
    prepare_small()()
    work = prepare()
    start = time.process_time()
    work()
    print(json.dumps({"cpu_seconds": time.process_time() - start, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
