"""Recognise a row in another file: by its ids, and by the features as the model reads them.

A model remembers a row by its features. So a row counts as the same when its features are nearly the same:
columns that the model does not use, the order of rows and columns, the notation of dates and the last digits
of numbers make no difference. The target has no part in it, because labels get corrected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.util import hash_array

from mlops.dataset.table.values import as_texts, distinct_values, is_text
from mlops.pipelines.artifacts.model import FeatureColumn
from mlops.pipelines.artifacts.row_keys import DigestSet, FeatureKey, Hashes, KeyRecipe, RowKeys, key_id
from mlops.pipelines.features.splitting import Split
from mlops.pipelines.features.training_rows import TrainingRows

type Names = tuple[str, ...]

IDS = "ids"
MAX_CHANCE = 0.01
MAX_NEAR_CHANCE = 0.25
MAX_NEAR_DIGESTS = 10_000
_WIDTHS = (0.5, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001, 1e-4)  # the widest first
_N_PARTS = 3
_N_NEAR = 12
_MAX_MEASURED = 5_000
_LARGEST = 2.0**62
_PREFIX_BITS = 18
_PREFIX_SHIFT = np.uint64(64 - _PREFIX_BITS)
_DIGITS = re.compile(r"0*(\d+)(?:\.0+)?")


def describe_rows(rows: TrainingRows, key: bytes) -> RowKeys:
    """Return the keys of the rows of a training, to be stored with its model.

    Numbers are rounded as much as possible: to the widest of eight steps at which at most 1 % of the held-out
    rows have the key of a training row by chance. So rewritten values are still recognised.

    Parameters
    ----------
    rows
        Those of the training, divided.
    key
        The secret key of the group.
    """
    features, split = rows.selection.features, rows.split
    scales, names = _scales(rows.aligned[split.train], features), tuple(sorted(f.name for f in features))
    hashes = FeatureHashes(rows.aligned, scales)
    chances = _Chances(hashes, split.train, np.flatnonzero(split.test)[:_MAX_MEASURED])
    exact = chances.widest_keys("exact", _all_but_a_part(names), MAX_CHANCE)
    near = chances.widest_keys("near", _few_at_a_time(names), MAX_NEAR_CHANCE)
    id_columns = rows.settings.group_columns or rows.settings.id_columns
    by_ids = {IDS: hash_ids(rows.table.frame, id_columns)} if id_columns else {}
    recipe = KeyRecipe(
        key_id(key),
        exact or (FeatureKey("exact 0", names, _WIDTHS[-1], 1.0),),
        is_selective=bool(exact),
        near=_without_exact(near, exact),
        scales=scales,
        id_columns=id_columns,
        has_ids=any(chances.of(keys) <= MAX_CHANCE for keys in by_ids.values()),
        time_cut=split.time_cut,
    )
    return _digests(recipe, hashes, by_ids, split, key)


def _digests(
    recipe: KeyRecipe, hashes: FeatureHashes, by_ids: Mapping[str, Hashes], split: Split, key: bytes
) -> RowKeys:
    """Digest the training rows by every key, and the held-out rows by the first one."""
    recognising = {**(by_ids if recipe.has_ids else {}), **hashes.by_key(recipe.exact)}
    counting = hashes.by_key(recipe.near)
    first = next(iter(recognising))
    return RowKeys(
        recipe,
        {name: DigestSet.of(values[split.train], key) for name, values in recognising.items()}
        | {
            name: DigestSet.of(values[split.train], key, most=MAX_NEAR_DIGESTS)
            for name, values in counting.items()
        },
        {first: DigestSet.of(recognising[first][split.test], key)},
    )


def _without_exact(near: Sequence[FeatureKey], exact: Sequence[FeatureKey]) -> tuple[FeatureKey, ...]:
    """Leave out the keys that are exact ones, too: a row that has such a key of a training row is one."""
    recognised = {(key.features, key.width) for key in exact}
    return tuple(key for key in near if (key.features, key.width) not in recognised)


@dataclass(frozen=True, slots=True)
class FeatureHashes:
    """Hashes of rows by some of their features in the model's form; `scales` has the columns of numbers."""

    aligned: pd.DataFrame
    scales: Mapping[str, float]
    _of_texts: dict[str, Hashes] = field(default_factory=dict)  # the same at every width

    def by_key(self, keys: Sequence[FeatureKey]) -> dict[str, Hashes]:
        """Return the hash of each row, shape (n,), by the names of the keys."""
        hashes: dict[str, Hashes] = {}
        for width in {key.width for key in keys}:
            chosen = [key for key in keys if key.width == width]
            parts = self.at_width([key.features for key in chosen], width)
            hashes |= {key.name: part for key, part in zip(chosen, parts, strict=True)}
        return {key.name: hashes[key.name] for key in keys}

    def at_width(self, choices: Sequence[Names], width: float) -> list[Hashes]:
        """Return the hash of each row by each choice of features; every column is hashed once."""
        totals = [np.zeros(len(self.aligned), dtype=np.uint64) for _ in choices]
        members = [frozenset(names) for names in choices]
        for name in sorted(frozenset().union(*members)):
            hashes = self._column(name, width)
            for number, names in enumerate(members):
                if name in names:
                    totals[number] += hashes
        return totals

    def _column(self, name: str, width: float) -> Hashes:
        if name not in self.scales:
            if name not in self._of_texts:
                self._of_texts[name] = _weighted(name, hash_array(self.aligned[name].array))
            return self._of_texts[name]
        numbers = self.aligned[name].to_numpy(dtype=np.float64)
        is_missing = np.isnan(numbers)
        steps = np.where(is_missing, 0.0, numbers) / (width * self.scales[name])
        steps = np.clip(np.round(steps), -_LARGEST, _LARGEST)
        return _weighted(
            name, hash_array(np.where(is_missing, np.iinfo(np.int64).min, steps.astype(np.int64)))
        )


