"""The profile of the training rows: made once, frozen with the model version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops.models.dataset import ColumnContract, Contract
from mlops.models.drift.contributions import ContributionSums
from mlops.models.drift.profiles import BaselineStatistics, FeatureKind, FeatureProfile
from mlops.models.errors import DriftError
from mlops.monitoring.profiles.categorical import (
    categorical_profile,
    kind_of,
    numbers_of,
    rows_per_level,
)
from mlops.monitoring.profiles.numeric import numeric_profile

if TYPE_CHECKING:
    from mlops.dataset.table.table import Column, Table

# 2: every feature is watched that a model learns from; version 1 took all numbers named `...id` for ids
FORMAT_VERSION = 2


def build_baseline(
    frame: pd.DataFrame | Table,
    *,
    features: Sequence[str] | None = None,
    importance: Mapping[str, float] | None = None,
    kinds: Mapping[str, FeatureKind] | None = None,
    outputs: pd.DataFrame | None = None,
    contributions: ContributionSums | None = None,
    created_at: datetime | None = None,
    model_version: str | None = None,
) -> BaselineStatistics:
    """Profile the training rows, once, for all later comparisons.

    Ids, counters of rows and dates are excluded: later batches always differ in them.

    Parameters
    ----------
    frame
        The training rows, before imputation and encoding; of a table its own columns say what they are.
    features
        The columns the model uses; all columns by default. The other columns of the frame are remembered, so
        that a batch may carry them.
    importance
        Importance per feature, any scale; ranks the drifted features and decides which of them may alert.
    kinds
        `"numeric"` or `"categorical"` for columns whose dtype says the wrong thing.
    outputs
        The outputs of the model for the held-out rows, a column for each.
    contributions
        What moved the predictions of held-out rows.

    Raises
    ------
    DriftError
        If a feature is not a column of the frame.
    """
    names = [*map(str, frame.columns)]
    selected = names if features is None else _present([*map(str, features)], names)
    table = _table(frame, set(selected), kinds or {}) if isinstance(frame, pd.DataFrame) else frame
    profiles = {name: _profile_column(name, table, (importance or {}).get(name)) for name in selected}
    unwatched = _reasons_not_to_watch(table, profiles)
    watched = {name: profile for name, profile in profiles.items() if name not in unwatched}
    output_profiles = {} if outputs is None else _profile_outputs(outputs)
    return BaselineStatistics(
        features=watched,
        n_rows=len(table),
        schema_hash=_schema_hash([*watched.values(), *output_profiles.values()]),
        excluded={name: "not a feature of the model" for name in names if name not in profiles} | unwatched,
        created_at=created_at,
        model_version=model_version,
        format_version=FORMAT_VERSION,
        outputs=output_profiles,
        contributions=contributions,
    )


def load_baseline_statistics(path: str | Path) -> BaselineStatistics:
    """Read `baseline_statistics.json`, as training writes it beside the model.

    Raises
    ------
    DriftError
        If the file does not exist, or is something else.
    """
    file = Path(path)
    if file.is_dir():
        file /= "baseline_statistics.json"
    try:
        return BaselineStatistics.from_json(file.read_bytes())
    except FileNotFoundError as error:
        raise DriftError(f"{file} does not exist; training writes it beside the model.") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise DriftError(f"{file} does not hold baseline statistics: {error}") from error


def _present(features: list[str], names: Collection[str]) -> list[str]:
    """Return the features, all of which must be columns of the frame."""
    if absent := [name for name in features if name not in names]:
        raise DriftError(f"The training data have no column {absent[0]!r}; features must name its columns.")
    return features


def _table(frame: pd.DataFrame, names: Collection[str], kinds: Mapping[str, FeatureKind]) -> Table:
    """Return the named columns as a table; an id among the others would take most of the time."""
    # the nightly check loads baselines and makes none: 16 modules and 40 ms of its cold start
    from mlops.dataset.table.table import Table  # noqa: PLC0415

    stated = tuple(
        ColumnContract(str(name), "number" if kind == "numeric" else "category", "feature")
        for name, kind in kinds.items()
    )
    # a selection of columns would copy them
    used = pd.DataFrame({name: cells for name, cells in frame.items() if str(name) in names}, copy=False)
    return Table.from_frame(used, contract=Contract(stated), has_target=False)


def _profile_column(name: str, table: Table, importance: float | None) -> FeatureProfile:
    column, weight = table[name], None if importance is None else float(importance)
    if kind_of(column) == "numeric":
        values = numbers_of(column)[0].astype(np.float64, copy=False)
        return numeric_profile(name, values, importance=weight)
    levels, _ = rows_per_level(column)
    return categorical_profile(name, levels, n_rows=len(column), importance=weight)


def _profile_outputs(outputs: pd.DataFrame) -> dict[str, FeatureProfile]:
    return {str(name): _profile_output(str(name), outputs[name]) for name in outputs.columns}


def _profile_output(name: str, values: pd.Series[Any]) -> FeatureProfile:
    if kind_of(values) == "numeric":
        return numeric_profile(name, values.to_numpy(dtype=np.float64))
    return categorical_profile(name, rows_per_level(values)[0], n_rows=len(values))


def _reasons_not_to_watch(table: Table, profiles: Mapping[str, FeatureProfile]) -> dict[str, str]:
    """Return why columns are not watched, by name; those that are watched are left out."""
    reasons = {name: _why_not_watched(table.columns[name], profile) for name, profile in profiles.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _why_not_watched(column: Column, profile: FeatureProfile) -> str | None:
    """Return why drift of the column would mean nothing, or None."""
    if column.kind == "date":
        return "a date: later batches always differ"
    if column.has_words:
        # as in `_table`: the nightly check makes no baseline
        from mlops.dataset.features.texts import words_name  # noqa: PLC0415

        return f"a text: its number of words is watched, as {words_name(column.name)}"
    if column.is_like_id:
        n_present = profile.n_rows - profile.n_missing
        return f"like an id: {profile.n_distinct:,} different values in {n_present:,} rows"
    return None


def _schema_hash(profiles: Iterable[FeatureProfile]) -> str:
    """Identify the bins: what must agree before counts may be added or compared."""
    bins = [[p.name, p.kind, p.edges, p.bins, p.levels, p.rare_levels] for p in profiles]
    return hashlib.sha256(json.dumps(bins).encode()).hexdigest()[:16]
