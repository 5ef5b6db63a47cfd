"""Functions run on their layers alone, and fit into Lambda."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

from local.deploy import BUILD_DIRECTORY, SOURCES, build, exclusive_build
from tests.infrastructure import template as t

LIMIT_BYTES = 240 * 2**20  # Lambda takes 250 MiB; the rest is head-room for patch releases
LIMIT_WITHOUT_SKLEARN_BYTES = 135 * 2**20  # of functions that score compiled models; 126 today
# modules of the library that importing a handler loads, which a cold start waits for
OWN_MODULES = {"RunInferenceCompiledFunction": 261, "ScoreRangeCompiledFunction": 262}
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py")
LISTING = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import app
print(json.dumps(sorted(sys.modules)))
"""

each_function = pytest.mark.parametrize("logical_id", sorted(t.functions()))


@pytest.fixture(scope="session")
def layers() -> dict[str, Path]:
    """Every layer as `sam build` makes it, by logical id; the end-to-end tests deploy the same build."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    directory = t.REPOSITORY / BUILD_DIRECTORY
    with exclusive_build(directory):
        build({**os.environ, "PATH": programs}, t.REPOSITORY / "template.yaml", SOURCES, directory)
    return {logical_id: directory / logical_id for logical_id in t.resources("AWS::Serverless::LayerVersion")}


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages that Lambda's own runtime brings, and nothing else."""
    import boto3

    installed = Path(boto3.__file__).parents[1]
    directory = tmp_path_factory.mktemp("runtime")
    for package in RUNTIME_PACKAGES:
        (directory / package).symlink_to(installed / package)
    return directory


