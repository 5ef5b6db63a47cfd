"""The command `mlops`: its commands by topic."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from mlops import __version__
from mlops.cli.command import TARGET_HELP
from mlops.infrastructure.aws.clients import aws_errors
from mlops.infrastructure.extras import EXTRA_OF, missing_package_message
from mlops.models.errors import MlopsError

# by topic, the module of each command: it has `add_parser(subparsers)`, which sets `run(arguments) -> int`
_TOPICS: Mapping[str, Mapping[str, str]] = {
    "Files": {
        "validate": "mlops.cli.files.validation",
        "train": "mlops.cli.files.pipelines",
        "score": "mlops.cli.files.pipelines",
        "drift": "mlops.cli.files.drift",
    },
    "Datasets, runs and predictions": {
        "datasets": "mlops.cli.datasets",
        "runs": "mlops.cli.runs",
        "predict": "mlops.cli.scoring.predict",
        "predictions": "mlops.cli.scoring.predictions",
        "labels": "mlops.cli.scoring.quality",
        "quality": "mlops.cli.scoring.quality",
        "features": "mlops.cli.features",
        "forget": "mlops.cli.forget",
        "forgotten": "mlops.cli.forget",
    },
    "Models": {
        "groups": "mlops.cli.versions",
        "versions": "mlops.cli.versions",
        "show": "mlops.cli.versions",
        "compare": "mlops.cli.versions",
        "tag": "mlops.cli.versions",
        "note": "mlops.cli.versions",
        "audit": "mlops.cli.audit",
        "promote": "mlops.cli.champion",
        "rollback": "mlops.cli.champion",
        "snooze": "mlops.cli.champion",
    },
    "Approvals": {
        "pending": "mlops.cli.approvals",
        "approve": "mlops.cli.approvals",
        "reject": "mlops.cli.approvals",
        "remind": "mlops.cli.approvals",
        "reopen": "mlops.cli.approvals",
        "rotate-key": "mlops.cli.approvals",
        "policy": "mlops.cli.policy",
        "confirm": "mlops.cli.operations.subscriptions",
    },
    "Failures": {
        "retry": "mlops.cli.operations.retries",
        "replay": "mlops.cli.operations.dead_letters",
        "doctor": "mlops.cli.operations.doctor",
    },
}
COMMANDS: Mapping[str, str] = {
    name: module for commands in _TOPICS.values() for name, module in commands.items()
}

_ERROR = 2
_WIDTH = 79


class _Parser(argparse.ArgumentParser):
    """Reports what is wrong with the arguments in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(_ERROR, f"mlops: {message}; see `{self.prog} --help`.\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 2, after one sentence, for an error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = _parser(words).parse_args(words)
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has stopped, as in `mlops audit GROUP | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MlopsError as error:
        return _report(str(error))
    except OSError as error:
        return _report(f"{error.filename or 'a file'}: {error.strerror or error}.")
    except ModuleNotFoundError as error:
        if error.name not in EXTRA_OF:
            raise
        return _report(missing_package_message(error.name))
    except aws_errors() as error:
        return _report(f"The call to AWS failed: {error}")
    return code


def _report(sentence: str) -> int:
    sys.stderr.write(f"mlops: {' '.join(sentence.split())}\n")
    return _ERROR


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser; only the module of the command in `words` is imported, all of them for the help."""
    parser = _Parser(
        prog="mlops",
        usage="mlops [-h] COMMAND ...",
        description=textwrap.fill("Train, approve, serve and monitor tabular models.", _WIDTH),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mlops {__version__}")
    subparsers = parser.add_subparsers(prog="mlops", required=True, metavar="COMMAND", help=argparse.SUPPRESS)
    module = COMMANDS.get(words[0]) if words else None
    for name in [module] if module else dict.fromkeys(COMMANDS.values()):
        import_module(name).add_parser(subparsers)
    if module is None:
        summaries = {choice.dest: choice.help or "" for choice in subparsers._choices_actions}
        parser.epilog = _command_list(summaries)
    return parser


def _command_list(summaries: Mapping[str, str]) -> str:
    """Return the commands with their summaries, by topic, and how a command finds its target."""
    lines: list[str] = []
    for topic, commands in _TOPICS.items():
        lines += [f"{topic}:"]
        for name in commands:
            entry = f"  {name:<12}{summaries[name]}"
            lines += textwrap.wrap(entry, _WIDTH, subsequent_indent=" " * 14, break_on_hyphens=False)
        lines += [""]
    return "\n".join([*lines, textwrap.fill(TARGET_HELP, _WIDTH, break_on_hyphens=False)])
