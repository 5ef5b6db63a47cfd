"""The command `mlops validate` and the page that goes to quarantine."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mlops.cli.main import main
from mlops.dataset.validation.report_page import render_report
from mlops.dataset.validation.rules import RULES
from mlops.dataset.validation.validate import validate

GOOD = "key,age,plan,label\n" + "".join(
    f"P{i},{20 + i * 37 % 60},{'abc'[i * 7 % 3]},{int((i * i + i // 3) % 5 < 3)}\n" for i in range(120)
)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.csv"
    path.write_text(GOOD, "utf-8")
    return path


def test_a_usable_file_exits_with_zero(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(good)]) == 0
    assert capsys.readouterr().out.startswith("good.csv: accept (120 rows, 4 columns)\n")


def test_a_rejected_file_exits_with_one_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(GOOD.replace(",20,", ",twenty,", 1), "utf-8")
    assert main(["validate", str(path)]) == 1
    assert "line 2. [type_mismatch]" in capsys.readouterr().out


def damaged() -> dict[str, list[str]]:
    """Return files with 30 faults each: cells, records, repeated rows, and numbers for "missing"."""
    header, *rows = GOOD.splitlines()
    rows = [row.replace("P", f"{letter}", 1) for letter in "ABCDE" for row in rows]
    words = [row.replace(",", ",x", 1) if number % 20 == 5 else row for number, row in enumerate(rows)]
    ragged = [f"{row},more" if number % 20 == 7 else row for number, row in enumerate(rows)]
    missing = [f"M{number},-999,a,{number % 2}" for number in range(30)]
    return {
        "type_mismatch": [header, *words],
        "ragged_row": [header, *ragged],
        "duplicate_rows": [header, *rows, *rows[:30]],
        "sentinels": [header, *rows, *missing],
    }


@pytest.mark.parametrize("rule_id", list(damaged()))
def test_every_line_of_a_finding_is_named_on_request(
    rule_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("\n".join(damaged()[rule_id]) + "\n", "utf-8")

    def lines(*options: str) -> list[int]:
        main(["validate", str(path), "--json", *options])
        findings = json.loads(capsys.readouterr().out)["findings"]
        (found,) = [finding["lines"] for finding in findings if finding["rule_id"] == rule_id]
        return found

    every = lines("--all-lines")
    assert (lines(), len(every)) == (every[:20], 30)
    main(["validate", str(path), "--all-lines"])
    assert f"      lines: {', '.join(map(str, every))}\n" in capsys.readouterr().out


def test_the_json_of_one_file_is_a_contract_for_the_next(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["validate", str(good), "--json"])
    report = tmp_path / "report.json"
    report.write_text(capsys.readouterr().out, "utf-8")
    other = tmp_path / "other.csv"
    other.write_text(GOOD.replace("age", "years", 1), "utf-8")
    assert main(["validate", str(other), "--contract", str(report), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert "missing_columns" in [finding["rule_id"] for finding in findings]


def test_a_contract_with_a_field_that_is_none_is_refused(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["validate", str(good), "--json"])
    stated = json.loads(capsys.readouterr().out)["contract"]
    stated["columns"][1]["minimun"] = 30
    contract = tmp_path / "contract.json"
    contract.write_text(json.dumps(stated), "utf-8")
    assert main(["validate", str(good), "--contract", str(contract)]) == 2
    assert "Contract has no field minimun." in capsys.readouterr().err


def test_settings_are_read_and_errors_are_one_sentence(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = tmp_path / "model.toml"
    toml.write_text('tarqet = "label"', "utf-8")
    assert main(["validate", str(good), "--settings", str(toml)]) == 2
    assert capsys.readouterr().err == "mlops: Line 1: Unknown setting 'tarqet'. Did you mean 'target'?\n"
    assert main(["validate", "nowhere.csv"]) == 2


def test_the_page_escapes_what_comes_from_the_file_and_loads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "evil.csv"
    path.write_text(
        GOOD.replace("plan", "<script>alert(1)</script>", 1).replace(",20,", ",<b>x</b>,", 1), "utf-8"
    )
    page = render_report(validate(path), title='<img src="x">.csv')
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>" not in page
    assert "http" not in page


def test_every_rule_has_a_title_and_a_reason_to_exist() -> None:
    assert len(RULES) > 40
    for rule in RULES.values():
        assert rule.title.endswith(".")
        assert rule.check.__doc__


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad, 100%.csv"
    path.write_text(GOOD.replace(",20,", ",twenty,", 1), "utf-8")
    return path


def test_one_rejected_file_of_several_decides_the_exit_code(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(bad), str(good)]) == 1
    assert [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")] == [
        "bad, 100%.csv: reject (120 rows, 4 columns)",
        "good.csv: accept (120 rows, 4 columns)",
    ]


def test_the_json_of_several_files_names_each(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["validate", str(good), str(bad), "--json"])
    documents = json.loads(capsys.readouterr().out)
    assert [(document["file"], document["verdict"]) for document in documents] == [
        (str(good), "accept"),
        (str(bad), "reject"),
    ]


def test_github_gets_each_finding_at_its_line_with_escaped_properties(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", str(bad), "--format", "github"]) == 1
    annotations = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    name = str(bad).replace("%", "%25").replace(",", "%2C")
    assert annotations[0].startswith(f"::error file={name},line=2,title=type_mismatch::")


def test_junit_has_a_test_case_for_each_file(
    good: Path, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = bad.with_name("a\x07b.csv")
    broken.write_text(GOOD.replace("age", "a\x07e", 1), "utf-8")
    main(["validate", str(good), str(bad), str(broken), "--format", "junit"])
    suite = ElementTree.fromstring(capsys.readouterr().out)
    cases = {case.get("name"): case.find("failure") for case in suite}
    assert (suite.get("tests"), len(cases)) == ("3", 3)
    assert cases[str(good)] is None
    assert (failure := cases[str(bad)]) is not None
    assert failure.get("type") == "type_mismatch"


def test_stdin_is_a_file(
    monkeypatch: pytest.MonkeyPatch, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(good.read_bytes())))
    assert main(["validate", "-"]) == 0
    assert capsys.readouterr().out.startswith("stdin: accept (120 rows, 4 columns)\n")