@pytest.fixture(scope="session")
def modules_of(layers: dict[str, Path], runtime: Path):
    """What importing a handler loads, when only its layers and the runtime are there."""

    @cache
    def list_modules(logical_id: str) -> set[str]:
        function = t.functions()[logical_id]
        path = [str(t.REPOSITORY / function["CodeUri"])]
        path += [str(layers[layer] / "python") for layer in t.layers_of(function)]
        command = [
            sys.executable,
            "-I",
            "-S",
            "-W",
            "error",
            "-c",
            LISTING,
            json.dumps([*path, str(runtime)]),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return set(json.loads(done.stdout))

    return list_modules


@each_function
def test_a_handler_imports_from_its_layers_alone(logical_id: str, modules_of) -> None:
    assert "app" in modules_of(logical_id)


@each_function
def test_a_handler_makes_no_client_and_loads_nothing_heavy_before_it_is_called(
    logical_id: str, modules_of
) -> None:
    heavy = {"boto3", "jinja2", "pandas", "numpy", "scipy", "sklearn", "xgboost", "skops"}
    heavy |= {"duckdb", "python_calamine", "backports"}
    allowed = {
        "DataframeLayer": {"numpy", "pandas"},
        "SklearnLayer": {"scipy", "sklearn", "skops"},
    }
    mine = t.layers_of(t.functions()[logical_id])
    loaded = {name.split(".")[0] for name in modules_of(logical_id)} & heavy
    assert loaded <= set().union(*(allowed.get(layer, set()) for layer in mine))


@each_function
def test_a_function_with_its_layers_fits_into_lambda(logical_id: str, layers: dict[str, Path]) -> None:
    function = t.functions()[logical_id]
    used = t.layers_of(function)
    folders = [t.REPOSITORY / function["CodeUri"], *(layers[layer] for layer in used)]
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    scores_compiled_models = "XgboostLayer" in used and "SklearnLayer" not in used
    assert size < (LIMIT_WITHOUT_SKLEARN_BYTES if scores_compiled_models else LIMIT_BYTES)
    assert len(used) <= 5, "Lambda takes five layers"


@pytest.mark.parametrize(("logical_id", "budget"), OWN_MODULES.items())
def test_a_function_that_scores_imports_no_more_of_the_library_than_it_did(
    logical_id: str, budget: int, modules_of
) -> None:
    """Where more is needed, raise the budget by that; what trains and registers models is not."""
    own = {name for name in modules_of(logical_id) if name.partition(".")[0] == "mlops"}
    assert len(own) <= budget
    assert not own & {"mlops.models.registry", "mlops.models.training"}


def test_the_library_of_the_functions_has_its_templates_compiled(layers: dict[str, Path]) -> None:
    templates = t.REPOSITORY / "src/mlops/pages/templates"
    compiled = layers["MlopsLayer"] / "python/mlops/pages/compiled"
    assert len(list(compiled.glob("*.py"))) == len(list(templates.iterdir()))


def test_every_file_of_the_library_is_in_its_layers(layers: dict[str, Path]) -> None:
    root = t.REPOSITORY / "src"
    files = {path.relative_to(root) for path in (root / "mlops").rglob("*") if path.is_file()}
    needed = {path.as_posix() for path in files if "__pycache__" not in path.parts}
    assert {path for path in needed if not (layers["MlopsLayer"] / "python" / path).is_file()} == set()
    (wheel,) = (layers["TrainingSourceLayer"] / "training" / "wheels").glob("serverless_mlops-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert needed - set(archive.namelist()) == set()


def test_no_layer_carries_a_gpu_library(layers: dict[str, Path]) -> None:
    assert not [path for folder in layers.values() for path in folder.rglob("*nvidia*")]


def test_layers_and_wheels_have_the_locked_versions() -> None:
    pin = re.compile(r"^([a-z0-9-]+)==([^\s;\\]+)", re.M)
    locked = dict(pin.findall((t.REPOSITORY / "requirements.lock").read_text()))
    for path in (t.REPOSITORY / "layers").glob("*/requirements.txt"):
        pins = pin.findall(path.read_text())
        assert pins, path
        assert dict(pins).items() <= locked.items(), path


def test_the_training_source_has_entry_points_library_and_wheels(layers: dict[str, Path]) -> None:
    source = layers["TrainingSourceLayer"] / "training"
    assert (source / "train.py").is_file()
    assert (source / "score.py").is_file()
    assert (source / "inference.py").is_file()
    wheels = {path.name.split("-")[0] for path in (source / "wheels").glob("*.whl")}
    assert wheels == {
        "chardet",
        "jinja2",
        "markupsafe",
        "packaging",
        "prettytable",
        "serverless_mlops",
        "skops",
        "wcwidth",
        "xgboost_cpu",
    }


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("arm64", 183)])
def test_a_layer_is_built_for_the_processor_of_the_functions_even_when_strip_fails(
    architecture: str, machine: int, tmp_path: Path
) -> None:
    """The numbers are e_machine of the ELF format; strip refuses native code of another processor."""
    for name in ("strip", "llvm-strip"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    layer = tmp_path / "layer"
    command = ["make", "-s", "-C", "layers", "build-PowertoolsLayer", f"ARTIFACTS_DIR={layer}"]
    environment = os.environ | {"ARCHITECTURE": architecture, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=t.REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "strip failed: the symbols of native code stay" in done.stderr
    libraries = list(layer.rglob("*.so"))
    assert libraries
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in libraries} == {machine}


def test_a_build_notices_that_the_library_changed() -> None:
    """The layers copy folders outside of their ContentUri, which is all that a cached build compares."""
    makefile = (t.REPOSITORY / "layers" / "Makefile").read_text(encoding="utf-8")
    copies = re.findall(r"\tcp (.*)", makefile)
    copied = {folder for line in copies for folder in re.findall(r"\.\./(\w+)", line)}
    assert copied == {"src", "training"}
    assert copied <= set(SOURCES)
    configuration = tomllib.loads((t.REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
    sections = [section for section in configuration.values() if isinstance(section, dict)]
    builds = [section["build"]["parameters"] for section in sections if "build" in section]
    assert builds
    assert not any(parameters.get("cached") for parameters in builds)
