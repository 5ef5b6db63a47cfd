"""The command `mlops`: sub-commands live in the packages that they belong to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from mlops.errors import MlopsError

# the modules that hold a sub-command: each has `add_parser(subparsers)`, which sets `run(arguments) -> int`
COMMANDS: dict[str, str] = {
    "validate": "mlops.dataset.command",
    "datasets": "mlops.dataset.datasets_command",
    "train": "mlops.pipelines.command",
    "score": "mlops.pipelines.command",
    "drift": "mlops.monitoring.command",
    "registry": "mlops.registry.command",
    "runs": "mlops.experiment.command",
}

_REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; errors made on purpose are one sentence."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parsed = _parser(given).parse_args(given)
    try:
        return int(parsed.run(parsed))
    except MlopsError as error:
        sys.stderr.write(f"mlops: {error}\n")
        return _REFUSED


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the module of the named sub-command is imported, all of them for the help."""
    parser = argparse.ArgumentParser(
        prog="mlops", description="Train, approve, serve and watch tabular models."
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    named = [module for name, module in COMMANDS.items() if given and given[0] == name]
    for module in named or dict.fromkeys(COMMANDS.values()):
        import_module(module).add_parser(subparsers)
    return parser
