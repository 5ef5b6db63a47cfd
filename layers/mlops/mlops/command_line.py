"""The command `mlops`: commands live in the packages that they belong to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from mlops.errors import MlopsError
from mlops.infrastructure.clients import aws_errors
from mlops.workplace import RULE

# the modules that hold a command: each has `add_parser(subparsers)`, which sets `run(arguments) -> int`
COMMANDS: dict[str, str] = {
    "validate": "mlops.dataset.command",
    "datasets": "mlops.dataset.datasets_command",
    "train": "mlops.pipelines.command",
    "score": "mlops.pipelines.command",
    "runs": "mlops.experiment.command",
    "groups": "mlops.registry.command",
    "versions": "mlops.registry.command",
    "show": "mlops.registry.command",
    "compare": "mlops.registry.command",
    "audit": "mlops.registry.audit_command",
    "pending": "mlops.approval.command",
    "approve": "mlops.approval.command",
    "reject": "mlops.approval.command",
    "remind": "mlops.approval.command",
    "rotate-key": "mlops.approval.command",
    "reopen": "mlops.approval.command",
    "promote": "mlops.registry.promote_command",
    "rollback": "mlops.registry.rollback_command",
    "tag": "mlops.registry.label_command",
    "note": "mlops.registry.label_command",
    "drift": "mlops.monitoring.command",
    "replay": "mlops.infrastructure.replay_command",
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
        epilog=RULE,
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    named = [module for name, module in COMMANDS.items() if given and given[0] == name]
    for module in named or dict.fromkeys(COMMANDS.values()):
        import_module(module).add_parser(subparsers)
    return parser
