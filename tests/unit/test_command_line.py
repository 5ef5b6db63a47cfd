"""The command `mlops` as a whole: its names, its help, and how it refuses."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import boto3
import pytest

import mlops
from mlops.cli.commands import COMMANDS
from mlops.cli.exit_codes import ExitCode
from mlops.cli.main import main

PROMISED = (
    "groups", "versions", "show", "compare", "pending", "approve", "reject", "rollback", "audit", "datasets",
    "runs", "drift",
)  # fmt: skip


CHILD = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Every parser by the words that lead to it."""
    top = argparse.ArgumentParser(prog="mlops")
    subparsers = top.add_subparsers()
    for module in dict.fromkeys(command.module for command in COMMANDS.values()):
        import_module(f"mlops.cli.{module}").add_parser(subparsers)
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


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_the_help_lists_every_command_once_with_its_summary(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    listed = re.findall(r"^  ([a-z][a-z-]*) +[a-z]", capsys.readouterr().out, re.MULTILINE)
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("words", sorted(parsers()))
def test_every_command_has_help_and_prints_json_on_request(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), "--help"])
    assert ended.value.code == 0
    message = capsys.readouterr().out
    assert "--json" in message or words == "completion"
    assert re.search(rf"usage: mlops {words} ", message)


def test_every_command_on_a_context_has_a_target():
    without = {words for words, parser in parsers().items() if "--stack" not in parser.format_help()}
    assert without == {"validate", "train", "score", "completion"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "'trian' is unknown. Did you mean 'train' or 'retrain'? See `mlops --help`"),
        (["runs", "lst"], "'lst' is unknown. Did you mean 'list'? See `mlops runs --help`"),
        (["validate", "f", "--purpose", "traning"], "Did you mean 'training'?"),
        (["xyz"], "'xyz' is unknown. Known: approve, "),
        (["train", "s3://b/x.csv", "--output", "m"], "copy it first with `aws s3 cp s3://b/x.csv .`"),
        (["show"], "required: group; see `mlops show --help`"),
        (["rollback", "g"], "--reason"),
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
        f"importlib.import_module('mlops.cli.' + c.COMMANDS[{command!r}].module);"
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


def test_the_help_imports_only_the_table_of_commands():
    code = (
        "import sys; from mlops.cli.main import main\n"
        "try: main([])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=CHILD
    )
    imported = {name for name in ended.stderr.split() if name.startswith("mlops")}
    assert {name for name in imported if name.startswith("mlops.cli.")} == {
        "mlops.cli.commands", "mlops.cli.exit_codes", "mlops.cli.main",
    }  # fmt: skip
    assert len(imported) < 20
    assert not {"numpy", "pandas", "boto3", "jinja2"} & set(ended.stderr.split())


def test_the_documented_exit_codes_are_those_of_the_program():
    page = (Path(mlops.__file__).parents[2] / "docs" / "reference" / "command-line.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(str(code.value), code.meaning) for code in ExitCode]


def test_the_program_ends_with_no_other_code_than_those_of_the_table():
    """A number that is returned by hand is 0; others have a name."""
    sources = (Path(mlops.__file__).parent / "cli").rglob("*.py")
    assert not [
        path
        for path in sources
        if re.search(r"return [1-9]$|return [1-9] if|exit\([1-9]", path.read_text("utf-8"), re.MULTILINE)
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mlops pro", {"promote"}),
        ("mlops runs l", {"list"}),
        ("mlops train my.csv --ov", {"--overwrite"}),
        ("mlops runs list g --wh", {"--where"}),
        ("mlops validate ", set()),
        ("mlops runs ", {"list", "show", "compare", "export"}),
    ],
)
def test_bash_completes(line, expected, bash_completion):
    words = line.split(" ")
    script = f'{bash_completion}\nCOMP_WORDS=({" ".join(words)} ""); COMP_CWORD={len(words) - 1}; _mlops'
    ended = subprocess.run(
        ["bash", "-c", f'{script}; echo "${{COMPREPLY[@]}}"'], capture_output=True, text=True, check=True
    )
    assert set(ended.stdout.split()) == expected


@pytest.fixture(scope="module")
def bash_completion() -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert main(["completion", "bash"]) == 0
    return output.getvalue()
