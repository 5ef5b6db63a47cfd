"""Comparison of two datasets: rows, columns, and drift of the values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from mlops.dataset.validation.reading import read_table
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.dataset import Contract, DatasetVersion, ValidationReport
from mlops.models.drift.report import DriftReport
from mlops.models.record import Record
from mlops.models.settings.format import FormatSettings
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.drift_detector import DriftDetector
from mlops.monitoring.profiles.baseline import build_baseline
from mlops.monitoring.report.report_text import render_text


@dataclass(frozen=True, slots=True)
class DatasetComparison(Record):
    """The differences from `before` to `after`; `changed_kinds` gives the kind in each of them.

    `drift` compares the values of `after` with those of `before` in the columns that both have, except ids;
    None without such columns.
    """

    group: str
    before: str
    after: str
    n_rows_before: int
    n_rows_after: int
    added_columns: tuple[str, ...]
    removed_columns: tuple[str, ...]
    changed_kinds: Mapping[str, tuple[str, str]]
    drift: DriftReport | None = None

    def render(self) -> str:
        """Return the comparison as text for people."""
        lines = [
            f"{self.group}: {self.before[:12]} -> {self.after[:12]}",
            f"rows: {self.n_rows_before:,} -> {self.n_rows_after:,} ({_growth(self)})",
            f"columns added: {', '.join(self.added_columns) or 'none'}",
            f"columns removed: {', '.join(self.removed_columns) or 'none'}",
            *(f"column {name}: {old} -> {new}" for name, (old, new) in self.changed_kinds.items()),
        ]
        drift = "drift: the files share no columns" if self.drift is None else render_text(self.drift)
        return "\n".join([*lines, "", drift.rstrip("\n")]) + "\n"


def compare_datasets(
    before: DatasetVersion, after: DatasetVersion, objects: ObjectStore
) -> DatasetComparison:
    """Compare two datasets of a group.

    Raises
    ------
    ObjectNotFoundError
        If a file does not exist.
    """
    kinds = {
        name: (kind, after.columns[name]) for name, kind in before.columns.items() if name in after.columns
    }
    return DatasetComparison(
        group=after.group,
        before=before.dataset_id,
        after=after.dataset_id,
        n_rows_before=before.n_rows,
        n_rows_after=after.n_rows,
        added_columns=tuple(name for name in after.columns if name not in before.columns),
        removed_columns=tuple(name for name in before.columns if name not in after.columns),
        changed_kinds={name: (old, new) for name, (old, new) in kinds.items() if old != new},
        drift=_drift(before, after, objects),
    )


def _drift(before: DatasetVersion, after: DatasetVersion, objects: ObjectStore) -> DriftReport | None:
    """Read both files with the contract of the older one, so that only values can differ."""
    contract = Contract.from_json(objects.read(before.contract)) if before.contract else None
    ids = {column.name for column in contract.columns if column.role == "id"} if contract else set[str]()
    shared = [name for name in before.columns if name in after.columns and name not in ids]
    if not shared:
        return None
    baseline = build_baseline(_frame(before, contract, objects)[shared])
    return DriftDetector(baseline).detect_drift(
        _frame(after, contract, objects)[shared], model_group=after.group
    )


def _frame(dataset: DatasetVersion, contract: Contract | None, objects: ObjectStore) -> pd.DataFrame:
    with TemporaryDirectory() as folder:
        path = Path(folder) / dataset.ref.key.rsplit("/", 1)[-1]
        objects.download(dataset.ref, path)
        return read_table(path, contract, GroupSettings(format=_format(dataset, objects)), purpose="training")


def _format(dataset: DatasetVersion, objects: ObjectStore) -> FormatSettings:
    """Return how the dataset was read when it was accepted; rows that were left out are left out again."""
    report = ValidationReport.from_json(objects.read(dataset.report_ref))
    stated = report.format.as_settings() if report.format else FormatSettings()
    return replace(stated, ignore_errors=True)


def _growth(comparison: DatasetComparison) -> str:
    difference = comparison.n_rows_after - comparison.n_rows_before
    return f"{difference:+,}" if difference else "as many"
