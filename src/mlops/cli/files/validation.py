"""`mlops validate FILE`: check a file, or a folder with the parts of one table."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mlops.dataset.limits import Limits
from mlops.dataset.privacy import shown
from mlops.dataset.validation.parts.validate_parts import validate_parts
from mlops.dataset.validation.validate import validate
from mlops.intake.parts.listing import parts_in_folder
from mlops.models.dataset import Contract, Finding, ValidationReport
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings

_SIGNS = {"reject": "x", "warn": "!", "info": "-"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser("validate", help="check whether a file of data can be used")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a file, or a folder with the parts of one table"
    )
    parser.add_argument("--settings", type=Path, metavar="model.toml", help="settings of the model group")
    parser.add_argument(
        "--contract", type=Path, metavar="contract.json", help="the contract to check the file against"
    )
    parser.add_argument("--purpose", choices=("training", "inference"), default="training")
    parser.add_argument(
        "--min-rows", type=int, default=Limits().min_rows, help="minimum number of rows to train on"
    )
    parser.add_argument("--json", action="store_true", help="print the whole report as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the report; return 0 when the file can be used, 1 when it is rejected."""
    settings = GroupSettings.from_toml(_read(arguments.settings)) if arguments.settings else None
    contract = _contract(arguments.contract) if arguments.contract else None
    limits = Limits(min_rows=arguments.min_rows)
    if arguments.file.is_dir():
        parts = parts_in_folder(arguments.file)
        report = validate_parts(parts, settings, contract, purpose=arguments.purpose, limits=limits)
    else:
        report = validate(arguments.file, settings, contract, purpose=arguments.purpose, limits=limits)
    text = report.to_json() if arguments.json else _as_text(arguments.file.name, report)
    sys.stdout.write(text)
    return 1 if report.verdict == "reject" else 0


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}.") from error


def _contract(path: Path) -> Contract:
    """Read a contract, or the contract inside a report that `--json` printed."""
    try:
        document = json.loads(_read(path))
        contract = document["contract"] if "verdict" in document else document
        if contract is None:
            raise DatasetError(f"{path} is a report without a contract: its file was not a table.")
        return Contract.from_dict(contract, strict=True)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is neither a contract nor a report with one: {error}") from error


def _as_text(name: str, report: ValidationReport) -> str:
    lines = [f"{shown(name, 100)}: {report.verdict} ({report.n_rows:,} rows, {report.n_columns:,} columns)"]
    for finding in report.findings:
        lines += _finding_lines(finding)
    return "\n".join(lines) + "\n"


def _finding_lines(finding: Finding) -> list[str]:
    lines = [f"  {_SIGNS[finding.severity]} {finding.message} [{finding.rule_id}]"]
    if finding.examples:
        lines.append(f"      for example: {', '.join(finding.examples)}")
    if finding.advice:
        lines.append(f"      {finding.advice}")
    if finding.accept_with:
        lines.append("      Or accept it on purpose, with these lines in model.toml:")
        lines += [f"        {line}" for line in finding.accept_with.splitlines()]
    return lines
