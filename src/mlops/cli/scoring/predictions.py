"""`mlops predictions`: rows of the ledger."""

from __future__ import annotations

import argparse
import json
from datetime import date
from typing import Any

from mlops.cli.command import add_command, columns
from mlops.context.context import Context
from mlops.ledger.reading import Rows
from mlops.ledger.sql import Selection
from mlops.pages.spreadsheet import csv_text

_MAX_LINES = 50


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "predictions", _predictions, "group")
    parser.add_argument("--id", metavar="ID", help="only rows that have this id")
    parser.add_argument(
        "--since", type=_day, metavar="DAY", help="only rows scored since this day in UTC, such as 2026-11-01"
    )
    parser.add_argument(
        "--sql", help='a SELECT over the table "predictions", for example "SELECT count(*) FROM predictions"'
    )
    parser.add_argument("--csv", action="store_true", help="print all rows as CSV")


def _predictions(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    rows = context.predictions.select(Selection(parsed.group, parsed.id, parsed.since), parsed.sql)
    documents = [{name: _json_value(value) for name, value in row.items()} for row in rows.records()]
    return documents, _csv(rows) if parsed.csv else _table(rows)


def _table(rows: Rows) -> str:
    """Return the newest rows, without the columns that are empty in all of them."""
    if not rows.values:
        return "No prediction in the ledger matches."
    newest = rows.values[-_MAX_LINES:]
    filled = [index for index in range(len(rows.columns)) if any(row[index] is not None for row in newest)]
    cells = [[_cell(row[index]) for index in filled] for row in newest]
    lines = columns([[rows.columns[index] for index in filled], *cells])
    n_older = len(rows.values) - len(newest)
    return f"{lines}\n{n_older:,} rows before these are printed by --csv." if n_older else lines


def _csv(rows: Rows) -> str:
    return csv_text([rows.columns, *([_cell(value) for value in row] for row in rows.values)])


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else str(value)


def _json_value(value: Any) -> Any:
    """Return a value that JSON has; moments and others become text."""
    return value if isinstance(value, str | int | float | bool | dict | list | None) else str(value)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-01") from error
