"""The README names every command and setting, and no other."""

import re
import shlex

import pytest

from local.__main__ import make_parser
from local.launcher import REPOSITORY_ROOT

LOCAL = REPOSITORY_ROOT / "local"
README = (LOCAL / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"`python -m local ([^`]+)`", README)))
SETTING = re.compile(r"\bLOCAL_[A-Z_]+_(?:WORKERS|JOBS|SECONDS)\b")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_is_accepted(command: str) -> None:
    make_parser().parse_args(shlex.split(command))


def test_every_command_is_in_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_parser().parse_args(["--help"])
    offered = re.findall(r"^    ([\w-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE)
    assert sorted(offered) == sorted({command.split()[0] for command in COMMANDS})


def test_every_setting_is_in_the_readme() -> None:
    sources = [path for path in LOCAL.rglob("*.py") if "tests" not in path.relative_to(LOCAL).parts]
    used = {name for path in sources for name in SETTING.findall(path.read_text(encoding="utf-8"))}
    assert set(SETTING.findall(README)) == used


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z][\w/]*(?:\.py|/))`", README))))
def test_every_file_that_the_readme_names_exists(name: str) -> None:
    places = [LOCAL / name, LOCAL / "sagemaker" / name, REPOSITORY_ROOT / name]
    assert any(place.exists() for place in places)
