"""Tables of many columns and of long names."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.dataset.limits import Limits
from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings


def table(names: list[str], n_rows: int = 60) -> str:
    rows = [[str((i * 31 + j * 17) % 997) for j in range(len(names) - 1)] for i in range(n_rows)]
    lines = [",".join(names), *(",".join([*row, "yn"[i * i % 7 < 3]]) for i, row in enumerate(rows))]
    return "\n".join(lines) + "\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "wide.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("n_columns", [1_201, 1_503, 5_000])
def test_thousands_of_columns_are_accepted(tmp_path: Path, n_columns: int) -> None:
    names = [f"gene_{number}" for number in range(n_columns - 1)]
    report = validate(written(tmp_path, table([*names, "left"])), GroupSettings(target="left"))
    assert (report.verdict != "reject", report.n_columns) == (True, n_columns)


def test_more_columns_than_the_limit_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path, table([f"c{n}" for n in range(9)]))
    [refusal] = validate(path, limits=Limits(max_columns=8)).of_severity("reject")
    assert refusal.message == "The header has 9 columns; the limit is 8."
    assert "Drop columns" in str(refusal.advice)


@pytest.mark.parametrize(("length", "verdict"), [(512, "accept"), (513, "reject")])
def test_a_question_may_be_a_name(tmp_path: Path, length: int, verdict: str) -> None:
    path = written(tmp_path, table(["q" * length, "b", "left"]))
    report = validate(path, GroupSettings(target="left"))
    assert (report.verdict == "reject") == (verdict == "reject")
    for refusal in report.of_severity("reject"):
        accepted = GroupSettings.from_toml(f'target = "left"\n{refusal.accept_with}')
        assert validate(path, accepted).verdict != "reject"


def test_a_wrong_name_is_compared_with_all_names_and_three_are_proposed(tmp_path: Path) -> None:
    names = [
        *(f"gene_{number}" for number in range(300)),
        "outcome_12m",
        "outcome_24m",
        "outcome_36m",
        "outcome",
    ]
    path = written(tmp_path, table(names))
    [refusal] = validate(path, GroupSettings(target="outcome_6m")).of_severity("reject")
    assert "Did you mean 'outcome_36m', 'outcome_24m' or 'outcome_12m'?" in str(refusal.advice)
