"""The corrections belong to one version of MiniStack, and use only the names that are listed for it."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.emulator import PINNED_VERSION, replace_text, require_pinned_version, resolve, wrap
from local.emulator.names import DIFFERENCES, MODULES, READ, READ_OF_INSTANCES
from local.environment import emulator_environment
from local.errors import HookError
from local.launcher import REPOSITORY_ROOT

LOCAL = REPOSITORY_ROOT / "local"
SOURCES = sorted(path for path in LOCAL.rglob("*.py") if "tests" not in path.relative_to(LOCAL).parts)
WRAPPED = [name for difference in DIFFERENCES for name in difference.wraps]


def test_the_pinned_version_is_installed() -> None:
    require_pinned_version()


def test_another_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(HookError, match=f"install ministack=={PINNED_VERSION}"):
        require_pinned_version("1.6.0")


@pytest.mark.parametrize("name", sorted({*WRAPPED, *READ}))
def test_the_pinned_version_has_every_listed_name(name: str) -> None:
    resolve(name)


def test_the_pinned_version_has_the_listed_attributes_of_instances() -> None:
    worker = resolve("lambda_runtime.Worker")("function", {}, b"")
    assert set(READ_OF_INSTANCES) == {f"lambda_runtime.Worker.{name}" for name in ("_proc",)}
    assert hasattr(worker, "_proc")


def test_every_difference_says_what_aws_and_ministack_do_and_where_it_is_corrected() -> None:
    for difference in DIFFERENCES:
        assert difference.aws.endswith(".")
        assert difference.ministack.endswith(".")
        assert find_spec(f"local.{difference.corrected_in}") is not None


def test_every_correction_is_listed() -> None:
    listed = {difference.corrected_in for difference in DIFFERENCES}
    corrections = {
        ".".join(path.relative_to(LOCAL).with_suffix("").parts)
        for path in (LOCAL / "fixes").rglob("*.py")
        if "def install() -> None" in path.read_text()
    }
    assert corrections <= listed


def test_the_corrections_replace_exactly_the_listed_names(tmp_path: Path) -> None:
    program = "import json; from local import emulator; emulator.install_corrections()"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}; print(json.dumps(emulator.replaced))"],
        cwd=REPOSITORY_ROOT,
        env=emulator_environment(1, tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(json.loads(done.stdout)) == sorted(WRAPPED)


def test_a_name_that_is_not_listed_cannot_be_wrapped() -> None:
    with pytest.raises(HookError, match=r"s3\._put_object is not listed"):
        wrap("s3._put_object", lambda original: original)


def test_a_listed_name_that_ministack_does_not_have_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ministack.services.sqs", SimpleNamespace())
    with pytest.raises(HookError, match=r"expected to have sqs\._queues"):
        resolve("sqs._queues")


def test_a_script_that_changed_is_an_error() -> None:
    with pytest.raises(HookError, match="contain this once"):
        replace_text("a = 1", "b = 2", "b = 3")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LOCAL)))
def test_a_module_uses_no_private_name_of_ministack_that_is_not_listed(path: Path) -> None:
    of_instances = {name.rpartition(".")[2] for name in READ_OF_INSTANCES}
    used = {name for name in private_names(path.read_text()) if name.rpartition(".")[2] not in of_instances}
    assert used <= {*WRAPPED, *READ}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from ministack.services import s3\ns3._buckets[1]", ["s3._buckets"]),
        ("from ministack.services import iam as roles\nroles._roles.get(1)", ["iam_service._roles"]),
        ("from ministack.services.s3 import _buckets", ["s3._buckets"]),
        ("from ministack.services import ec2\nec2._vpcs", ["ministack.services.ec2._vpcs"]),
        ("from ministack.services import s3\ngetattr(s3, '_buckets')", ["s3._buckets"]),
        ("worker._proc", ["worker._proc"]),
        ("self._own", []),
        ("from ministack.services import s3\ns3.buckets, s3.__name__", []),
    ],
)
def test_private_names_are_recognised(source: str, names: list[str]) -> None:
    assert list(private_names(source)) == names


def private_names(source: str) -> Iterator[str]:
    """Yield the private attributes that a module uses of other objects, written as in the list."""
    short = {full: name for name, full in MODULES.items()}
    tree = ast.parse(source)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
            for imported in node.names:
                full = f"{node.module}.{imported.name}"
                aliases[imported.asname or imported.name] = short.get(full, full)
                if imported.name.startswith("_"):
                    yield f"{short.get(str(node.module), node.module)}.{imported.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner, name = node.value, node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "setattr", "hasattr"):
            owner, name = node.args[0], getattr(node.args[1], "value", "")
        else:
            continue
        if name.startswith("_") and not name.startswith("__") and ast.unparse(owner) not in ("self", "cls"):
            text = ast.unparse(owner)
            yield f"{aliases.get(text, text)}.{name}"
