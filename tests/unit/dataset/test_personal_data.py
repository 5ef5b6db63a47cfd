"""Personal data is noticed by one rule, in dropped files and in trainings, and its advice can be followed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Finding
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.training_rows import prepare_rows
from tests.unit.dataset.patients import patients

NO_IDS = {"target": "adherent"}
WITH_ID = {"target": "adherent", "id_columns": ["patient_id"]}


def of_emails(column: str, **more: str) -> pd.DataFrame:
    """Patients with an email address in one column."""
    addresses = [f"u{row}@example.org" for row in range(120)]
    return pd.DataFrame(patients()).assign(**{column: addresses}, **more)


def findings(
    frame: pd.DataFrame, folder: Path, config: dict[str, object], *, purpose: str = "training"
) -> list[Finding]:
    path = folder / "file.csv"
    frame.to_csv(path, index=False)
    report = validate(path, GroupSettings.from_config(config), purpose=purpose)
    return [finding for finding in report.findings if finding.rule_id == "pii"]


@pytest.mark.parametrize(
    ("column", "value", "config"),
    [
        ("contact", "u{}@example.org", WITH_ID),
        ("patient_id", "u{}@example.org", NO_IDS),
        ("patient_id", "u{}@example.org", WITH_ID),
        ("ssn", "123-45-{:04d}", WITH_ID),
        ("ssn", "123-45-{:04d}", {**WITH_ID, "exclude_columns": ["ssn"]}),
        ("last_name", "Name{}", WITH_ID),
        ("age", "{}", WITH_ID),
    ],
)
def test_a_training_notices_what_a_dropped_file_is_refused_for(
    tmp_path: Path, column: str, value: str, config: dict[str, object]
) -> None:
    frame = pd.DataFrame(patients()).assign(**{column: [value.format(row) for row in range(120)]})
    expected = [finding.message for finding in findings(frame, tmp_path, config)]
    for source in (tmp_path / "file.csv", frame):
        notes = prepare_rows(source, GroupSettings.from_config(config)).notes
        assert [note for note in notes if "(PII)" in note] == expected


def test_a_training_with_an_accepted_contract_repeats_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    pd.DataFrame(patients()).assign(last_name=[f"Name{row}" for row in range(120)]).to_csv(path, index=False)
    settings = GroupSettings.from_config(WITH_ID)
    assert "(PII)" in " ".join(prepare_rows(path, settings).notes)
    assert "(PII)" not in " ".join(prepare_rows(path, settings, learn_contract(path, settings)).notes)


@pytest.mark.parametrize(
    ("column", "config"),
    [
        ("contact", WITH_ID),
        ("contact", {**WITH_ID, "exclude_columns": ["plan"]}),
        ("patient_id", NO_IDS),
    ],
)
def test_the_offered_lines_accept_the_file_and_keep_what_is_stated(
    tmp_path: Path, column: str, config: dict[str, object]
) -> None:
    [finding] = findings(of_emails(column), tmp_path, config)
    offered = tomllib.loads(str(finding.accept_with))
    assert findings(of_emails(column), tmp_path, {**config, **offered}) == []
    assert set(config.get("exclude_columns", ())) <= set(offered.get("exclude_columns", ("plan",)))  # type: ignore[arg-type, call-overload]


@pytest.mark.parametrize(
    ("column", "config"),
    [
        ("adherent", WITH_ID),
        ("household", {**WITH_ID, "group_columns": ["household"]}),
    ],
)
def test_nothing_that_the_settings_need_is_to_be_left_out(
    tmp_path: Path, column: str, config: dict[str, object]
) -> None:
    [finding] = findings(of_emails(column), tmp_path, config)
    assert finding.accept_with is None
    assert not re.search("exclude|leave|Remove", str(finding.advice))


def test_a_file_to_score_is_not_corrected_in_settings_that_do_not_apply_to_it(tmp_path: Path) -> None:
    [finding] = findings(of_emails("contact"), tmp_path, WITH_ID, purpose="inference")
    assert (finding.severity, finding.accept_with) == ("reject", None)
    assert "Remove the column from the file" in str(finding.advice)
