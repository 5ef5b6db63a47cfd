"""The profile of the training rows: made once, frozen with the model version."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlops.models.drift import BaselineStatistics, FeatureKind, FeatureProfile
from mlops.models.errors import DriftError
from mlops.monitoring.profiles.categorical import categorical_profile, rows_per_level
from mlops.monitoring.profiles.columns import kind_of, numbers_of
from mlops.monitoring.profiles.numeric import MAX_SINGLE_VALUES, numeric_profile

_ID_SHARE = 0.5
_NARROW_SPAN = 200.0
_ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|uuid|guid|key|index|rownum|row_number)$|[a-z]I[dD]$|^unnamed", re.IGNORECASE
)


def build_baseline(
    frame: pd.DataFrame,
    *,
    features: Sequence[str] | None = None,
    importance: Mapping[str, float] | None = None,
    kinds: Mapping[str, FeatureKind] | None = None,
    created_at: datetime | None = None,
    model_version: str | None = None,
) -> BaselineStatistics:
    """Profile the training rows, once, for all later comparisons.

    Parameters
    ----------
    frame
        The training rows, before imputation and encoding.
    features
        The columns the model uses; all columns by default. The other columns of the frame are remembered, so
        that a batch may carry them.
    importance
        Importance per feature, any scale; ranks the drifted features and decides which of them may alert.
    kinds
        `"numeric"` or `"categorical"` for columns whose dtype says the wrong thing.

    Raises
    ------
    DriftError
        If a feature is not a column of the frame.
    """
    wanted = list(frame.columns if features is None else features)
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        raise DriftError(f"The training data have no column {absent[0]!r}; features must name its columns.")
    excluded = {str(name): "not a feature of the model" for name in frame.columns if name not in set(wanted)}
    profiles: dict[str, FeatureProfile] = {}
    for name in wanted:
        column, weight = frame[name], (importance or {}).get(name)
        kind = (kinds or {}).get(name) or kind_of(column)
        profile = _profile_column(str(name), column, kind, None if weight is None else float(weight))
        reason = _why_not_watched(profile, column)
        if reason:
            excluded[str(name)] = reason
        else:
            profiles[str(name)] = profile
    return BaselineStatistics(
        features=profiles,
        n_rows=len(frame),
        schema_hash=_schema_hash(profiles.values()),
        excluded=excluded,
        created_at=created_at,
        model_version=model_version,
    )


def load_baseline_statistics(path: str | Path) -> BaselineStatistics:
    """Read `baseline_statistics.json`, as training writes it beside the model.

    Raises
    ------
    DriftError
        If there is no such file, or it is something else.
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


def _profile_column(
    name: str, column: pd.Series[Any], kind: FeatureKind, importance: float | None
) -> FeatureProfile:
    if kind == "numeric":
        values = numbers_of(column)[0].astype(np.float64, copy=False)
        return numeric_profile(name, values, importance=importance)
    levels, _ = rows_per_level(column)
    return categorical_profile(name, levels, n_rows=len(column), importance=importance)


def _why_not_watched(profile: FeatureProfile, column: pd.Series[Any]) -> str | None:
    """Return why drift of the column would mean nothing, or None."""
    n_known = profile.n_rows - profile.n_missing
    if pd.api.types.is_datetime64_any_dtype(column):
        return "a date: later batches always differ"
    if profile.n_distinct <= max(MAX_SINGLE_VALUES, _ID_SHARE * n_known):
        return None
    if profile.kind == "categorical" or _is_whole_number_id(profile, column):
        return f"like an id: {profile.n_distinct:,} different values in {n_known:,} rows"
    return None


def _is_whole_number_id(profile: FeatureProfile, column: pd.Series[Any]) -> bool:
    """Tell ids from measurements: most real numbers differ in most rows, and so do many whole ones.

    An id is whole, and is named as one, counts up, or uses nearly every number of a range that is wider than
    that of an age.
    """
    values = numbers_of(column)[0]
    values = values[np.isfinite(values)]
    if not (values == np.floor(values)).all():
        return False
    counts_up = bool((np.diff(values) >= 0).all())
    span = float(values.max()) - float(values.min()) + 1.0
    is_dense = span > _NARROW_SPAN and profile.n_distinct > 0.9 * span
    return bool(_ID_NAME.search(profile.name)) or counts_up or is_dense


def _schema_hash(profiles: Iterable[FeatureProfile]) -> str:
    """Identify the cells: what must agree before counts may be added or compared."""
    cells = [[p.name, p.kind, p.edges, p.bins, p.levels, p.rare_levels] for p in profiles]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16]
