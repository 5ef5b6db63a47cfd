"""Segments: the largest slices of the columns that the settings name, counted like all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.features.slices import ValueRange, has_levels, quartile_ranges
from mlops.dataset.table.values import as_texts, is_text
from mlops.models.drift.profiles import (
    BaselineStatistics,
    FeatureCounts,
    Segment,
    SegmentCounts,
)
from mlops.monitoring.profiles.counting import add_each, count_each

MAX_SEGMENTS = 12
MAX_FEATURES = 10
MIN_SEGMENT_ROWS = 100

type Marks = NDArray[np.bool_]


def find_segments(frame: pd.DataFrame, columns: Sequence[str]) -> list[Segment]:
    """Return the largest slices of the columns, without counts: levels, and quartiles of numbers.

    Those of fewer than 100 rows are left out, as are missing values.
    """
    segments = [segment for name in columns for segment in _of_column(frame[name])]
    sizes = {segment.name: int(members(frame, segment).sum()) for segment in segments}
    large = [segment for segment in segments if sizes[segment.name] >= MIN_SEGMENT_ROWS]
    kept = sorted(large, key=lambda segment: -sizes[segment.name])[:MAX_SEGMENTS]
    return [segment for segment in segments if segment in kept]


def _of_column(cells: pd.Series) -> Iterator[Segment]:
    name, nothing = str(cells.name), SegmentCounts(0, {})
    if has_levels(cells, cells):
        for level in as_texts(cells).value_counts().index[:MAX_SEGMENTS]:
            yield Segment(name, str(level), nothing, level=str(level))
        return
    for part in quartile_ranges(cells):
        yield Segment(name, part.name, nothing, low=part.low, high=part.high)


def members(frame: pd.DataFrame, segment: Segment) -> Marks:
    """Mark the rows of a segment."""
    cells = frame[segment.column]
    if segment.level is not None:
        is_member: Marks = (as_texts(cells) == segment.level).to_numpy(dtype=np.bool_)
        return is_member
    texts = cells.astype(object) if is_text(cells) else cells
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return ValueRange(segment.value, segment.low, segment.high).contains(numbers)


def count_segments(
    frame: pd.DataFrame,
    baseline: BaselineStatistics,
    outputs: pd.DataFrame | None = None,
    is_scored: Marks | None = None,
) -> dict[str, SegmentCounts]:
    """Count the rows of each segment of the baseline; those of columns that are absent are left out.

    Parameters
    ----------
    outputs, is_scored
        What the model says of some of the rows, in their order, and which rows these are; all by default.
    """
    counted = {}
    for segment in baseline.segments:
        if segment.column not in frame:
            continue
        is_member = members(frame, segment)
        watched = (name for name in segment.reference.features if name in baseline.features)
        profiles = {name: baseline.features[name] for name in watched}
        features = count_each(frame.loc[is_member, [name for name in profiles if name in frame]], profiles)
        said = None
        if outputs is not None:
            said = outputs[is_member if is_scored is None else is_member[is_scored]]
        counted[segment.name] = SegmentCounts(
            int(is_member.sum()),
            features,
            {} if said is None else count_each(said, baseline.outputs),
            {} if said is None else sums_of(said),
        )
    return counted


def with_segments(
    baseline: BaselineStatistics,
    training: pd.DataFrame,
    columns: Sequence[str],
    *,
    held_out: pd.DataFrame,
    outputs: pd.DataFrame,
) -> BaselineStatistics:
    """Return the baseline with the segments of some columns, each with its most important ten features.

    Parameters
    ----------
    training, held_out
        The rows whose features, and whose outputs, are the reference.
    outputs
        What the model says of the held-out rows.
    """
    ranked = sorted(baseline.features.values(), key=lambda profile: -(profile.importance or 0.0))
    segments = tuple(
        replace(segment, reference=_nothing([p.name for p in ranked if p.name != segment.column]))
        for segment in find_segments(training, columns)
    )
    named = replace(baseline, segments=segments)
    inputs = count_segments(training, named)
    said = count_segments(held_out, named, outputs)
    counted = (
        replace(inputs[each.name], outputs=said[each.name].outputs, output_sums=said[each.name].output_sums)
        for each in segments
    )
    return replace(
        named,
        segments=tuple(
            replace(segment, reference=counts) for segment, counts in zip(segments, counted, strict=True)
        ),
    )


def _nothing(features: Sequence[str]) -> SegmentCounts:
    return SegmentCounts(0, {name: FeatureCounts(()) for name in features[:MAX_FEATURES]})


def sums_of(outputs: pd.DataFrame) -> dict[str, float]:
    """Return the sum of each output that is a number."""
    numbers = outputs.select_dtypes("number")
    return {str(name): float(np.nansum(numbers[name].to_numpy())) for name in numbers.columns}


def add_segments(parts: Sequence[Mapping[str, SegmentCounts]]) -> dict[str, SegmentCounts]:
    """Add up segments by name; those that some batches do not count are the sum of the others."""
    by_name: dict[str, list[SegmentCounts]] = {}
    for part in parts:
        for name, counts in part.items():
            by_name.setdefault(name, []).append(counts)
    return {name: _sum(counts) for name, counts in by_name.items()}


def _sum(counts: Sequence[SegmentCounts]) -> SegmentCounts:
    said = [each for each in counts if each.outputs]
    return SegmentCounts(
        sum(each.n_rows for each in counts),
        add_each([each.features for each in counts]),
        add_each([each.outputs for each in counts]),
        {
            name: sum(each.output_sums[name] for each in said)
            for name in (said[0].output_sums if said else ())
        },
    )
