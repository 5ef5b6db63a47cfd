"""The command `mlops`: commands live in the packages that they belong to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from mlops import __version__
from mlops.cli.command import TARGET_HELP
from mlops.infrastructure.aws.clients import aws_errors
from mlops.infrastructure.extras import EXTRA_OF, missing_package_message
from mlops.models.errors import MlopsError

# the modules that hold a command: each has `add_parser(subparsers)`, which sets `run(arguments) -> int`
COMMANDS: dict[str, str] = {
    "validate": "mlops.cli.validation",
    "datasets": "mlops.cli.datasets",
    "train": "mlops.cli.training",
    "score": "mlops.cli.training",
    "runs": "mlops.cli.runs",
    "groups": "mlops.cli.versions",
    "versions": "mlops.cli.versions",
    "show": "mlops.cli.versions",
    "compare": "mlops.cli.versions",
    "audit": "mlops.cli.audit",
    "pending": "mlops.cli.approvals",
    "approve": "mlops.cli.approvals",
    "reject": "mlops.cli.approvals",
    "remind": "mlops.cli.approvals",
    "rotate-key": "mlops.cli.approvals",
    "reopen": "mlops.cli.approvals",
    "promote": "mlops.cli.promotion",
    "rollback": "mlops.cli.promotion",
    "tag": "mlops.cli.tags",
    "note": "mlops.cli.tags",
    "drift": "mlops.cli.drift",
    "replay": "mlops.cli.replay",
}

_REFUSED = 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(_REFUSED, f"mlops: {message}; see `{self.prog} --help`.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 2, after one sentence, for what is refused."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parsed = _parser(given).parse_args(given)
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except BrokenPipeError:  # such as `mlops audit GROUP | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MlopsError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or 'a file'}: {error.strerror or error}.")
    except ModuleNotFoundError as error:
        if error.name not in EXTRA_OF:
            raise
        return _refuse(missing_package_message(error.name))
    except aws_errors() as error:
        return _refuse(f"The call to AWS failed: {error}")
    return code


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"mlops: {' '.join(sentence.split())}\n")
    return _REFUSED


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the module of the named command is imported, all of them for the help."""
    parser = _Parser(
        prog="mlops",
        description="Train, approve, serve and watch tabular models. Commands that look at what is kept take "
        "--stack and --root.",
        epilog=TARGET_HELP,
    )
    parser.add_argument("--version", action="version", version=f"mlops {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    named = [module for name, module in COMMANDS.items() if given and given[0] == name]
    for module in named or dict.fromkeys(COMMANDS.values()):
        import_module(module).add_parser(subparsers)
    return parser
