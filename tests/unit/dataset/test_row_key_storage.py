"""Repeated keys are found in ranges of their values, and keys are stored in a file once there are many."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mlops.dataset.validation.survey import row_keys
from mlops.dataset.validation.survey.repeats import find_repeats
from mlops.dataset.validation.survey.spill import Spill
from mlops.dataset.validation.validate import validate

N_KEYS = 3_000


def keys_of(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Spread whole numbers over all 64-bit keys, as hashes are."""
    return (values.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)


SHAPES = {
    "all different": np.arange(N_KEYS),
    "all equal": np.zeros(N_KEYS, np.int64),
    "few values": np.arange(N_KEYS) * 7 % 13,
    "some repeat": np.random.default_rng(3).integers(0, 2 * N_KEYS, N_KEYS),
    "the second half repeats the first": np.tile(np.arange(N_KEYS // 2), 2),
    "none": np.zeros(0, np.int64),
}


@pytest.mark.parametrize("keys_at_once", [10**6, N_KEYS, 100, 7])
@pytest.mark.parametrize("shape", SHAPES)
def test_repeats_are_those_of_a_count_however_few_keys_are_sorted_at_once(
    shape: str, keys_at_once: int
) -> None:
    values, spill = SHAPES[shape], Spill(memory_bytes=1000)
    pieces = [spill.store(piece) for piece in np.array_split(keys_of(values), 7)]
    actual = find_repeats(pieces, keys_at_once=keys_at_once)
    counts, seen = Counter(values.tolist()), Counter[int]()
    for row, value in enumerate(values.tolist()):
        assert actual.shared[row] == (counts[value] > 1)
        assert actual.repeated[row] == (seen[value] > 0)
        seen[value] += 1


@pytest.mark.parametrize("n_distinct", [2_000_000, 3])
def test_keys_are_compared_in_less_memory_than_they_have(n_distinct: int) -> None:
    n_keys, spill = 2_000_000, Spill(memory_bytes=1000)
    numbers = (np.arange(start, start + 20_000) % n_distinct for start in range(0, n_keys, 20_000))
    pieces = [spill.store(keys_of(piece)) for piece in numbers]
    tracemalloc.start()
    repeats = find_repeats(pieces, keys_at_once=2**16)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert int(repeats.repeated.sum()) == n_keys - n_distinct
    assert peak_bytes < 4 * n_keys, "two marks and a range; the keys alone have 8 bytes each"


def test_what_is_stored_is_read_again_from_memory_and_from_a_file() -> None:
    arrays = [np.arange(n, dtype=np.int64) * 3 for n in (5, 0, 200, 1)]
    for memory_bytes in (10**6, 100):
        spill = Spill(memory_bytes)
        stored = [spill.store(array) for array in arrays]
        assert [one.read().tolist() for one in stored] == [array.tolist() for array in arrays]
        assert list(map(len, stored)) == list(map(len, arrays))


@pytest.mark.parametrize("many_lines", [0, 10**6])
def test_rows_are_compared_alike_whether_all_or_those_of_shared_ids_are_read_again(
    many_lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_keys, "_MANY_LINES", many_lines)
    rows = [f"P{row},{row % 50},{'note ' * 30}{row},{row % 2}" for row in range(20_000)]
    rows += [rows[5], f"P6,{7},other,1", rows[11_000]]
    path = tmp_path / "file.csv"
    path.write_text("\n".join(["patient_id,age,note,left", *rows]) + "\n")
    actual = {f.rule_id: f.lines for f in validate(path, {"target": "left"}).findings}
    assert actual["duplicate_ids"] == (20_002, 20_003, 20_004)
    assert actual["duplicate_rows"] == (20_002, 20_004)
