"""Which of a candidate's held-out rows the champion was not trained on, by the keys stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from mlops.models.errors import TrainingError
from mlops.pipelines.artifacts.row_keys import Hashes, KeyRecipe, RowKeys, TimeCut, digest_rows, key_id
from mlops.pipelines.features.row_identity import IDS, FeatureHashes, hash_ids
from mlops.pipelines.features.splitting import time_numbers

MIN_COMPARED_ROWS = 30
MAX_REWRITTEN = 0.02
N_ERRORS = 3.5  # standard errors; there are about 15 keys, and one too many means an unneeded question
N_LOOKED_AT = 128
_ADVICE = 'ids that stay the same distinguish rows: id_columns = ["..."] in model.toml names their column.'


@dataclass(frozen=True, slots=True)
class UnseenRows:
    """The rows that may be compared on, as a mask of the held-out rows, and a sample of their keys."""

    mask: NDArray[np.bool_]
    looked_at: tuple[int, ...] = ()


def find_unseen(
    stored: RowKeys,
    key: bytes,
    frame: pd.DataFrame,
    aligned: pd.DataFrame,
    held_out: NDArray[np.bool_],
    *,
    date_format: str | None = None,
) -> UnseenRows:
    """Return the held-out rows that the champion was certainly not trained on.

    Parameters
    ----------
    stored, key
        The keys of the champion's rows, and the secret key of the group.
    frame, aligned, held_out
        All rows of the candidate's file, those held out as the champion reads them, and which ones they are.
    date_format
        How the candidate's file writes the time of the champion's cut.

    Raises
    ------
    TrainingError
        If the rows cannot be recognised, or fewer than 30 are left; the sentence says why.
    """
    recipe = stored.recipe
    if key_id(key) != recipe.key_id:
        raise TrainingError("its rows were stored with another key, so they cannot be recognised.")
    by_features = FeatureHashes(aligned, recipe.scales)
    hashes = {**_hash_ids(recipe, frame[held_out]), **by_features.by_key(recipe.exact)}
    digests = {name: digest_rows(values, key) for name, values in hashes.items()}
    is_late = _after_the_cut(recipe.time_cut, frame, held_out, date_format)
    unseen = _were_not_trained_on(stored, hashes, digests)
    if is_late is not None:
        unseen &= is_late
    if not (recipe.is_selective or is_late is not None or _ids_are_alike(stored, key, frame)):
        unseen &= _were_held_out(stored, digests)
    _check_unseen(unseen, _rewritten_share(stored, key, by_features, unseen))
    return UnseenRows(unseen, _sample(next(iter(digests.values()))[unseen]))


def _check_unseen(unseen: NDArray[np.bool_], rewritten_share: float) -> None:
    """Raise TrainingError when too few rows are left, or too many of them are copies of training rows."""
    if unseen.sum() < MIN_COMPARED_ROWS:
        raise TrainingError(
            f"it may have been trained on {int((~unseen).sum())} of the {len(unseen)} held-out rows; "
            f"{_ADVICE}"
        )
    if rewritten_share > MAX_REWRITTEN:
        raise TrainingError(
            f"about {rewritten_share:.0%} of the held-out rows are rows that it was trained on, written in "
            f"another way; {_ADVICE}"
        )


def _were_not_trained_on(
    stored: RowKeys, hashes: Mapping[str, Hashes], digests: Mapping[str, NDArray[np.uint32]]
) -> NDArray[np.bool_]:
    """Return which rows have no key of a training row, by keys that distinguish rows."""
    kept = [
        ~stored.trained[name].contains(values) & stored.trained[name].decides(hashes[name])
        for name, values in digests.items()
    ]
    unseen: NDArray[np.bool_] = np.logical_and.reduce(kept)
    return unseen


def _after_the_cut(
    cut: TimeCut | None, frame: pd.DataFrame, held_out: NDArray[np.bool_], date_format: str | None
) -> NDArray[np.bool_] | None:
    """Return which held-out rows are later than the champion's training rows; None without a common time.

    Raises
    ------
    TrainingError
        If the times are not of the kind that they were.
    """
    if cut is None or cut.column not in frame.columns:
        return None
    if types.is_numeric_dtype(frame[cut.column]) != cut.is_number:
        kinds = ("numbers", "dates") if cut.is_number else ("dates", "numbers")
        raise TrainingError(
            f"{cut.column} contained {kinds[0]} at its training and contains {kinds[1]} here."
        )
    return time_numbers(frame[cut.column], date_format)[held_out] >= cut.value


def _hash_ids(recipe: KeyRecipe, frame: pd.DataFrame) -> dict[str, Hashes]:
    """Return the hashes of the ids; nothing when they distinguish no rows, or a column of them is absent."""
    is_there = recipe.has_ids and set(recipe.id_columns) <= set(frame.columns)
    return {IDS: hash_ids(frame, recipe.id_columns)} if is_there else {}


def _ids_are_alike(stored: RowKeys, key: bytes, frame: pd.DataFrame) -> bool:
    """Whether ids of the file are written as at the training of the champion: some must be the same."""
    return any(
        stored.trained[name].contains(digest_rows(hashes, key)).any()
        for name, hashes in _hash_ids(stored.recipe, frame).items()
    )


def _were_held_out(stored: RowKeys, digests: Mapping[str, NDArray[np.uint32]]) -> NDArray[np.bool_]:
    """Return which rows the champion had held out, too: the only safe ones where rows are much alike."""
    is_held_out = np.zeros(len(next(iter(digests.values()))), dtype=bool)
    for name, held_out in stored.held_out.items():
        if name in digests:
            is_held_out |= held_out.contains(digests[name])
    return is_held_out


def _rewritten_share(
    stored: RowKeys, key: bytes, features: FeatureHashes, unseen: NDArray[np.bool_]
) -> float:
    """Estimate how many rows (0..1) are near a training row beyond chance: copies with other values."""
    shares = [0.0]
    for near in stored.recipe.near:
        trained, near_hashes = stored.trained[near.name], features.by_key([near])[near.name][unseen]
        near_hashes = near_hashes[trained.decides(near_hashes)]
        if len(near_hashes) >= MIN_COMPARED_ROWS:
            share = float(trained.contains(digest_rows(near_hashes, key)).mean())
            error = (max(share, near.chance) / len(near_hashes)) ** 0.5
            shares.append((share - near.chance - N_ERRORS * error) / (1.0 - near.chance))
    return max(shares)


def _sample(digests: NDArray[np.uint32]) -> tuple[int, ...]:
    return tuple(int(digest) for digest in np.unique(digests)[:N_LOOKED_AT])
