"""The page of rules in the documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from mlops.dataset.validation.rules import RULES
from mlops.dataset.validation.rules_table import (
    AT_CONVERSION,
    BEFORE_READING,
    IN_LABELS,
    render_rules_table,
)


def test_the_page_of_rules_is_current(repository: Path) -> None:
    page = (repository / "docs" / "reference" / "validation-rules.md").read_text("utf-8")
    assert page == render_rules_table(), (
        "run python -m mlops.dataset.validation.rules_table > docs/reference/validation-rules.md"
    )


def test_every_rule_has_one_line_that_says_what_it_finds_and_does() -> None:
    lines = [line for line in render_rules_table().splitlines() if line.startswith("| `")]
    assert len(lines) == sum(map(len, (RULES, BEFORE_READING, AT_CONVERSION, IN_LABELS)))
    assert all(len(re.split(r"(?<!\\)\|", line)) in (5, 6) and "|  |" not in line for line in lines)


def test_intake_refuses_for_no_other_reasons_than_the_page_lists(repository: Path) -> None:
    packages = ("dataset", "intake", "use_cases")
    sources = [path for name in packages for path in (repository / "src/mlops" / name).rglob("*.py")]
    made = re.compile(r'(?:Finding\(\s*"(?=\w+",\s*"\w+")|refused\(\s*")(\w+)"')
    named = [made.findall(path.read_text("utf-8")) for path in sources]
    refusals = set().union(*named)
    assert {"settings", "too_large", "no_champion", "parts", "sheet", "archive"} <= refusals
    assert refusals <= RULES.keys() | BEFORE_READING.keys() | AT_CONVERSION.keys() | IN_LABELS.keys()
