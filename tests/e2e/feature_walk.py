"""A walk through the feature store: definitions are applied, files dropped, values copied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.stack import DeployedStack
from mlops.infrastructure.clock import utc_now
from tests.e2e.approvals import run_mlops

DEFINITIONS = """
[[entity]]
name = "patient"
join_keys = ["patient_id"]
[[feature_view]]
name = "vitals"
entities = ["patient"]
schema = {bmi = "Float64"}
source = {timestamp_field = "at"}
expected_every_seconds = 3600
"""
VALUES = """\
patient_id,at,bmi
A,2026-02-01T00:00:00Z,20.5
A,2026-02-10T00:00:00Z,21.5
B,2026-02-10T00:00:00Z,
"""


@dataclass(frozen=True)
class FeatureWalk:
    """The emails about a good and a bad file, and the answer of the scheduled function."""

    stored_mail: dict[str, Any]
    refused_mail: dict[str, Any]
    materialized: dict[str, Any]


def walk_features(stack: DeployedStack, folder: Path) -> FeatureWalk:
    """Apply a view, drop a file by command and one that does not fit, run the schedule."""
    (folder / "features.toml").write_text(DEFINITIONS, encoding="utf-8")
    (folder / "march.csv").write_text(VALUES, encoding="utf-8")
    run_mlops(stack, "features", "apply", str(folder / "features.toml"))
    run_mlops(stack, "features", "ingest", "vitals", str(folder / "march.csv"))
    stack.drop(VALUES.replace("20.5", "tall").encode(), "_features/vitals/bad.csv")
    stored, refused = (
        stack.wait_for_email(lambda m, subject=subject: m["subject"] == f"[_features] {subject}", subject)
        for subject in ("march.csv: values stored", "bad.csv was rejected")
    )
    return FeatureWalk(stored, refused, stack.run_scheduled("MaterializeFeatures", utc_now()))
