"""The policy records over every table: revisions are stored once, in order, and all of them are kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.approval.policy.store import PolicyStore
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.models.approval import PolicyRecord
from mlops.models.settings.gate import GateRule
from tests.memory_table import MemoryTable

RECORD = PolicyRecord(
    "g",
    approvers=("ada@example.com",),
    required_approvals=2,
    gate_floors={"roc_auc": GateRule(0.7, min_relative_change=-0.01)},
    retraining="never",
    revision=1,
    changed_by="grace",
    reason="four eyes",
)


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> PolicyStore:
    if request.param == "memory":
        return PolicyStore(MemoryTable())
    if request.param == "sqlite":
        return PolicyStore(SqliteTable(tmp_path / "policies.sqlite3"))
    request.getfixturevalue("registry_table")
    return PolicyStore(DynamoDBTable("policies"))


def test_a_record_is_read_back_equal(store: PolicyStore) -> None:
    assert store.put(RECORD)
    assert store.get("g") == RECORD
    assert store.get("h") == PolicyRecord("h")


def test_every_revision_is_kept_in_order(store: PolicyStore) -> None:
    revisions = [replace(RECORD, revision=number) for number in range(1, 12)]
    assert all(map(store.put, revisions))
    assert store.history("g") == revisions


def test_a_revision_is_stored_by_one_writer_only(store: PolicyStore) -> None:
    store.put(RECORD)
    rivals = [replace(RECORD, revision=2, changed_by=f"writer {number}") for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        stored = list(pool.map(store.put, rivals))
    assert stored.count(True) == 1
    assert store.get("g") == store.history("g")[1] == rivals[stored.index(True)]


def test_a_revision_is_not_skipped_or_repeated(store: PolicyStore) -> None:
    assert not store.put(replace(RECORD, revision=2))
    assert store.put(RECORD)
    assert not store.put(RECORD)
    assert not store.put(replace(RECORD, revision=3))
