"""Parts of a table: read apart and merged, they are judged as the one file that they make together."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.dataset.limits import Limits
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.parts.check_agreement import agree
from mlops.dataset.validation.parts.part_facts import column_sum, merged, read_facts, survey_of
from mlops.dataset.validation.parts.validate_parts import PartedTable, survey_part_file, validate_parts
from mlops.dataset.validation.survey.spill import Spill
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Contract, Finding, ValidationReport
from mlops.models.settings.group import GroupSettings

HEADER = "patient_id,age,plan,adherent"
FEW = Limits(min_rows=5)


def a_row(number: int, age: str | None = None) -> str:
    label = "yes" if (number * number + number // 3) % 5 < 3 else "no"
    return f"P{number},{20 + number * 37 % 60 if age is None else age},{'abc'[number * 7 % 3]},{label}"


def a_part(first: int, n_rows: int = 30, header: str = HEADER) -> str:
    return "\n".join([header, *(a_row(number) for number in range(first, first + n_rows))]) + "\n"


def written(folder: Path, parts: Sequence[str | bytes]) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"part-{position:05d}.csv" for position in range(len(parts))]
    for path, text in zip(paths, parts, strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return paths


def rejections(report: ValidationReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity == "reject"]


def test_parts_are_one_table(tmp_path: Path) -> None:
    report = validate_parts(written(tmp_path, [a_part(0), a_part(30), a_part(60)]))
    assert (report.verdict, report.n_rows, report.n_columns) == ("accept", 90, 4)


def test_a_finding_names_the_part_and_its_line(tmp_path: Path) -> None:
    bad = a_part(30).replace(a_row(33), a_row(33, "old"))
    (finding,) = rejections(validate_parts(written(tmp_path, [a_part(0), bad, a_part(60)])))
    assert finding.rule_id == "type_mismatch"
    assert "line 5 of part-00001.csv" in finding.message
    assert (finding.lines, finding.parts, finding.examples) == ((5,), ("part-00001.csv",), ("old",))


def test_the_same_id_in_two_parts_is_found_where_it_is_repeated(tmp_path: Path) -> None:
    report = validate_parts(written(tmp_path, [a_part(0), a_part(30), a_part(7, 1)]))
    actual = {finding.rule_id: finding for finding in report.findings}
    assert actual["duplicate_ids"].parts == actual["duplicate_rows"].parts == ("part-00002.csv",)
    assert actual["duplicate_ids"].lines == (2,)


def test_a_part_with_another_header_is_refused_by_name(tmp_path: Path) -> None:
    other = a_part(30, header="patient_id,years,plan,adherent")
    (finding,) = rejections(validate_parts(written(tmp_path, [a_part(0, 60), other])))
    assert finding.rule_id == "part_header"
    assert finding.message.startswith("part-00001.csv: The header")
    assert "without age, with years" in finding.message


def test_a_part_with_another_delimiter_is_refused_by_name(tmp_path: Path) -> None:
    (finding,) = rejections(validate_parts(written(tmp_path, [a_part(0, 60), a_part(60).replace(",", ";")])))
    assert (finding.rule_id, finding.parts) == ("part_header", ("part-00001.csv",))
    assert "Cut at every comma" in finding.message


def test_columns_in_another_order_are_refused(tmp_path: Path) -> None:
    other = a_part(60, header="age,patient_id,plan,adherent")
    (finding,) = rejections(validate_parts(written(tmp_path, [a_part(0, 60), other])))
    assert "another order" in finding.message


def test_a_part_that_is_not_a_table_is_named_as_what_it_is(tmp_path: Path) -> None:
    (finding,) = rejections(validate_parts(written(tmp_path, [a_part(0, 60), b"PAR1" + bytes(60)])))
    assert finding.rule_id == "wrong_container"
    assert finding.message.startswith("part-00001.csv: The file is a Parquet file")


def test_when_no_part_is_a_table_the_report_says_so_for_each(tmp_path: Path) -> None:
    report = validate_parts(written(tmp_path, [b"PAR1" + bytes(60), b"%PDF-1.4" + bytes(60)]))
    assert [finding.rule_id for finding in rejections(report)] == ["wrong_container", "wrong_container"]


def test_empty_parts_are_what_writers_leave_for_partitions_without_rows(tmp_path: Path) -> None:
    parts = written(tmp_path, [b"", a_part(0, 60), HEADER.encode() + b"\n", b"", a_part(60)])
    report = validate_parts(parts)
    assert (report.verdict, report.n_rows) == ("accept", 90)


def test_parts_without_any_row_hold_no_data(tmp_path: Path) -> None:
    assert [f.rule_id for f in rejections(validate_parts(written(tmp_path, [b"", b""])))] == ["empty_file"]
    actual = rejections(validate_parts(written(tmp_path, [HEADER.encode()] * 2)))
    assert "too_few_rows" in {finding.rule_id for finding in actual}


def test_parts_may_be_compressed_and_encoded_each_in_its_own_way(tmp_path: Path) -> None:
    latin = a_part(60).replace(",a,", ",\u00e4,")
    parts = written(tmp_path, [a_part(0), gzip.compress(a_part(30).encode()), latin.encode("cp1252")])
    parts[1] = parts[1].rename(tmp_path / "part-00001.csv.gz")
    report = validate_parts(sorted(parts))
    assert (report.verdict, report.n_rows) == ("warn", 90)
    (finding,) = [f for f in report.findings if f.rule_id == "encoding"]
    assert finding.message.startswith("part-00002.csv: ")


def test_what_all_parts_have_in_common_is_said_once(tmp_path: Path) -> None:
    parts = written(tmp_path, [a_part(30 * n).replace("P", "\u00c4").encode("cp1252") for n in range(4)])
    (finding,) = [f for f in validate_parts(parts).findings if f.rule_id == "encoding"]
    assert finding.message.startswith("The encoding is Windows-1252")


def test_a_column_that_proves_to_be_text_is_read_as_text_everywhere(tmp_path: Path) -> None:
    """The first megabyte holds numbers only, most later rows do not."""
    codes = [f"{number},{number % 97},{'ab'[number % 2]}" for number in range(120_000)]
    words = [f"{number},w{number % 97},{'ab'[number % 2]}" for number in range(120_000, 330_000)]
    parts = written(tmp_path / "p", ["k_id,code,label\n" + "\n".join(rows) for rows in (codes, words)])
    whole = tmp_path / "whole.csv"
    whole.write_text("k_id,code,label\n" + "\n".join([*codes, *words]) + "\n")
    together, apart = validate(whole), validate_parts(parts)
    assert apart.columns == together.columns
    assert essence(apart) == essence(together)
    assert apart.sha256 == together.sha256


def test_every_field_of_a_column_can_be_added() -> None:
    """A new field needs a rule when it is not a count: this fails until it has one."""
    one = ColumnProfile(0, "a", n_rows=3)
    both = column_sum(one, replace(one, n_rows=4))
    assert both.n_rows == 7
    assert {field.name for field in fields(both)} == {field.name for field in fields(one)}


# ── Laws ──────────────────────────────────────────

CELLS = st.one_of(
    st.integers(-3, 30).map(str),
    st.sampled_from(
        ["", "NA", "-", "1.5", "007", "old", "Gold", "gold ", "2024-02-30", "2024-03-01", "-999", "=1+1"]
    ),
)
ROWS = st.lists(st.tuples(CELLS, CELLS, st.sampled_from("ab")), min_size=1, max_size=40)
CUTS = st.lists(st.integers(0, 40), max_size=4)


def split(rows: list[str], cuts: list[int]) -> list[list[str]]:
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    return [rows[low:high] for low, high in pairwise(edges)]


def essence(report: ValidationReport) -> tuple[object, ...]:
    """What a report says, without where, and without examples: the first three rows need not be distinct."""
    said = [(f.rule_id, f.severity, f.column, f.count) for f in report.findings]
    return report.verdict, sorted(said, key=repr), report.n_rows, report.n_columns, report.columns


@pytest.mark.property
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, cuts=CUTS, has_ids=st.booleans(), is_known=st.booleans())
def test_the_report_over_parts_is_the_report_over_the_joined_file(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    cuts: list[int],
    has_ids: bool,
    is_known: bool,
) -> None:
    tmp_path = tmp_path_factory.mktemp("law")
    lines = [f"{'k' + str(n % 25) if has_ids else n % 4},{','.join(row)}" for n, row in enumerate(rows)]
    header = "k_id,x,y,label" if has_ids else "w,x,y,label"
    whole = tmp_path / "whole.csv"
    whole.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    parts = written(tmp_path / "parts", ["\n".join([header, *part]) + "\n" for part in split(lines, cuts)])
    contract = a_contract(tmp_path, header) if is_known else None
    together = validate(whole, None, contract, limits=FEW)
    apart = validate_parts(parts, None, contract, limits=FEW)
    assert essence(apart) == essence(together)
    assert apart.contract == together.contract
    assert (apart.sha256, apart.size_bytes) == (together.sha256, together.size_bytes)


def a_contract(folder: Path, header: str) -> Contract:
    path = folder / "learned.csv"
    path.write_text(
        "\n".join([header, *(f"k{n},{n},{'Gold' if n % 2 else 'x'},{'ab'[n % 2]}" for n in range(60))])
    )
    return learn_contract(path)


@pytest.mark.property
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(CELLS, CELLS, st.sampled_from("ab")), min_size=3, max_size=30))
def test_merging_is_associative(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("law")
    lines = [",".join((str(n % 9), *row)) for n, row in enumerate(rows)]
    third = max(len(lines) // 3, 1)
    texts = ["\n".join(["k_id,x,y,label", *part]) for part in split(lines, [third, 2 * third])]
    paths = written(folder, texts)
    table = PartedTable(
        GroupSettings(), None, FEW, agree(paths, GroupSettings(), None, limits=FEW, size_bytes=1)
    )
    a, b, c = [part_survey(path, table) for path in paths]
    left, right = merged(merged(a, b), c), merged(a, merged(b, c))
    assert left.columns == right.columns
    assert left.shape == right.shape
    assert vars_of(left) == vars_of(right)


def part_survey(path: Path, table: PartedTable) -> Survey:
    facts = path.with_suffix(".npz")
    survey_part_file(path, path.name, table, facts)
    part = read_facts(facts, with_rows=True)
    blank = Survey(part.inspection, "training", table.settings, table.limits, None, agreed=table.agreement)
    return survey_of(part, blank, Spill())


def vars_of(actual: Survey) -> tuple[object, ...]:
    assert actual.keys is not None
    assert actual.sample is not None
    keys = actual.keys
    return (
        (actual.labels.n_changes, actual.labels.first, actual.labels.last),
        (keys.repeated_ids(), keys.repeated_rows(), keys.conflicting_labels()),
        {p: [str(cell) for cell in actual.sample.column(p, is_numeric=False)] for p in range(4)},
    )
