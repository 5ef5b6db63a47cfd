"""`mlops validate FILE ...`: check files, or folders with the parts of one table."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlops.cli.commands import COMMANDS
from mlops.cli.exit_codes import ExitCode
from mlops.cli.files.progress import begin_stage, showing_progress
from mlops.cli.files.report_formats import FORMATS
from mlops.dataset.limits import Limits
from mlops.dataset.validation.parts.validate_parts import validate_parts
from mlops.dataset.validation.validate import validate
from mlops.infrastructure.upload_events import Purpose
from mlops.intake.parts.listing import parts_in_folder
from mlops.models.dataset import Contract, ValidationReport
from mlops.models.errors import DatasetError
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings

_STDIN = "-"


def add_parser(subparsers: Any) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "validate",
        description=f"{COMMANDS['validate'].description} A rejected file gives exit code 1. "
        "`--format github` shows each finding at its line of a pull request, `--format junit` is the "
        "XML of test reports.",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a file, a folder with the parts of one table, s3://BUCKET/KEY, or - for stdin",
    )
    parser.add_argument("--settings", type=Path, metavar="model.toml", help="settings of the model group")
    parser.add_argument(
        "--contract", type=Path, metavar="contract.json", help="the contract to check the files against"
    )
    parser.add_argument("--purpose", choices=("training", "inference"), default="training")
    parser.add_argument(
        "--min-rows", type=int, default=Limits().min_rows, help="minimum number of rows to train on"
    )
    parser.add_argument(
        "--all-lines",
        action="store_true",
        help=f"name every line of a finding, not only the first {Limits().max_lines}",
    )
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="default: text")
    parser.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="format",
        help="same as --format json: the whole report, or a list of them for several files",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the reports; return `NOT_PASSED` when a file is rejected."""
    settings = GroupSettings.from_toml(_read(arguments.settings)) if arguments.settings else None
    contract = _contract(arguments.contract) if arguments.contract else None
    limits = Limits(min_rows=arguments.min_rows)
    if arguments.all_lines:
        limits = replace(limits, max_lines=limits.max_rows)
    check = partial(_check, settings, contract, purpose=arguments.purpose, limits=limits)
    with showing_progress():
        reports = [(_name(file), check(file)) for file in arguments.files]
    sys.stdout.write(f"{FORMATS[arguments.format](reports)}\n")
    is_rejected = any(report.verdict == "reject" for _, report in reports)
    return ExitCode.NOT_PASSED if is_rejected else ExitCode.OK


def _name(file: str) -> str:
    return "stdin" if file == _STDIN else file


def _check(
    settings: GroupSettings | None, contract: Contract | None, file: str, *, purpose: Purpose, limits: Limits
) -> ValidationReport:
    begin_stage(f"Check {_name(file)}")
    if Path(file).is_dir():
        return validate_parts(parts_in_folder(Path(file)), settings, contract, purpose=purpose, limits=limits)
    with _as_local(file) as path:
        return validate(path, settings, contract, purpose=purpose, limits=limits)


@contextmanager
def _as_local(file: str) -> Iterator[Path]:
    """Give the file; what comes from S3 or stdin is stored in a temporary one, which can be read again."""
    if not file.startswith("s3://") and file != _STDIN:
        yield Path(file)
        return
    with TemporaryDirectory() as folder:
        if file == _STDIN:
            copy = Path(folder, "stdin")
            with copy.open("wb") as target:
                shutil.copyfileobj(sys.stdin.buffer, target)
        else:
            copy = _download(file, Path(folder))
        yield copy


def _download(address: str, folder: Path) -> Path:
    from mlops.infrastructure.aws.s3 import S3Objects

    try:
        ref = ObjectRef.from_uri(address)
    except ValueError as error:
        raise DatasetError(f"{error} Name one file as s3://BUCKET/KEY.") from error
    name = ref.key.rpartition("/")[2]
    if not name:
        raise DatasetError(f"{address} is a folder in S3; name its files, or copy it and name the copy.")
    S3Objects().download(ref, folder / name)
    return folder / name


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
