"""`mlops predict`: predict rows at once."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops.cli.command import add_command, columns
from mlops.context.context import Context
from mlops.models.errors import RequestError
from mlops.models.scoring.answer import PredictionAnswer
from mlops.pages.spreadsheet import csv_text
from mlops.use_cases.predict.request_body import checked_request


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "predict", _predict, "group")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--rows",
        type=Path,
        metavar="FILE",
        help='a file of JSON: an array of rows, or {"rows": [...]}; - for the standard input',
    )
    source.add_argument(
        "--row", action="append", metavar="JSON", help="a row such as '{\"age\": 31}'; can be repeated"
    )
    parser.add_argument("--reasons", action="store_true", help="name the columns that moved each prediction")
    parser.add_argument("--what-if", action="store_true", help="do not record the predictions in the ledger")
    parser.add_argument("--csv", action="store_true", help="print CSV")


def _predict(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    rows = [_json(text, "--row") for text in parsed.row] if parsed.row else _rows_of(parsed.rows)
    request = checked_request(rows, reasons=parsed.reasons, record=not parsed.what_if)
    answer = context.predict(parsed.group, request)
    return answer.to_dict(), csv_text(_cells(answer)) if parsed.csv else _table(answer)


def _rows_of(file: Path) -> Any:
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    document = _json(text, str(file))
    return document.get("rows") if isinstance(document, Mapping) else document


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RequestError(f"{where} is not JSON: {error}.") from error


def _table(answer: PredictionAnswer) -> str:
    return columns(_cells(answer))


def _cells(answer: PredictionAnswer) -> list[Sequence[str]]:
    names = list(answer.predictions[0])
    return [names, *([_cell(row[name]) for name in names] for row in answer.predictions)]


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(f"{reason['column']} {reason['contribution']:+g}" for reason in value)
    return "" if value is None else str(value)
