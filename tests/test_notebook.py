"""The notebook of the tutorial runs, and what it shows is what its cells show now."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests import notebook as n


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return n.read()


def without_digits(outputs: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Kind and text of what a cell shows; numbers depend on the machine in their last digits."""
    return [
        (
            output["output_type"],
            re.sub(r"\d+", "0", "".join(output.get("text") or output["data"]["text/plain"])),
        )
        for output in outputs
    ]


def test_the_notebook_runs_and_shows_what_is_stored_in_it(
    stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(n.REPOSITORY)
    cells = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    shown = n.run(stored)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert [without_digits(cell["outputs"]) for cell in cells] == [without_digits(each) for each in shown]
    assert sum("text/html" in output.get("data", {}) for each in shown for output in each) == 2  # card, drift


def test_a_cell_shows_what_it_prints_and_the_value_of_its_last_line() -> None:
    names: dict[str, Any] = {}
    assert n.run_cell("x = 2", names, 1) == []
    printed, value = n.run_cell("print('a')\nx + 1", names, 2)
    assert (printed["text"], value["data"]) == (["a\n"], {"text/plain": ["3"]})
