"""A table in another format than CSV is read as the same table in CSV is, with the types it states."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from mlops.dataset.validation.reading import load_table, read_table
from mlops.models.errors import MissingPackageError
from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.formats import (
    CSV,
    N_ROWS,
    NAMES,
    WRITERS,
    as_objects,
    check,
    findings,
    json_lines,
    refusal,
    write_parquet,
    write_zip,
)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("csv") / "patients.csv"
    path.write_bytes(CSV)
    return read_table(path, {"zip": "text"})


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_is_the_same_in_every_format(name: str, tmp_path: Path, expected: pd.DataFrame) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    report = check(path)
    assert report.verdict == "accept", report.findings
    assert (report.n_rows, report.size_bytes) == (N_ROWS, path.stat().st_size)
    schema = {"zip": "text"} if "csv" in name or name == "patients.zip" else None
    pd.testing.assert_frame_equal(read_table(path, schema), expected)


def test_a_report_and_a_table_have_the_digest_of_the_file_itself(tmp_path: Path) -> None:
    import hashlib

    path = write_parquet(tmp_path / "a.parquet")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    report = check(path)
    assert (report.sha256, load_table(path).sha256) == (digest, digest)
    assert report.contract is not None
    assert report.contract.learned_from == digest
    assert report.format is not None
    assert report.format.converted_from == "parquet"


@pytest.mark.parametrize("name", ["patients.parquet", "patients.jsonl", "patients.xlsx"])
def test_digits_that_a_format_states_as_text_are_codes(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    report = check(path)
    assert {c.name: c.kind for c in report.columns}["zip"] == "category"
    (finding,) = findings(report, "codes")
    stated = GroupSettings.from_toml(f'target = "adherent"\n{finding.accept_with}')
    assert {c.name: c.kind for c in check(path, stated).columns}["zip"] == "number"


def test_types_of_parquet_are_kept(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "types.parquet",
        "SELECT 9007199254740993 + range AS big, (range + 0.25)::DECIMAL(9, 2) AS price,"
        " range % 2 = 0 AS flag,"
        " CASE WHEN range = 1 THEN 'nan'::DOUBLE WHEN range = 2 THEN NULL ELSE range / 4 END AS x,"
        " TIMESTAMP '2024-01-01' + to_days(range::INT) AS day, TIMESTAMP '2024-01-01 10:05' AS at,"
        " TIMESTAMPTZ '2024-01-01 10:00:00+02' AS zoned, CASE WHEN range = 0 THEN '' ELSE 'a' END AS word,"
        " NULL::INTEGER AS nothing, 'a' || chr(13) || chr(10) || 'b, \"c\"' AS long FROM range(4)",
    )
    texts = read_table(path, dict.fromkeys(("big", "price", "x", "flag", "day", "at", "zoned"), "text"))
    first = texts.iloc[0].to_dict()
    assert list(texts["big"]) == [f"{9007199254740993 + i}" for i in range(4)]
    assert list(texts["price"]) == ["0.25", "1.25", "2.25", "3.25"]
    assert not findings(check(path), "na_tokens")  # no spelling of missing was guessed
    assert list(texts["x"].fillna("missing")) == ["0.0", "missing", "missing", "0.75"]
    assert (first["flag"], first["day"], first["at"]) == ("True", "2024-01-01", "2024-01-01 10:05:00")
    assert first["zoned"] == "2024-01-01 08:00:00+00:00"
    assert pd.isna(first["word"])
    assert texts["nothing"].isna().all()
    assert first["long"] == 'a\nb, "c"'


def test_infinity_in_parquet_is_refused_with_its_row(tmp_path: Path) -> None:
    query = "SELECT *, CASE WHEN patient_id = 'P0007' THEN 'inf'::DOUBLE ELSE age / 2 END AS x FROM patients"
    finding = refusal(write_parquet(tmp_path / "a.parquet", query))
    assert (finding.rule_id, finding.lines) == ("non_finite", (8,))


def test_the_index_that_pandas_stores_is_left_out(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", "SELECT *, age AS __index_level_0__ FROM patients")
    report = check(path)
    assert report.n_columns == len(NAMES)
    assert "index" in report.of_severity("warn")[0].message


def test_names_of_digits_in_parquet_are_names(tmp_path: Path) -> None:
    path = write_parquet(
        tmp_path / "a.parquet", 'SELECT age AS "0", age * age % 7 AS "1", adherent AS "2" FROM patients'
    )
    assert check(path, GroupSettings(target="2")).verdict != "reject"


def test_numbers_of_json_are_exact_and_nan_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 12345678901234567890, "x": 1.10, "b": true}\n{"n": 1, "x": NaN, "b": null}\n')
    texts = read_table(path, {"n": "text", "x": "text"})
    assert list(texts["n"]) == ["12345678901234567890", "1"]
    assert texts["x"].iloc[0] == "1.10"
    assert texts.iloc[1].isna().to_dict() == {"n": False, "x": True, "b": True}


def test_objects_may_have_different_keys_and_lines_may_be_blank(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"b": "x", "a": 2}\n{"c": 3.5}\n')
    table = read_table(path)
    assert list(table.columns) == ["a", "b", "c"]
    assert table.isna().to_numpy().tolist() == [
        [False, True, True],
        [False, False, True],
        [True, True, False],
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_finding_names_the_line_of_json(name: str, tmp_path: Path) -> None:
    rows = as_objects()
    rows[40]["age"], rows[9]["zip"] = "forty", "a\nb"
    content = json_lines(rows) if name == "a.jsonl" else json.dumps(rows, indent=2).encode()
    (tmp_path / name).write_bytes(content)
    finding = refusal(tmp_path / name)
    assert (finding.rule_id, finding.lines) == ("type_mismatch", (41,))


def test_a_finding_names_the_line_inside_a_zip(tmp_path: Path) -> None:
    lines = CSV.decode().splitlines()
    lines[41] = lines[41].replace(lines[41].split(",")[2], "forty")
    path = write_zip(tmp_path / "a.zip", {"a.csv": "\n".join(lines).encode()})
    assert refusal(path).lines == (42,)


# a name of `WRITERS`, and the module without which it cannot be read
NEEDED = {
    "patients.parquet": "duckdb",
    "patients.xlsx": "python_calamine",
    "patients.csv.zst": "backports.zstd",
}


@pytest.mark.parametrize("name", NEEDED)
def test_a_format_whose_package_is_not_installed_names_the_extra(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITERS[name](tmp_path / name)
    monkeypatch.setitem(sys.modules, NEEDED[name], None)
    with pytest.raises(MissingPackageError, match=r"pip install '\.\[formats\]'"):
        check(tmp_path / name)


def test_json_and_zip_need_no_package_of_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in NEEDED.values():
        monkeypatch.setitem(sys.modules, package, None)
    for name in ("patients.jsonl", "patients.zip"):
        WRITERS[name](tmp_path / name)
        assert check(tmp_path / name).verdict == "accept"
