"""The command `mlops` as a whole: its names, its help, and how it refuses."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from importlib import import_module

import boto3
import pytest

import mlops
from mlops.cli.main import COMMANDS, main

PROMISED = (
    "groups", "versions", "show", "compare", "pending", "approve", "reject", "rollback", "audit", "datasets",
    "runs", "drift",
)  # fmt: skip


CHILD = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Every parser by the words that lead to it."""
    top = argparse.ArgumentParser(prog="mlops")
    subparsers = top.add_subparsers()
    for module in dict.fromkeys(COMMANDS.values()):
        import_module(module).add_parser(subparsers)
    return dict(_leaves("", top))


def _leaves(words: str, parser: argparse.ArgumentParser):
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield words.strip(), parser
    for action in nested:
        for name, child in action.choices.items():
            yield from _leaves(f"{words} {name}", child)


def test_the_names_are_those_that_were_promised():
    first_words = {words.split()[0] for words in parsers()}
    assert set(PROMISED) <= first_words
    assert first_words == set(COMMANDS)


def test_the_help_lists_every_command_once_with_its_summary(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    listed = re.findall(r"^  ([a-z][a-z-]*) +[a-z]", capsys.readouterr().out, re.MULTILINE)
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("words", sorted(parsers()))
def test_every_command_has_help_and_prints_json_on_request(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), "--help"])
    assert ended.value.code == 0
    message = capsys.readouterr().out
    assert "--json" in message
    assert re.search(rf"usage: mlops {words} ", message)


def test_every_command_on_a_context_has_a_target():
    without = {words for words, parser in parsers().items() if "--stack" not in parser.format_help()}
    assert without == {"validate", "train", "score"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["regsitry"], "invalid choice"),
        (["show"], "required: group; see `mlops show --help`"),
        (["rollback", "g"], "--reason"),
        ([], "COMMAND"),
    ],
)
def test_wrong_arguments_are_one_sentence(words, sentence, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert sentence in message
    assert message.count("\n") == 1


def test_a_stack_without_credentials_is_one_sentence(capsys, monkeypatch):
    from mlops.infrastructure.aws.clients import client

    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers what an earlier test had
    client.cache_clear()
    assert main(["groups", "--stack", "any"]) == 2
    client.cache_clear()
    message = capsys.readouterr().err
    assert "Unable to locate credentials" in message
    assert message.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    command = f'"{sys.executable}" -m mlops groups --root "{tmp_path}" | true; exit ${{PIPESTATUS[0]}}'
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=CHILD)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("command", ["groups", "show", "audit", "rollback", "pending"])
def test_the_commands_of_the_registry_start_without_numpy_and_boto3(command):
    code = (
        "import sys, importlib, mlops.cli.main as c;"
        f"importlib.import_module(c.COMMANDS[{command!r}]);"
        "print(sorted({'numpy', 'pandas', 'boto3'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=CHILD
    )
    assert ended.stdout == "[]\n"


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"mlops {mlops.__version__}\n"
