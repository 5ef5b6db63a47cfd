"""A collection of bad files, each with what a good system does with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings

SETTINGS = GroupSettings(target="adherent", id_columns=("patient_id",))


def complaints(entry: dict[str, Any], folder: Path, *, with_contract: bool) -> list[str]:
    """Say in which ways the verdict over one file is not the expected one."""
    contract = learn_contract(folder / "a01_clean.csv", SETTINGS) if with_contract else None
    report = validate(folder / entry["file"], SETTINGS, contract)
    wrong = []
    if report.verdict not in {entry["verdict"], *entry["also_ok"]}:
        wrong.append(f"{entry['file']}: verdict {report.verdict}, expected {entry['verdict']}")
    assert type(report).from_json(report.to_json()) == report, entry["file"]
    messages = [finding.message for finding in report.findings]
    pattern = re.compile(entry["reason_must_match"], re.IGNORECASE)
    if report.verdict != "accept" and pattern.pattern and not any(map(pattern.search, messages)):
        wrong.append(f"{entry['file']}: no message matches {pattern.pattern}: {messages}")
    if entry["expected_rows"] not in (None, report.n_rows):
        wrong.append(f"{entry['file']}: {report.n_rows} rows, expected {entry['expected_rows']}")
    return wrong


@pytest.mark.parametrize(("with_contract", "tolerated"), [(True, ()), (False, ("c49_negative_counts.csv",))])
def test_every_bad_file_gets_its_verdict_and_a_reason(
    shared_dir: Path, with_contract: bool, tolerated: tuple[str, ...]
) -> None:
    folder = shared_dir / "csv-nasties"
    entries = json.loads((folder / "expected.json").read_text("utf-8"))["files"]
    wrong = [
        complaint
        for entry in entries
        if entry["file"] not in tolerated  # that counts are not negative only a contract can know
        for complaint in complaints(entry, folder, with_contract=with_contract)
    ]
    assert wrong == []
    assert len(entries) > 60
