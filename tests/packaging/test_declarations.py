"""What pyproject.toml declares, against what the code imports and what other files say."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mlops
from mlops.infrastructure.extras import DISTRIBUTION, EXTRA_OF
from mlops.pipelines.artifacts.compatibility import RULES
from tests.packaging.environments import REPOSITORY, build_wheel

SOURCE = REPOSITORY / "src" / "mlops"
DISTRIBUTION_OF = {
    "aws_lambda_powertools": "aws-lambda-powertools",
    "backports": "backports-zstd",
    "botocore": "boto3",
    "python_calamine": "python-calamine",
    "sklearn": "scikit-learn",
    "xgboost": "xgboost-cpu",
}
# named by a model's manifest, never imported by name: scikit-learn computes with it
BY_VERSION_ONLY = {"scipy"}
MAX_LINES, MAX_MODULES = 300, 15  # of a module, and of a folder beside `__init__.py`
OURS = {"app", "local", "mlops", "train"}


def declared() -> dict[str, set[str]]:
    """Return the names of the declared packages by extra; the packages that are always installed under ""."""
    project = project_table()
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {extra: {_name(requirement) for requirement in group} for extra, group in groups.items()}


def project_table() -> dict[str, Any]:
    """Return the table `project` of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    return table


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield every package that is neither ours nor Python's own, with the file that imports it."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for module in _modules(node) or _estimators(node, path):
                package = module.partition(".")[0].partition(":")[0]
                if package not in OURS and package not in sys.stdlib_module_names:
                    yield package, path


def _modules(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
        case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]):
            return [module]
        case _:
            return []


def _estimators(node: ast.AST, path: Path) -> list[str]:
    """Return the module of an estimator that the table of algorithms names as "module:Class"."""
    is_named = path.parent.name == "algorithms" and isinstance(node, ast.Constant)
    return [str(node.value)] if is_named and re.fullmatch(r"[a-z_.]+:[A-Z]\w+", str(node.value)) else []


def _name(requirement: str) -> str:
    return re.split(r"[<>=!;\[ ]", requirement, maxsplit=1)[0]


@pytest.mark.parametrize("folder", ["src/mlops", "functions", "training"])
def test_every_imported_package_is_declared_in_the_extra_that_the_code_names(folder: str) -> None:
    packages = declared()
    for package, path in imported(REPOSITORY / folder):
        if package.startswith("sagemaker_"):  # parts of the images that serve, imported nowhere else
            continue
        distribution = DISTRIBUTION_OF.get(package, package)
        assert distribution in packages[EXTRA_OF.get(package, "")], f"{path} imports {package}"


def test_every_package_that_is_always_installed_is_imported() -> None:
    used = {DISTRIBUTION_OF.get(package, package) for package, _ in imported(SOURCE)} | BY_VERSION_ONLY
    assert declared()[""] <= used
    assert set(RULES) >= BY_VERSION_ONLY


def test_what_the_messages_name_is_what_is_declared() -> None:
    assert project_table()["name"] == DISTRIBUTION
    assert set(EXTRA_OF.values()) == set(declared()) - {"", "dev", "docs"}


def test_the_library_is_declared_in_ranges_and_every_range_ends_below_a_major() -> None:
    project = project_table()
    groups = [
        project["dependencies"],
        *(project["optional-dependencies"][extra] for extra in ("aws", "formats", "train")),
    ]
    for requirement in (entry for group in groups for entry in group):
        assert ">=" in requirement, requirement
        assert re.search(r",<\d+$", requirement.partition(";")[0].strip()), requirement


def test_the_wheel_holds_every_file_of_the_library(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(build_wheel(tmp_path)) as archive:
        packed = {name for name in archive.namelist() if name.startswith("mlops/")}
    files = {path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert packed == {path.relative_to(SOURCE.parent).as_posix() for path in files}


def test_the_version_is_written_once() -> None:
    table = project_table()
    assert "version" not in table
    assert table["dynamic"] == ["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", mlops.__version__)


def test_the_newest_section_of_the_changelog_is_of_this_version_or_unreleased() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    dated = re.fullmatch(rf"{re.escape(mlops.__version__)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", headings[0])
    assert dated or headings[0].endswith(" - unreleased")


def test_modules_and_folders_are_small_enough_to_be_read() -> None:
    modules = sorted(SOURCE.rglob("*.py"))
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert [path for path, count in lines.items() if count > MAX_LINES] == []
    folders = Counter(path.parent for path in modules if path.name != "__init__.py")
    assert [folder for folder, count in folders.items() if count > MAX_MODULES] == []
