"""The command `mlops`: its commands by topic."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import textwrap
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from mlops import __version__
from mlops.cli.commands import COMMANDS, TARGET_HELP, TOPICS
from mlops.cli.exit_codes import ExitCode
from mlops.infrastructure.aws.clients import aws_errors
from mlops.infrastructure.extras import EXTRA_OF, missing_package_message
from mlops.models.errors import MlopsError
from mlops.models.settings.nearest import nearest

_WIDTH = 79
_ALLOCATIONS_PER_COLLECTION = 100_000


class _Parser(argparse.ArgumentParser):
    """Reports what is wrong with the arguments in one sentence, and what may have been meant."""

    def error(self, message: str) -> NoReturn:
        end = " See" if message.endswith("?") else "; see"
        self.exit(ExitCode.ERROR, f"mlops: {message}{end} `{self.prog} --help`.\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            proposal = nearest(str(value), map(str, action.choices)).rstrip(".")
            raise argparse.ArgumentError(action, f"{str(value)!r} is unknown. {proposal}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return one of `ExitCode`; after an error, which is one sentence, `ERROR`."""
    if arguments is None:
        # of its own process: most records live until its end, and looking for garbage among 10,000 versions
        # again and again took a fifth of `mlops versions`
        gc.set_threshold(_ALLOCATIONS_PER_COLLECTION)
    words = list(sys.argv[1:] if arguments is None else arguments)
    parsed = command_parser(words).parse_args(words or ["--help"])
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has stopped, as in `mlops audit GROUP | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
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
    return ExitCode.ERROR


def command_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser with the arguments of the command in `words`; of no other, its module is imported."""
    parser = _Parser(
        prog="mlops",
        usage="mlops [-h] [--version] COMMAND ...",
        description="Train, approve, serve and monitor tabular models.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mlops {__version__}")
    subparsers = parser.add_subparsers(prog="mlops", required=True, metavar="COMMAND", help=argparse.SUPPRESS)
    command = COMMANDS.get(next((word for word in words if not word.startswith("-")), ""))
    if command is not None:
        import_module(f"mlops.cli.{command.module}").add_parser(subparsers)
    for name in COMMANDS.keys() - subparsers.choices.keys():
        subparsers.add_parser(name)
    return parser


def _epilog() -> str:
    """Return the commands by topic, how a command finds its target, and the exit codes."""
    lines: list[str] = []
    for topic, commands in TOPICS.items():
        rows = ((name, command.summary) for name, command in commands.items())
        lines += [f"{topic}:", *_rows(rows), ""]
    lines += [textwrap.fill(TARGET_HELP, _WIDTH, break_on_hyphens=False), ""]
    codes = ((str(code.value), code.meaning) for code in ExitCode)
    return "\n".join([*lines, "Exit codes:", *_rows(codes)])


def _rows(rows: Iterable[tuple[str, str]]) -> Iterable[str]:
    for name, text in rows:
        entry = f"  {name:<13}{text}"
        yield from textwrap.wrap(entry, _WIDTH, subsequent_indent=" " * 15, break_on_hyphens=False)