@dataclass(frozen=True, slots=True)
class _Chances:
    """Measures how often a held-out row has the key of a training row, which none of them is."""

    hashes: FeatureHashes
    train: NDArray[np.bool_]
    measured: NDArray[np.intp]

    def of(self, hashes: Hashes) -> float:
        measured = hashes[self.measured]
        # few training rows have the first bits of a measured one: only these are compared
        has_prefix = np.zeros(2**_PREFIX_BITS, dtype=bool)
        has_prefix[measured >> _PREFIX_SHIFT] = True
        alike = hashes[self.train & has_prefix[hashes >> _PREFIX_SHIFT]]
        return float(pd.Series(measured).isin(alike).mean())

    def widest_keys(self, kind: str, choices: Sequence[Names], limit: float) -> tuple[FeatureKey, ...]:
        """Return for each choice of features the key of the widest step within the limit, if there is one."""
        keys: dict[Names, FeatureKey] = {}
        for width in _WIDTHS:
            open_choices = [names for names in choices if names not in keys]
            for names, hashes in zip(open_choices, self.hashes.at_width(open_choices, width), strict=True):
                if (chance := self.of(hashes)) <= limit:
                    keys[names] = FeatureKey(f"{kind} {len(keys)}", names, width, chance)
        return tuple(keys.values())


def _all_but_a_part(names: Names) -> list[Names]:
    """Leave out each third of the features in turn; fewer than three features are not divided."""
    if len(names) < _N_PARTS:
        return [names]
    places = [(position % _N_PARTS, name) for position, name in enumerate(names)]
    return [tuple(name for part, name in places if part != left_out) for left_out in range(_N_PARTS)]


def _few_at_a_time(names: Names) -> list[Names]:
    """Return groups of three features, each feature in several of them, and the groups of most features."""
    rng, groups = np.random.default_rng(0), dict[Names, None]()
    for _ in range(_N_NEAR):
        shuffled = [names[position] for position in rng.permutation(len(names))]
        groups |= {tuple(sorted(shuffled[start : start + 3])): None for start in range(0, len(names), 3)}
    return list(groups)[:_N_NEAR] + _all_but_a_part(names)


def _scales(aligned: pd.DataFrame, features: Sequence[FeatureColumn]) -> dict[str, float]:
    """Return the standard deviation of each column of numbers, by quantiles: outliers do not count."""
    scales = {}
    for feature in features:
        if feature.kind != "numeric":
            continue
        numbers = aligned[feature.name].dropna().to_numpy()
        low, high = np.quantile(numbers, [0.1, 0.9]) if len(numbers) else (0.0, 0.0)
        spread = float(high - low) / 2.56 or (float(numbers.std()) if len(numbers) else 0.0)
        scales[feature.name] = spread if np.isfinite(spread) and spread > 0.0 else 1.0
    return scales


def hash_ids(frame: pd.DataFrame, columns: Sequence[str]) -> Hashes:
    """Hash the ids; `007`, ` 7` and `7.0` are the same, and so are `a1` and `A1`."""
    combined = np.zeros(len(frame), dtype=np.uint64)
    for name in sorted(columns):
        column = frame[name]
        codes, texts = distinct_values(column if is_text(column) else as_texts(column))
        levels = np.array([*map(_plain_id, texts), ""], dtype=object)
        combined += _weighted(name, hash_array(levels, categorize=False))[codes]
    return combined


def _weighted(name: str, hashes: Hashes) -> Hashes:
    """Multiply by an odd number of the column, so that the same value in another column is another hash."""
    weight = hash_array(np.array([name], dtype=object))[0] | np.uint64(1)
    weighted: Hashes = hashes * weight
    return weighted


def _plain_id(cell: object) -> str:
    text = str(cell).strip()
    digits = _DIGITS.fullmatch(text) if text[:1].isdecimal() else None
    return digits[1] if digits else text.casefold()
