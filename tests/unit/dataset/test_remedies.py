"""Every remedy that a finding offers changes the outcome: for the verdict, and for what is read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mlops.dataset.validation.contracts import learn_contract
from mlops.dataset.validation.reading import load_table
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import Contract
from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.test_notations import (
    AMBIGUOUS,
    BASE,
    Values,
    a_file,
    amount,
    cycle,
    findings,
    of_dates,
)

SEVERITIES = ("info", "warn", "reject")

# rule, cells, further settings
OFFERS: dict[str, tuple[str, Values, str]] = {
    "words among numbers": ("type_mismatch", lambda row: "many" if row % 30 == 3 else str(row), ""),
    "several currencies": ("type_mismatch", lambda row: f"{'$€'[row % 2]}{row}.50", ""),
    "days that do not exist": (
        "type_mismatch",
        lambda row: "2024-02-30" if row == 9 else of_dates("%Y-%m-%d")(row),
        "",
    ),
    "words among ISO dates": (
        "type_mismatch",
        lambda row: "soon" if row % 30 == 3 else of_dates("%Y-%m-%d")(row),
        "",
    ),
    "words among other dates": (
        "type_mismatch",
        lambda row: "soon" if row % 30 == 3 else of_dates("%d.%m.%Y")(row),
        "",
    ),
    "dates in another notation": ("date_format", of_dates("%d.%m.%Y"), ""),
    "compact dates": ("date_format", of_dates("%Y%m%d"), ""),
    "dates of two readings": ("date_format", of_dates("%d/%m/%Y", days=12), ""),
    "dates of two readings that are needed": (
        "date_format",
        of_dates("%d/%m/%Y", days=12),
        'time_column = "x"\n',
    ),
    "stated dates that are none": (
        "date_format",
        cycle("spring", "autumn"),
        '[columns.x]\nkind = "date"\n',
    ),
    "numbers like times": ("date_format", lambda row: str(1_600_000_000 + row * 98_765), ""),
    "amounts of money": ("number_format", amount("${}"), ""),
    "percentages": ("number_format", lambda row: f"{row % 90}%", ""),
    "points before three digits": ("ambiguous_thousands", AMBIGUOUS["points"], ""),
    "commas before three digits": ("ambiguous_thousands", AMBIGUOUS["commas"], ""),
    "codes with exponents": ("codes", lambda row: f"{1 + row % 9}E{1 + row % 3}", ""),
    "codes in groups": ("codes", lambda row: f"{110 + row % 80} {107 + row % 11}", ""),
    "codes with letters": ("codes", lambda row: f"V{row % 7}1" if row % 20 == 0 else str(200 + row % 60), ""),
    "a code among decimals": ("codes", lambda row: "07" if row == 9 else f"{row % 50}.{1 + row % 9}", ""),
    "versions of which two are one number": ("codes", cycle("1.1", "1.10", "2.3"), ""),
    "versions that are counted on": ("codes", lambda row: f"3.{8 + row % 4}", ""),
    "many versions": ("codes", lambda row: f"{1 + row % 9}.{row * 7 % 12}", ""),
    "infinity": ("non_finite", lambda row: "-Infinity" if row == 9 else f"{row}.5", ""),
    "infinity both ways": ("non_finite", lambda row: f"{'-+'[row % 2]}inf" if row % 9 == 0 else str(row), ""),
    "a sentinel": ("sentinels", lambda row: "-999" if row % 9 == 0 else f"{10 + row % 7}.5", ""),
    "codes for refused and unknown": (
        "sentinels",
        lambda row: ("7777", "8888")[row // 9 % 2] if row % 9 == 0 else f"{10 + row % 7}",
        "",
    ),
    "two sentinels": (
        "sentinels",
        lambda row: ("-999", "999")[row // 9 % 2] if row % 9 == 0 else f"{10 + row % 7}.5",
        "",
    ),
    "the code of Namibia": ("na_tokens", cycle("NA", "ZA", "BW", "NA"), ""),
}


@pytest.mark.parametrize("case", OFFERS)
def test_the_lines_of_a_first_file_take_effect(case: str, tmp_path: Path) -> None:
    rule_id, values, further = OFFERS[case]
    path = a_file(tmp_path, values, delimiter=";" if rule_id == "ambiguous_thousands" else ",")
    before = findings(validate(path, GroupSettings.from_toml(BASE + further)), rule_id)
    assert before
    for finding in before:
        assert finding.accept_with is not None
        stated = "" if further.startswith("[columns.x]") else further
        document = tomllib.loads(finding.accept_with)
        settings = GroupSettings.from_toml(BASE + stated + finding.accept_with)
        after = validate(path, settings)
        worst = max((SEVERITIES.index(f.severity) for f in findings(after, rule_id)), default=-1)
        assert worst < SEVERITIES.index(finding.severity)
        assert not [f for f in after.of_severity("reject") if f.column == "x"]
        if kind := document.get("columns", {}).get("x", {}).get("kind"):
            assert load_table(path, settings).columns["x"].kind == kind


def test_spellings_that_were_accepted_before_stay_missing(tmp_path: Path) -> None:
    path = a_file(
        tmp_path, lambda row: ("inf", "-999")[row // 9 % 2] if row % 9 == 0 else f"{10 + row % 7}.5"
    )
    stated = GroupSettings.from_toml(BASE + '[columns.x]\nmissing = ["-999"]\n')
    (finding,) = findings(validate(path, stated), "non_finite")
    settings = GroupSettings.from_toml(BASE + str(finding.accept_with))
    assert load_table(path, settings)["x"].isna().sum() == len(range(0, 150, 9))


LATER: dict[str, tuple[str, Values, Values]] = {
    "sentinels that the contract does not know": (
        "out_of_range",
        lambda row: f"{10 + row % 7}.5",
        lambda row: "-999" if row % 9 == 0 else f"{10 + row % 7}.5",
    ),
    "a wider range": ("out_of_range", lambda row: str(row % 40), lambda row: str(row % 40 + 90 * (row == 7))),
    "a new category": ("unknown_category", cycle("a", "b"), lambda row: "c" if row == 7 else "ab"[row % 2]),
    "fractions": ("type_changed", lambda row: str(row % 40), lambda row: f"{row % 40}.5"),
    "more missing values": (
        "missing_share",
        lambda row: str(row % 40),
        lambda row: "" if row % 3 == 0 else str(row % 40),
    ),
    "words": ("type_mismatch", lambda row: str(row % 40), lambda row: "many" if row == 7 else str(row % 40)),
    "dates that became words": (
        "type_mismatch",
        of_dates("%d.%m.%Y"),
        lambda row: "soon" if row == 7 else of_dates("%d.%m.%Y")(row),
    ),
}


@pytest.mark.parametrize("case", LATER)
def test_the_lines_of_a_later_file_take_effect(case: str, tmp_path: Path) -> None:
    rule_id, first, later = LATER[case]
    contract: Contract = learn_contract(a_file(tmp_path, first), GroupSettings.from_toml(BASE))
    path = a_file(tmp_path, later)
    (finding,) = findings(validate(path, GroupSettings.from_toml(BASE), contract), rule_id)
    assert finding.accept_with is not None
    settings = GroupSettings.from_toml(BASE + finding.accept_with)
    assert not findings(validate(path, settings, contract), rule_id)
    table = load_table(path, settings, contract)
    if kind := tomllib.loads(finding.accept_with)["columns"]["x"].get("kind"):
        assert table.columns["x"].kind == kind
    if case.startswith("sentinels"):
        assert table["x"].isna().sum() == len(range(0, 150, 9))
