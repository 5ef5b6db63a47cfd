"""The keys of rows that are stored with a model: what they recognise, and what they do not reveal."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.infrastructure.row_key import user_row_key
from mlops.models.errors import ArtifactError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifacts.row_keys import DigestSet, RowKeys, digest_rows
from mlops.pipelines.features.row_identity import describe_rows, hash_ids
from mlops.pipelines.features.training_rows import prepare_rows

from .conftest import build_table

KEY, OTHER = bytes(range(32)), bytes(32)


def keys_of(frame: pd.DataFrame, key: bytes = KEY, **config) -> RowKeys:
    settings = GroupSettings.from_config({"target": "outcome", "id_columns": "patient_id", **config})
    return describe_rows(prepare_rows(frame, settings), key)


def test_a_digest_says_nothing_about_a_known_id_without_the_key():
    frame = build_table(400)
    digests = keys_of(frame).trained["ids"].values
    hashes = hash_ids(frame, ("patient_id",))
    assert np.isin(digests, digest_rows(hashes, KEY)).all()
    assert not np.isin(digests, digest_rows(hashes, OTHER)).any()
    assert not np.isin(digests, hashes.astype(np.uint32)).any()


def siphash(message: bytes, key: bytes) -> int:
    """SipHash-2-4, written after the paper of Aumasson and Bernstein (2012)."""
    limit = 2**64 - 1
    k0, k1 = (int.from_bytes(key[start : start + 8], "little") for start in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rotated(word: int, bits: int) -> int:
        return (word << bits | word >> 64 - bits) & limit

    def rounds(count: int) -> None:
        for _ in range(count):
            for left, right, bits in ((0, 1, 13), (2, 3, 16), (0, 3, 21), (2, 1, 17)):
                v[left] = (v[left] + v[right]) & limit
                v[right] = rotated(v[right], bits) ^ v[left]
                if bits in (13, 17):
                    v[left] = rotated(v[left], 32)

    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) % 256])
    for start in range(0, len(padded), 8):
        word = int.from_bytes(padded[start : start + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def mixed(word: int) -> int:
    """The last step of pandas: a permutation of 64 bits that has no key."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


def test_a_digest_is_that_of_siphash_with_a_key_derived_from_the_one_of_the_group():
    assert siphash(bytes(range(15)), bytes(range(16))) == 0xA129CA6149BE45E5  # the vector of the paper
    hashes = np.array([1, 256, 2**63 + 5, 0], dtype=np.uint64)
    derived = hashlib.blake2b(b"row digests", digest_size=12, key=KEY).digest()
    messages = [int(row).to_bytes(8, "little").rstrip(b"\0") for row in hashes]
    expected = [mixed(siphash(one, urlsafe_b64encode(derived))) % 2**32 for one in messages]
    assert digest_rows(hashes, KEY).tolist() == expected


def test_the_stored_file_contains_no_id_and_no_value(tmp_path: Path):
    frame = build_table(400)
    keys_of(frame).save(tmp_path / "row_keys.npz")
    content = (tmp_path / "row_keys.npz").read_bytes()
    assert KEY not in content
    assert not [text for text in frame.patient_id if text.encode() in content]
    assert b"north" not in content


def test_the_keys_are_the_same_after_they_were_stored(tmp_path: Path):
    keys = keys_of(build_table(400), time_column="visited")
    keys.save(tmp_path / "row_keys.npz")
    loaded = RowKeys.load(tmp_path / "row_keys.npz")
    assert loaded.recipe == keys.recipe
    assert loaded.recipe.time_cut.column == "visited"
    assert all(
        np.array_equal(loaded.trained[name].values, found.values) for name, found in keys.trained.items()
    )


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_a_damaged_file_is_an_artifact_error(tmp_path: Path, content: bytes):
    (tmp_path / "row_keys.npz").write_bytes(content)
    with pytest.raises(ArtifactError, match="cannot be read"):
        RowKeys.load(tmp_path / "row_keys.npz")


def test_of_very_many_rows_a_known_sample_is_stored():
    hashes = np.random.default_rng(0).integers(0, 2**64, 5_000, dtype=np.uint64)
    digests = DigestSet.of(hashes, KEY, most=1_000)
    decided = digests.decides(hashes)
    assert decided.sum() == len(digests.values) == 1_000
    assert digests.contains(digest_rows(hashes, KEY))[decided].all()


def test_of_few_different_rows_all_are_stored():
    hashes = np.repeat(np.random.default_rng(0).integers(0, 2**64, 40, dtype=np.uint64), 500)
    digests = DigestSet.of(hashes, KEY, most=50)
    assert len(digests.values) == 40
    assert digests.decides(hashes).all()
    sample = DigestSet.of(hashes, KEY, most=30)
    assert sorted(set(hashes[sample.decides(hashes)])) == sorted(set(hashes))[:30]


@pytest.mark.parametrize("written", ["7", " 7 ", "007", "7.0"])
def test_an_id_is_the_same_however_it_is_written(written: str):
    ids = [pd.DataFrame({"patient": [text, "8"]}) for text in (written, "7")]
    assert np.array_equal(*(hash_ids(frame, ("patient",)) for frame in ids))


def test_ids_that_are_on_both_sides_of_the_split_do_not_distinguish_rows():
    frame = build_table(600)
    frame["patient_id"] = [f"P{number % 20}" for number in range(len(frame))]
    assert not keys_of(frame, time_column="visited").recipe.has_ids


def test_features_of_few_values_do_not_distinguish_rows():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 3, 600), "b": rng.choice(["x", "y"], 600)})
    frame["patient_id"], frame["outcome"] = [f"P{n}" for n in range(600)], rng.choice(["no", "yes"], 600)
    recipe = keys_of(frame).recipe
    assert (recipe.is_selective, recipe.has_ids) == (False, True)


def test_the_key_of_a_user_is_made_once_and_only_the_user_reads_it(tmp_path: Path):
    path = tmp_path / "state" / "row-key"
    variables = {"MLOPS_ROW_KEY_FILE": str(path)}
    assert user_row_key(variables) == user_row_key(variables) == path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["row-key"]


def test_without_a_place_for_a_key_there_is_none(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert user_row_key({"MLOPS_ROW_KEY_FILE": str(tmp_path / "file" / "row-key")}) is None
