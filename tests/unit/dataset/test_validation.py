"""Validation of files: what is refused, what is let through, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from mlops.dataset.limits import Limits
from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.errors import DatasetError, StepError
from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.patients import SETTINGS, Edit, Row, a_csv, cell, judge, renamed


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    path = tmp_path / "first.csv"
    path.write_text(a_csv(), "utf-8")
    return learn_contract(path, SETTINGS)


def test_a_clean_file_is_accepted_without_a_word(tmp_path: Path) -> None:
    report = judge(tmp_path, a_csv())
    assert (report.verdict, report.findings, report.n_rows) == ("accept", (), 120)


def test_a_file_is_accepted_by_the_contract_learned_from_it(tmp_path: Path, contract: Contract) -> None:
    assert judge(tmp_path, a_csv(), contract=contract).findings == ()


BAD_CELLS: Mapping[str, tuple[Edit, str, tuple[int, ...]]] = {
    "a word among numbers": (cell("age", "forty", 7), "type_mismatch", (9,)),
    "separators in the wrong places": (cell("copay_usd", '"12,34.50"', 3, 4), "type_mismatch", (5, 6)),
    "an underscore in a number": (cell("age", "1_000", 0), "type_mismatch", (2,)),
    "hexadecimal": (cell("age", "0x1F", 0), "type_mismatch", (2,)),
    "digits of another script": (cell("age", "٣٣", 5), "type_mismatch", (7,)),
    "a day that does not exist": (cell("last_visit", "2024-02-30", 2), "type_mismatch", (4,)),
    "infinity": (cell("copay_usd", "inf", 9), "non_finite", (11,)),
    "a field too many": (cell("plan", "gold,extra", 49), "ragged_row", (51,)),
    "text after a closing quote": (cell("plan", '"gold"x', 1), "bad_quoting", (3,)),
    "a backslash before a quote": (cell("plan", r'"a \"b\" c"', 1), "bad_quoting", (3,)),
    "an endless field": (cell("plan", "x" * 70_000, 1), "field_too_large", (3,)),
}


@pytest.mark.parametrize("case", BAD_CELLS)
def test_a_bad_cell_rejects_the_file_and_names_its_line(tmp_path: Path, case: str) -> None:
    edit, rule_id, lines = BAD_CELLS[case]
    report = judge(tmp_path, a_csv(edit))
    finding = next(finding for finding in report.findings if finding.rule_id == rule_id)
    assert (report.verdict, finding.severity, finding.lines) == ("reject", "reject", lines)


REMARKS: Mapping[str, tuple[Edit, str]] = {
    "several spellings of missing": (cell("age", "n.a.", 3, 9), "na_tokens"),
    "thousands separators": (cell("copay_usd", '"1,234.50"', 3, 4), "number_format"),
    "a sentinel": (cell("age", "-999", 3), "sentinels"),
    "a -1 among counts": (
        lambda t: [r.update(visits="-1" if i % 20 == 7 else str(i % 6)) for i, r in enumerate(t)] and None,
        "sentinels",
    ),
    "an amount beyond all numbers": (cell("age", "1" + "0" * 25, 5), "large_numbers"),
    "labels with space": (cell("adherent", "yes ", 3), "target_labels"),
    "rows without a label": (cell("adherent", "", 3, 4), "target_null"),
    "a repeated id": (cell("patient_id", "P1000", 5), "duplicate_ids"),
    "a formula": (cell("plan", "=1+1", 5), "formula_cells"),
    "a formula after a space": (cell("plan", " @SUM(1)", 5), "formula_cells"),
    "a formula in full width": (cell("plan", "\uff1d1+1", 5), "formula_cells"),
    "a character that cannot be seen": (cell("plan", "gold\u200bplus", 4), "cell_control_chars"),
    "the same in a long text": (cell("plan", f"gold\u200b{'plus' * 20}", 4), "cell_control_chars"),
    "a class that means missing": (cell("adherent", "?", *range(20)), "missing_labels"),
    "ages with an upper limit": (cell("age", "90+", *range(30)), "mixed_types"),
    "months before days": (cell("last_visit", "12/31/2024", *range(120)), "date_format"),
    "dates as numbers": (
        lambda t: [r.update({"visit_date": f"202401{10 + i % 9}"}) for i, r in enumerate(t)] and None,
        "date_format",
    ),
    "text of another encoding": (cell("plan", "Ã…lesund", 5), "damaged_text"),
    "a copied column": (lambda t: [r.update({"age.1": r["age"]}) for r in t] and None, "identical_columns"),
    "a name that is a formula": (renamed("plan", "=1+1"), "formula_names"),
    "a name that is a formula in full width": (renamed("plan", "\uff1d1+1"), "formula_names"),
    "a date that only one class has": (
        lambda t: [r.update(stopped="2024-05-01" if r["adherent"] == "no" else "") for r in t] and None,
        "leakage",
    ),
    "a date that stands for none": (cell("last_visit", "9999-12-31", 3, 9), "placeholder_dates"),
    "accents in two normal forms": (
        lambda t: [r.update(plan=("\u00c5", "A\u030a")[i % 2]) for i, r in enumerate(t)] and None,
        "value_case",
    ),
}


@pytest.mark.parametrize("case", REMARKS)
def test_a_remark_lets_the_file_through(tmp_path: Path, case: str) -> None:
    edit, rule_id = REMARKS[case]
    report = judge(tmp_path, a_csv(edit))
    assert report.verdict == "warn"
    assert rule_id in [finding.rule_id for finding in report.findings]


AGAINST_THE_CONTRACT: Mapping[str, tuple[Edit, str, str]] = {
    "a value outside the range": (cell("age", "700", 4), "out_of_range", "warn"),
    "another unit": (
        lambda t: [r.update(age=str(int(r["age"]) * 12)) for r in t] and None,
        "out_of_range",
        "reject",
    ),
    "a negative amount": (cell("copay_usd", "-3", 4), "out_of_range", "warn"),
    "a fraction among integers": (cell("age", "33.5", 4), "type_changed", "warn"),
    "a new category": (cell("plan", "platinum", 4), "unknown_category", "warn"),
    "a far smaller unit": (
        lambda t: [r.update(copay_usd=str(float(r["copay_usd"]) / 1000)) for r in t] and None,
        "out_of_range",
        "warn",
    ),
    "mail addresses among known plans": (
        lambda t: [r.update(plan=f"u{i}@example.org") for i, r in enumerate(t)] and None,
        "pii",
        "reject",
    ),
    "a renamed column": (renamed("age", "years"), "missing_columns", "reject"),
    "labels that only look equal": (
        cell("adherent", "yes\u200b", *range(0, 40, 2)),
        "target_labels",
        "reject",
    ),
    "a new label": (cell("adherent", "perhaps", *range(20)), "unknown_label", "warn"),
    "many missing values": (cell("age", "", *range(40)), "missing_share", "warn"),
}


@pytest.mark.parametrize("case", AGAINST_THE_CONTRACT)
def test_a_file_is_held_against_the_contract(tmp_path: Path, contract: Contract, case: str) -> None:
    edit, rule_id, severity = AGAINST_THE_CONTRACT[case]
    report = judge(tmp_path, a_csv(edit), contract=contract)
    assert (rule_id, severity) in [(finding.rule_id, finding.severity) for finding in report.findings]


def test_a_mark_that_means_missing_among_numbers_stays_a_value_in_text(tmp_path: Path) -> None:
    report = judge(tmp_path, a_csv(lambda t: [r.update(age="?", plan="?") for r in t[3:4]] and None))
    messages = {
        finding.column: finding.message for finding in report.findings if finding.rule_id == "na_tokens"
    }
    assert "read as missing: ? (1)" in messages["age"]
    assert "kept as values: ? (1)" in messages["plan"]


def test_a_standardised_age_is_not_an_impossible_age(tmp_path: Path) -> None:
    table = a_csv(lambda t: [r.update(age=f"{(i % 9 - 4) / 4:.3f}") for i, r in enumerate(t)] and None)
    assert "out_of_range" not in [finding.rule_id for finding in judge(tmp_path, table).findings]


def test_no_email_repeats_values_that_are_where_the_header_should_be(
    tmp_path: Path, contract: Contract
) -> None:
    headless = a_csv().split("\n", 1)[1]
    report = judge(tmp_path, headless, contract=contract)
    [reason] = report.of_severity("reject")
    assert "no header" in reason.message
    messages = (reason, *report.of_severity("warn"))
    assert "P1000" not in "".join(f"{finding.message} {finding.advice}" for finding in messages)


def test_advice_on_splitting_is_for_training_files_only(tmp_path: Path) -> None:
    content = a_csv(cell("patient_id", "P1000", 5))
    advice = {
        purpose: [f.advice for f in judge(tmp_path, content, purpose=purpose).findings]
        for purpose in ("training", "inference")
    }
    assert "group_column" in str(advice["training"])
    assert advice["inference"] == [None]


@pytest.mark.parametrize(("label", "verdict"), [("YES", "accept"), ("maybe", "reject")])
def test_a_positive_label_that_no_row_has_is_refused_before_training(
    tmp_path: Path, label: str, verdict: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(a_csv(), "utf-8")
    settings = GroupSettings(target="adherent", id_columns=("patient_id",), positive_label=label)
    assert validate(path, settings).verdict == verdict


@pytest.mark.parametrize("setting", ["id_columns", "group_columns", "time_column"])
def test_a_column_that_the_settings_name_must_be_there_for_training(tmp_path: Path, setting: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(a_csv(), "utf-8")
    named = "plans" if setting == "time_column" else ("plans",)
    settings = GroupSettings(target="adherent", **{setting: named})  # type: ignore[arg-type]
    [reason] = validate(path, settings).of_severity("reject")
    assert (reason.rule_id, reason.column) == ("settings_columns", "plans")
    assert "Did you mean 'plan'?" in str(reason.advice)
    assert "settings_columns" not in str(validate(path, settings, purpose="inference").findings)


def test_columns_are_matched_by_name_not_by_position(tmp_path: Path, contract: Contract) -> None:
    text = a_csv(lambda table: table.__setitem__(slice(None), [dict(reversed(row.items())) for row in table]))
    assert judge(tmp_path, text, contract=contract).verdict == "accept"


def test_a_copy_of_the_target_is_called_a_leak(tmp_path: Path) -> None:
    text = a_csv(
        lambda table: (
            [row.update(copay_usd="1" if row["adherent"] == "yes" else "0") for row in table] and None
        )
    )
    assert [(f.rule_id, f.column) for f in judge(tmp_path, text).findings] == [("leakage", "copay_usd")]


def test_personal_data_is_refused_and_never_repeated(tmp_path: Path) -> None:
    def with_mail(table: list[Row]) -> None:
        for position, row in enumerate(table):
            row["plan"] = f"canary{position}@example.org"

    report = judge(tmp_path, a_csv(with_mail))
    assert "pii" in [finding.rule_id for finding in report.of_severity("reject")]
    assert "canary" not in report.to_json()


def test_excluding_a_personal_column_lets_the_file_through(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    text = a_csv(lambda table: [row.update(plan=f"u{i}@example.org") for i, row in enumerate(table)] and None)
    path.write_text(text, "utf-8")
    settings = GroupSettings(target="adherent", id_columns=("patient_id",), exclude_columns=("plan",))
    assert validate(path, settings).verdict == "accept"


def test_labels_of_free_text_are_not_repeated(tmp_path: Path) -> None:
    def messages(table: list[Row]) -> None:
        for i, row in enumerate(table):
            row["adherent"] = f"canary {i}"

    report = judge(tmp_path, a_csv(messages))
    assert report.verdict == "reject"
    assert "canary" not in report.to_json()


def test_an_answer_of_minus_one_on_a_short_scale_is_not_a_sentinel(tmp_path: Path) -> None:
    text = a_csv(lambda table: [row.update(trend=str(i % 3 - 1)) for i, row in enumerate(table)] and None)
    assert judge(tmp_path, text).findings == ()


@pytest.mark.parametrize("rows", [0, 1, 49])
def test_too_few_rows_are_refused_for_training_but_not_for_scoring(tmp_path: Path, rows: int) -> None:
    text = a_csv(rows=rows)
    assert "too_few_rows" in [finding.rule_id for finding in judge(tmp_path, text).of_severity("reject")]
    scoring = judge(tmp_path, text, purpose="inference")
    assert (scoring.verdict == "reject") == (rows == 0)


def test_a_scoring_file_needs_no_target(tmp_path: Path, contract: Contract) -> None:
    text = a_csv(lambda table: [row.pop("adherent") for row in table] and None)
    assert judge(tmp_path, text, contract=contract, purpose="inference").verdict == "accept"
    assert judge(tmp_path, text, contract=contract).verdict == "reject"


@pytest.mark.parametrize(("max_rows", "verdict"), [(119, "reject"), (120, "accept")])
def test_a_table_of_too_many_rows_is_refused_with_the_limit(
    max_rows: int, verdict: str, tmp_path: Path
) -> None:
    report = judge(tmp_path, a_csv(), limits=Limits(max_rows=max_rows))
    assert report.verdict == verdict
    if verdict == "reject":
        (finding,) = report.findings
        assert finding.rule_id == "too_large"
        assert "more than 119 rows" in finding.message


def test_limits_are_parameters(tmp_path: Path) -> None:
    assert judge(tmp_path, a_csv(), limits=Limits(max_columns=5)).verdict == "reject"


def test_the_report_survives_json(tmp_path: Path) -> None:
    report = judge(tmp_path, a_csv(cell("age", "forty", 7)))
    assert ValidationReport.from_json(report.to_json()) == report


def test_the_same_file_gets_the_same_report(tmp_path: Path) -> None:
    text = a_csv(cell("age", "forty", 7))
    assert judge(tmp_path, text) == judge(tmp_path, text)


def test_a_missing_file_is_an_error_not_a_verdict(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no file"):
        validate(tmp_path / "nowhere.csv")


def test_a_fault_of_ours_quotes_no_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("could not convert string to float: 'canary@example.org'")

    monkeypatch.setattr(pd, "factorize", fail)
    with pytest.raises(StepError, match=r"ValueError at fields\.py:\d+") as caught:
        judge(tmp_path, a_csv(cell("plan", "long " * 20, 7)))
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__
