"""Changing what a group's files are held against: the lines of a refusal put into `model.toml`."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from mlops.dataset.catalog.acceptance import current_contract
from mlops.dataset.catalog.catalog import DatasetCatalog
from mlops.dataset.validation.contract_text import render_contract
from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.reading import read_table
from mlops.dataset.validation.survey.expectations import expected_contract, next_contract
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import ColumnContract, Contract, Finding, ValidationReport
from mlops.models.errors import DatasetError, SettingsError
from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.intake_world import World

ROWS = [
    {
        "patient_id": f"P{1000 + i}",
        "age": str(20 + (i * 37) % 60),
        "plan": ("gold", "silver", "bronze")[(i * 7) % 3],
        "dose": f"{(i * 13) % 90}.{i % 9 + 1}",
        "adherent": "yes" if (i * i + i // 3) % 5 < 3 else "no",
    }
    for i in range(120)
]
BASE = 'target = "adherent"\nid_columns = ["patient_id"]\n'


def table(**columns: object) -> str:
    """The rows with columns replaced (a function of the position), added, or removed (None)."""
    rows = []
    for i, row in enumerate(ROWS):
        changed: dict[str, str] = dict(row)
        for name, make in columns.items():
            if make is None:
                del changed[name]
            else:
                changed[name] = str(make(i))  # type: ignore[operator]
        rows.append(changed)
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


CHANGES = {
    "missing_columns": {"dose": None},
    "extra_columns": {"weight": lambda i: 50 + i * 7 % 40},
    "type_mismatch": {"dose": lambda i: "high" if i % 2 else "low"},
    "out_of_range": {"age": lambda i: 12 * (20 + i * 37 % 60)},
    "unknown_category": {"plan": lambda i: ("gold", "platinum")[i * 7 % 2]},
    "missing_share": {"dose": lambda i: i * 13 % 90 + 0.5 if i % 3 else ""},
    "type_changed": {"age": lambda i: 20.5 + i * 37 % 60},
}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return learn_contract(written(tmp_path, table()), GroupSettings.from_toml(BASE))


def written(folder: Path, content: str) -> Path:
    path = folder / "file.csv"
    path.write_text(content, "utf-8")
    return path


def the_finding(report: ValidationReport, rule_id: str) -> Finding:
    (finding,) = (f for f in report.findings if f.rule_id == rule_id)
    return finding


@pytest.mark.parametrize("rule_id", CHANGES)
def test_the_lines_that_a_finding_names_accept_the_change(
    rule_id: str, contract: Contract, tmp_path: Path
) -> None:
    path = written(tmp_path, table(**CHANGES[rule_id]))
    finding = the_finding(validate(path, GroupSettings.from_toml(BASE), contract), rule_id)
    assert finding.accept_with is not None
    settings = GroupSettings.from_toml(BASE + finding.accept_with)
    again = validate(path, settings, contract)
    assert rule_id not in {f.rule_id for f in again.findings}
    assert again.verdict != "reject"


def test_many_absent_columns_are_accepted_by_a_new_contract(contract: Contract, tmp_path: Path) -> None:
    others = tuple(ColumnContract(f"extra{i}", "number", "feature") for i in range(9))
    wide = replace(contract, columns=(*contract.columns, *others))
    finding = the_finding(validate(written(tmp_path, table()), tomllib.loads(BASE), wide), "missing_columns")
    assert finding.accept_with is not None
    assert validate(
        tmp_path / "file.csv", tomllib.loads(finding.accept_with + "\n" + BASE), wide
    ).findings == (validate(tmp_path / "file.csv", tomllib.loads(BASE)).findings)


def test_a_file_to_score_is_offered_no_lines(contract: Contract, tmp_path: Path) -> None:
    path = written(tmp_path, table(dose=None))
    report = validate(path, GroupSettings.from_toml(BASE), contract, purpose="inference")
    assert report.verdict == "reject"
    assert {finding.accept_with for finding in report.findings} == {None}


def test_an_optional_column_may_be_absent_from_training_only(contract: Contract, tmp_path: Path) -> None:
    path = written(tmp_path, table(dose=None))
    settings = GroupSettings.from_toml(BASE + "[columns.dose]\nrequired = false\n")
    assert validate(path, settings, contract).verdict == "accept"
    assert validate(path, settings, contract, purpose="inference").verdict == "reject"


def test_digits_declared_as_text_stay_text_from_the_first_file_on(tmp_path: Path) -> None:
    path = written(tmp_path, table(zip=lambda i: 10_000 + i * 7 % 12))
    settings = GroupSettings.from_toml(BASE + '[columns.zip]\nkind = "category"\n')
    assert read_table(path)["zip"].dtype == "int64"
    assert read_table(path, settings=settings)["zip"].tolist()[:2] == ["10000", "10007"]
    report = validate(path, settings)
    assert report.verdict == "accept"
    assert report.contract is not None
    column = next_contract(None, report.contract, settings).column("zip")
    assert column is not None
    assert (column.kind, column.levels and column.levels[0]) == ("category", "10000")


def test_a_stated_bound_counts_exactly_where_a_learned_one_has_slack(
    contract: Contract, tmp_path: Path
) -> None:
    path = written(tmp_path, table(age=lambda i: 81 if i == 7 else 20 + i * 37 % 60))
    assert "out_of_range" not in {f.rule_id for f in validate(path, tomllib.loads(BASE), contract).findings}
    settings = GroupSettings.from_toml(BASE + "[columns.age]\nmaximum = 80\n")
    assert the_finding(validate(path, settings, contract), "out_of_range").lines == (9,)
    assert the_finding(validate(path, settings), "out_of_range").lines == (9,), "without a contract too"


def test_stating_the_kind_of_a_column_is_not_consent_to_personal_data(tmp_path: Path) -> None:
    path = written(tmp_path, table(contact=lambda i: f"user{i}@example.org"))
    settings = GroupSettings.from_toml(BASE + '[columns.contact]\nkind = "text"\n')
    assert validate(path, settings).verdict == "reject"


def test_what_is_not_stated_any_more_is_as_it_was_learned(contract: Contract) -> None:
    stated = GroupSettings.from_toml(BASE + "[columns.age]\nmaximum = 500\n")
    second = next_contract(contract, contract, stated)
    assert second.version == 2
    assert next_contract(second, contract, stated) == second
    third = next_contract(second, contract, GroupSettings.from_toml(BASE))
    assert (third.version, third.columns) == (3, contract.columns)


def test_what_a_file_is_held_against_does_not_change_when_it_is_worked_out_twice(contract: Contract) -> None:
    for text in (
        BASE,
        "contract = 2\n" + BASE,
        BASE + '[columns.age]\nkind = "text"\n[columns.new]\nminimum = 0\n',
    ):
        settings = GroupSettings.from_toml(text)
        for existing in (None, contract):
            once = expected_contract(existing, settings, "training")
            assert expected_contract(once, settings, "training") == once


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('[columns.age]\nkinb = "text"', "Did you mean 'kind'"),
        ('[columns.age]\nkind = "zip"', "integer, number, date, category, text"),
        ("[columns.age]\nminimum = 9\nmaximum = 3", "above maximum"),
        ('[columns.age]\nkind = "text"\nminimum = 3', "for numbers"),
        ("[columns.age]\nmissing_share = 30", "between 0 and 1"),
        ('[columns.age]\nlevels = ["a"]\nopen_levels = true', "not both"),
        ("[columns.age]\nrequired = 1", "true or false"),
        ("columns = 3", "must be a table"),
    ],
)
def test_a_statement_that_cannot_be_meant_is_refused(line: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        GroupSettings.from_toml(line)


@pytest.mark.parametrize("value", ["0", "true", '"two"', "1.5"])
def test_a_contract_is_requested_by_a_whole_number(value: str) -> None:
    with pytest.raises(SettingsError, match="contract"):
        GroupSettings.from_toml(f"contract = {value}")


def test_a_rejected_file_goes_through_with_the_lines_of_its_own_report(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.drop("g/model.toml", BASE)
    world.receive(world.drop("g/training/a.csv", table()))
    changed = table(dose=None)
    refused = world.drop("g/training/b.csv", changed)
    assert world.receive(refused).outcome == "rejected"
    (_, body) = world.notifier.emails[-1]
    place = f"quarantine/g/{refused.upload_id}/report.json"
    (document,) = (f.ref for f in world.objects.list("artifacts", place))
    (lines,) = (
        f["accept_with"] for f in json.loads(world.objects.read(document))["findings"] if f["accept_with"]
    )
    assert all(line in body for line in lines.splitlines())

    world.drop("g/model.toml", BASE + lines)
    assert world.receive(world.drop("g/training/b again.csv", changed)).outcome == "accepted"
    now = current_contract("g", world.ports())
    assert now is not None
    assert now.version == 2
    first, second = world.versions.list_datasets("g")
    assert first.contract != second.contract, "each dataset keeps the contract that it was checked against"


def test_a_contract_is_learned_again_once_when_the_settings_say_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.drop("g/model.toml", BASE)
    world.receive(world.drop("g/training/a.csv", table()))
    world.drop("g/model.toml", "contract = 2\n" + BASE)
    other = table(age=None, weight=lambda i: 50 + i * 7 % 40)
    assert world.receive(world.drop("g/training/b.csv", other)).outcome == "accepted"
    contract = current_contract("g", world.ports())
    assert contract is not None
    assert (contract.version, "weight" in contract.names, "age" in contract.names) == (2, True, False)
    assert world.receive(world.drop("g/training/c.csv", table())).reason == "missing_columns"


def test_the_same_bytes_can_bring_a_new_contract(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.drop("g/model.toml", BASE)
    world.receive(world.drop("g/training/a.csv", table()))
    world.drop("g/model.toml", BASE + "[columns.age]\nmaximum = 120\n")
    world.receive(world.drop("g/training/again.csv", table()))
    contract = current_contract("g", world.ports())
    assert contract is not None
    assert contract.version == 2
    assert len(world.versions.list_datasets("g")) == 1


def test_a_contract_is_shown_by_version(tmp_path: Path) -> None:
    world = World(tmp_path)
    catalog = DatasetCatalog(world.versions, world.objects, world.models)
    with pytest.raises(DatasetError, match="no contract yet"):
        catalog.contract("g")
    for text in (BASE, BASE + "[columns.age]\nmaximum = 120\nrequired = false\n"):
        world.drop("g/model.toml", text)
        world.receive(world.drop("g/training/a.csv", table()))
    shown = render_contract(catalog.contract("g"), group="g")
    assert "contract 2" in shown
    assert "20 to 120*" in shown
    assert "may be absent*" in shown
    assert "*" not in render_contract(catalog.contract("g", 1), group="g")
    with pytest.raises(DatasetError, match="no contract of version 9"):
        catalog.contract("g", 9)


@pytest.mark.parametrize(
    ("line", "rule_id", "message"),
    [
        ('algorithm = "RandomForrest"', "untrainable_settings", "RandomForest"),
        ('algorithm = "Ridge"\n[hyperparameters]\nC_ = 1', "untrainable_settings", "C_"),
        (f"exclude_columns = {[f'column {n}' for n in range(9_000)]}", "settings", "the limit is 100,000"),
        ("[gate]\nr2 = 0.5", "gate_scores", "two classes"),
        ("[gate]\nroc_aux = 0.5", "gate_scores", "roc_auc"),
    ],
)
def test_settings_that_cannot_be_trained_with_are_refused_at_intake(
    line: str, rule_id: str, message: str, tmp_path: Path
) -> None:
    world = World(tmp_path)
    world.drop("g/model.toml", BASE + line)
    assert world.receive(world.drop("g/training/a.csv", table())).reason == rule_id
    assert message in world.notifier.emails[-1][1]
    assert not world.executions.training
