"""A file of labels is read by what the model knows, and is refused as a whole when something is wrong."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.labels.reading import check_labels
from mlops.dataset.labels.terms import LabelTerms, NamedBatch, label_terms
from mlops.dataset.limits import Limits
from mlops.models.dataset import ColumnContract, Contract, ValidationReport
from mlops.models.settings.group import GroupSettings

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
BATCH = NamedBatch("1f0c2b3a4d5e6f708192a3b4c5d6e7f8", ("march.csv", "march-1f0c2b3a4d5e"), 3)
CONTRACT = Contract(
    (
        ColumnContract("patient_id", "text", "id"),
        ColumnContract("age", "integer", "feature"),
        ColumnContract("adherent", "category", "target", levels=("no", "rare", "yes")),
    ),
    target="adherent",
)

type Check = Callable[..., tuple[ValidationReport, list[list[str]]]]


def terms(contract: Contract = CONTRACT, classes: tuple[str, ...] = ("no", "yes")) -> LabelTerms:
    """What the model of the contract expects; there is one batch."""

    def batches(name: str) -> list[NamedBatch]:
        return [BATCH] if name in (BATCH.batch_id, *BATCH.names, "march") else []

    return label_terms(GroupSettings(), contract, contract.target, classes, batches)


@pytest.fixture
def check(tmp_path: Path) -> Check:
    def checked(
        text: str, of: LabelTerms | None = None, *, file_name: str = "labels.csv"
    ) -> tuple[ValidationReport, list[list[str]]]:
        source, target = tmp_path / "upload.csv", tmp_path / "rows.csv"
        source.write_text(text, encoding="utf-8")
        report = check_labels(
            TableFile(source, None), of or terms(), target, file_name=file_name, now=NOW, limits=Limits()
        )
        rows = list(csv.reader(target.read_text("utf-8").splitlines()))[1:] if target.exists() else []
        return report, rows

    return checked


def refused(report: ValidationReport) -> dict[str, str]:
    return {finding.rule_id: finding.message for finding in report.of_severity("reject")}


def test_ids_keep_their_zeros_and_classes_are_spelled_as_at_training(check: Check) -> None:
    report, rows = check("patient_id,adherent\n007,YES\n7,no\n")
    assert report.verdict == "accept", report.findings
    assert report.purpose == "labels"
    assert rows == [["1", "007", "", "", "yes", ""], ["2", "7", "", "", "no", ""]]


@pytest.mark.parametrize("name", ["adherent", "label", "outcome", "Label"])
def test_the_outcome_has_the_name_of_the_target_or_a_common_one(check: Check, name: str) -> None:
    report, rows = check(f"note;patient_id;{name}\nx;P1;yes\n")
    assert report.verdict == "warn"  # of the delimiter
    assert rows == [["1", "P1", "", "", "yes", ""]]


def test_rows_of_a_batch_are_named_by_its_column_or_by_the_name_of_the_file(check: Check) -> None:
    expected = [["1", "", BATCH.batch_id, "1", "yes", ""], ["2", "", BATCH.batch_id, "3", "no", ""]]
    for batch in ("march.csv", BATCH.batch_id):
        assert check(f"batch,row,label\n{batch},1,yes\n{batch},3,no\n")[1] == expected
    assert check("row,label\n1,yes\n3,no\n", file_name="march-1f0c2b3a4d5e.csv.gz")[1] == expected


def test_a_time_is_of_the_label_and_a_day_lasts_until_its_end(check: Check) -> None:
    _, rows = check(
        "patient_id,label,label_time\nP1,yes,2026-11-20\nP2,no,2026-11-20T08:30:00+02:00\nP3,no,\nP4,no,2026-11-28\n"
    )
    assert [row[-1] for row in rows] == [
        "2026-11-20 23:59:59.999000",
        "2026-11-20 06:30:00.000000",
        "",
        "2026-11-28 10:00:00.000000",
    ]


def test_numbers_are_read_in_the_notation_of_the_contract(check: Check) -> None:
    cost = ColumnContract("cost", "number", "target", decimal=",", thousands=".", unit="€")
    of = terms(Contract((CONTRACT.columns[0], cost), "cost"), ())
    assert [row[-2] for row in check('patient_id,cost\nP1,"1.234,50 €"\nP2,"7,00 €"\n', of)[1]] == [
        "1234.5",
        "7.0",
    ]
    report, _ = check('patient_id,cost\nP1,"1.234,50 €"\nP2,many\n', of)
    assert refused(report) == {"label_numbers": "1 label of outcomes that are not numbers, in row 2."}


def test_a_pooled_class_is_known_and_whole_numbers_are_classes_however_they_are_written(check: Check) -> None:
    assert check("patient_id,label\nP1,rare\n")[0].verdict == "accept"
    digits = Contract((CONTRACT.columns[0], ColumnContract("y", "integer", "target")), "y")
    assert [row[-2] for row in check("patient_id,y\nP1,1.0\nP2,0\n", terms(digits, ("0", "1")))[1]] == [
        "1",
        "0",
    ]


@pytest.mark.parametrize(
    ("text", "rule_id", "message"),
    [
        ("patient_id,result\nP1,yes\n", "label_columns", "no column with the outcome"),
        ("name,label\nP1,yes\n", "label_columns", "no column patient_id"),
        (
            "patient_id,label\nP1,yes\nP2,yess\nP3,dead\n",
            "unknown_classes",
            "'yess' (looks like 'yes'), 'dead', in rows 2, 3",
        ),
        ("patient_id,label\nP1,\nP2,\n", "no_labels", "No row has an id and an outcome"),
        ("patient_id,label,label_time\nP1,yes,2027-01-02\nP2,yes,2026-11-02\n", "future_labels", "in row 1"),
        ("patient_id,label,label_time\nP1,yes,soon\n", "label_times", "cannot be read, in row 1"),
        ("patient_id,label,label_time\nP1,yes,03/04/2026\n", "label_times", "cannot be read, in row 1"),
        ("batch,row,label\nmarch,1,yes\napril,1,yes\n", "label_batches", "in row 2"),
        ("batch,row,label\nmarch,4,yes\nmarch,0,yes\nmarch,1,no\n", "label_rows", "in rows 1, 2"),
        ("row,label\n1,yes\n", "label_batches", "in row 1"),
        ("", "empty_file", "empty"),
    ],
)
def test_what_is_wrong_refuses_the_file_and_says_what_to_do(
    check: Check, text: str, rule_id: str, message: str
) -> None:
    report, _ = check(text)
    assert report.verdict == "reject"
    assert message in refused(report)[rule_id]
    finding = next(finding for finding in report.findings if finding.rule_id == rule_id)
    assert finding.advice


def test_rows_without_an_outcome_or_an_id_are_left_out_and_counted(check: Check) -> None:
    report, rows = check("patient_id,label\nP1,yes\nP2,\n,no\n")
    assert [row[1] for row in rows] == ["P1"]
    assert report.n_rows == 1
    assert [f.message for f in report.findings if f.rule_id == "labels_left_out"] == [
        "1 row without an outcome were left out.",
        "1 row without an id were left out.",
    ]
