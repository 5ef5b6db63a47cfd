"""Fixtures that every layer of tests shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# machines that run tests are busy: a slow example is no finding; the same examples everywhere make failures repeat
settings.register_profile("steady", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("steady")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Reference values and data sets that are not part of the project; absent on most machines."""
    directory = Path(os.environ.get("MLOPS_SHARED_DIR", REPOSITORY.parent / "shared"))
    if not directory.is_dir():
        pytest.skip("no directory with the shared reference data")
    return directory


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch):
    """moto in place of AWS, with credentials that are worth nothing."""
    from moto import mock_aws

    from mlops.infrastructure.clients import client

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    client.cache_clear()
    with mock_aws():
        yield
    client.cache_clear()
