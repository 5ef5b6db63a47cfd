"""A collection of bad files, each with what a good system does with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Contract
from mlops.models.settings.group import GroupSettings
from tests.bad_files import CLEAN, ID, NEED_THE_CONTRACT, TARGET, BadFile, bad_files

SETTINGS = GroupSettings(target=TARGET, id_columns=(ID,))
FILES = bad_files()


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """What the clean table teaches."""
    path = tmp_path_factory.mktemp("contract") / "clean.csv"
    path.write_bytes(CLEAN)
    return learn_contract(path, SETTINGS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_bad_file_gets_its_verdict_and_a_reason(file: BadFile, contract: Contract, tmp_path: Path) -> None:
    check(file, contract, tmp_path)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_so_does_the_first_file_of_a_group(file: BadFile, tmp_path: Path) -> None:
    if file.name not in NEED_THE_CONTRACT:
        check(file, None, tmp_path)


def check(file: BadFile, contract: Contract | None, folder: Path) -> None:
    """Judge a file, and compare verdict, reason and number of rows."""
    path = folder / file.name
    path.write_bytes(file.content)
    report = validate(path, SETTINGS, contract)
    messages = [finding.message for finding in report.findings]
    assert report.verdict in file.verdicts, messages
    assert type(report).from_json(report.to_json()) == report
    if report.verdict != "accept" and file.reason:
        assert any(re.search(file.reason, message, re.IGNORECASE) for message in messages), messages
    assert file.n_rows in (None, report.n_rows)


def test_the_names_of_the_files_are_unique() -> None:
    assert len({file.name for file in FILES}) == len(FILES) > 60
