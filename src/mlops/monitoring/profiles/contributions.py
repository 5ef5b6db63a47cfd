"""Contributions of columns to predictions, summed up: what is stored of them, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops.models.drift.contributions import ContributionSums

_PARTS = ("signed", "absolute", "squares", "with_total")


def sum_contributions(columns: Sequence[str], contributions: NDArray[np.float64]) -> ContributionSums:
    """Sum up contributions of the shape (rows, columns); rows with one that is not finite are left out."""
    kept = contributions[np.isfinite(contributions).all(axis=1)]
    sizes = np.abs(kept)
    totals = sizes.sum(axis=1)
    return ContributionSums(
        n_rows=len(kept),
        total=float(totals.sum()),
        total_squares=float(totals @ totals),
        columns=tuple(columns),
        signed=tuple(kept.sum(axis=0).tolist()),
        absolute=tuple(sizes.sum(axis=0).tolist()),
        squares=tuple(np.einsum("ij,ij->j", kept, kept).tolist()),
        with_total=tuple((totals @ sizes).tolist()),
    )


def add_contributions(parts: Iterable[ContributionSums | None]) -> ContributionSums | None:
    """Add up the sums of batches; those without any, or of other columns than the first, are left out."""
    counted = [part for part in parts if part is not None]
    if not counted:
        return None
    columns = counted[0].columns
    same = [part for part in counted if part.columns == columns]
    sums = {
        name: tuple(np.array([getattr(part, name) for part in same]).sum(axis=0).tolist()) for name in _PARTS
    }
    return ContributionSums(
        n_rows=sum(part.n_rows for part in same),
        total=sum(part.total for part in same),
        total_squares=sum(part.total_squares for part in same),
        columns=columns,
        **sums,
    )


def of_columns(sums: ContributionSums, names: Sequence[str]) -> ContributionSums | None:
    """Return the sums of some columns, of the same total; None where one of them has no sums."""
    places = {name: place for place, name in enumerate(sums.columns)}
    if not places.keys() >= set(names):
        return None
    parts: dict[str, Any] = {
        part: tuple(getattr(sums, part)[places[name]] for name in names) for part in ("columns", *_PARTS)
    }
    return replace(sums, **parts)
