"""The supported Pythons with the oldest and the newest permitted libraries, and models carried between them.

Each environment trains one model per algorithm. Every other one predicts the same with it or refuses it, as
the rule of `compatibility` says. Long: `make prove` runs it.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from mlops.pipelines.artifacts.compatibility import version_problems
from tests.packaging.environments import REPOSITORY, UV, build_wheel, install, run

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.skipif(os.environ.get("PROOFS") != "full", reason="long: `make prove PROOFS=full` runs it"),
]

EXAMPLE = REPOSITORY / "examples" / "medication-adherence"
SCRIPT = Path(__file__).with_name("train_or_score.py")
_DECLARED = [
    "--requirement",
    str(REPOSITORY / "pyproject.toml"),
    "--extra",
    "train",
    "--only-binary",
    ":all:",
]
_LIBRARIES = {
    "oldest": [*_DECLARED, "--resolution", "lowest-direct"],
    "newest": _DECLARED,
    "pandas 2": [*_DECLARED, "pandas<3"],
}
CASES = [("3.12", "oldest"), ("3.12", "newest"), ("3.12", "pandas 2"), ("3.13", "oldest"), ("3.13", "newest")]


class Trained(NamedTuple):
    """An environment, its models, and what it predicts with them."""

    python: Path
    models: Path
    predicted: dict[str, list[float]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    """Every environment by its name, after its trainings."""
    folder = tmp_path_factory.mktemp("matrix")
    wheel = build_wheel(folder)
    environments = {}
    for version, libraries in CASES:
        interpreter = _find_python(version)
        if interpreter is None:
            continue
        name = f"{version} {libraries}"
        python = install(folder / name, interpreter, _LIBRARIES[libraries]) / "python"
        run([UV, "pip", "install", "--quiet", "--no-deps", "--python", str(python), str(wheel)], folder)
        models = folder / f"models of {name}"
        environments[name] = Trained(python, models, _run_script(python, "train", models))
    return environments


def test_every_environment_trains_and_scores_with_every_algorithm(trained: dict[str, Trained]) -> None:
    assert len(trained) >= 3, "only one Python is installed; pyproject.toml names two"
    for name, environment in trained.items():
        for algorithm, predicted in environment.predicted.items():
            assert isinstance(predicted, list), f"{name}, {algorithm}: {predicted}"
            assert len(set(predicted)) > 10, f"{name}, {algorithm} predicts the same for everyone"


def test_a_model_predicts_the_same_elsewhere_or_is_refused_by_the_rule(trained: dict[str, Trained]) -> None:
    outcomes = {"same": 0, "refused": 0}
    for origin, source in trained.items():
        for name, target in trained.items():
            if name == origin:
                continue
            answers = _run_script(target.python, "score", source.models)
            for algorithm, answer in answers.items():
                case = f"{algorithm} from {origin} in {name}"
                problems = version_problems(
                    _versions(source.models / algorithm), _versions(target.models / algorithm)
                )
                if problems:
                    assert isinstance(answer, str), f"{case} was loaded in spite of {problems}"
                    assert all(problem in answer for problem in problems), case
                    outcomes["refused"] += 1
                else:
                    assert answer == pytest.approx(source.predicted[algorithm], rel=0, abs=1e-9), case
                    outcomes["same"] += 1
    assert outcomes["same"] >= 2 * outcomes["refused"] // 3 > 0


def _find_python(version: str) -> str | None:
    """Return an interpreter of that version: one on the path, or one that pyenv installed."""
    command = [UV, "python", "find", "--system", "--no-python-downloads", version]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.home())
    if done.returncode == 0:
        return done.stdout.strip()
    installed = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"))
    return str(installed[-1]) if installed else None


def _versions(model: Path) -> dict[str, str]:
    versions: dict[str, str] = json.loads((model / "manifest.json").read_bytes())["library_versions"]
    return versions


def _run_script(python: Path, action: str, models: Path) -> dict[str, list[float]]:
    command = [str(python), "-W", "error", str(SCRIPT), action, str(EXAMPLE), str(models)]
    printed: dict[str, list[float]] = json.loads(run(command, models.parent).splitlines()[-1])
    return printed
