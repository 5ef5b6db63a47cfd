"""The stage on which asking and answering is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import create_table
from tests.functions.approval_stage import Stage, moto_with_executions
from tests.functions.parts_stage import PartsStage
from tests.functions.uploads_stage import UploadsStage


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, atomic_dynamodb: None):
    with moto_with_executions(monkeypatch):
        create_table("registry", "pk", "sk")
        create_table("policies", "pk", "sk")
        create_table("approvals", "pk", "sk", index=("OpenIndex", "open_kind"))
        yield Stage()


@pytest.fixture
def parts_stage(registry_table: str, repository: Path) -> PartsStage:
    """Buckets, table and machine for a folder of parts."""
    return PartsStage(repository, registry_table)


@pytest.fixture
def uploads(registry_table: str) -> UploadsStage:
    """A data bucket whose files are handed to intake."""
    return UploadsStage(registry_table)


@pytest.fixture
def link(stage) -> str:
    """The link of the one approver of v1.0.0."""
    stage.subscribe("ada@example.com")
    return stage.ask(stage.register())[0]
