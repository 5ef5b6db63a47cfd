"""Made-up patients as CSV, with something wrong where a test wants it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlops.dataset.validation.validate import validate
from mlops.models.dataset import ValidationReport
from mlops.models.settings.group import GroupSettings

SETTINGS = GroupSettings(target="adherent", id_columns=("patient_id",))


HEADER = ("patient_id", "age", "plan", "copay_usd", "last_visit", "adherent")


type Row = dict[str, str]


type Edit = Callable[[list[Row]], None]


def patients(rows: int = 120) -> list[Row]:
    """Made-up patients with labels that no column gives away."""
    return [
        {
            "patient_id": f"P{1000 + i}",
            "age": str(20 + (i * 37) % 60),
            "plan": ("gold", "silver", "bronze")[(i * 7) % 3],
            "copay_usd": f"{(i * 13) % 90}.{i % 10}5",
            "last_visit": f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}",
            "adherent": "yes" if (i * i + i // 3) % 5 < 3 else "no",
        }
        for i in range(rows)
    ]


def a_csv(edit: Edit | None = None, *, rows: int = 120, delimiter: str = ",", end: str = "\n") -> str:
    """The patients as CSV text, after an edit."""
    table = patients(rows)
    if edit:
        edit(table)
    header = delimiter.join(table[0]) if table else delimiter.join(HEADER)
    return end.join([header, *(delimiter.join(row.values()) for row in table)]) + end


def cell(column: str, value: str, *rows: int) -> Edit:
    """An edit that writes one value into some rows (0-based; row 0 is line 2)."""

    def edit(table: list[Row]) -> None:
        for row in rows:
            table[row][column] = value

    return edit


def renamed(old: str, new: str) -> Edit:
    def edit(table: list[Row]) -> None:
        table[:] = [{new if name == old else name: value for name, value in row.items()} for row in table]

    return edit


def judge(
    tmp_path: Path, content: str | bytes, name: str = "file.csv", **options: object
) -> ValidationReport:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return validate(path, SETTINGS, **options)  # type: ignore[arg-type]
