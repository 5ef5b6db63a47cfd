"""The ledger of the deployed application, as a person reads it and as it is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.stack import DeployedStack
from tests.e2e.approvals import run_mlops
from tests.e2e.walks import GROUP


def in_ledger(stack: DeployedStack, name: str, group: str = GROUP) -> bool:
    """Whether a file whose name begins so is in the ledger of a group."""
    return any(f"/{name}" in key for key in stack.keys(f"ledger/model_group={group}/"))


def rows_of_the_ledger(stack: DeployedStack, *words: str) -> list[Mapping[str, Any]]:
    """What `mlops predictions` prints, which Athena has read."""
    rows: list[Mapping[str, Any]] = json.loads(run_mlops(stack, "predictions", GROUP, "--json", *words))
    return rows


def copy_ledger(stack: DeployedStack, folder: Path) -> Path:
    """Copy the files of the ledger into a folder, under the names that they have in the bucket."""
    for key in stack.keys("ledger/"):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stack.read(key))
    return folder / "ledger"
