"""Entry point of a SageMaker training job: the container's folders in, a model and its evidence out.

Started as `python3 train.py` (the `code` channel) or by the `sagemaker-training` toolkit (script mode); the
folder of this file contains `wheels/`: the library `mlops`, and packages that the training image lacks.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.models.dataset import Contract

BUNDLE = Path(__file__).resolve().parent
_XGBOOST_DISTRIBUTION = "xgboost-cpu"
_FAILURE_CHARACTERS = 1024
_PLATFORM_PREFIXES = ("sagemaker_", "_tuning_")  # script mode, and the objective of a tuning job
_OUT_OF_MEMORY = "The job ran out of memory; choose a larger instance type for training."
_UNEXPECTED = "Training stopped at an unexpected {name}; the log of the training job has the details."


@dataclass(frozen=True)
class Container:
    """Folders of a SageMaker container: its environment variables if they are set, else its fixed paths."""

    training: Path
    contract: Path
    row_key: Path
    champion: Path
    trials: Path
    model: Path
    evidence: Path
    failure: Path
    hyperparameters: Path

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Container:
        """Read the layout from the environment."""
        base = Path(variables.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
        data = base / "input" / "data"
        return cls(
            training=Path(variables.get("SM_CHANNEL_TRAINING", data / "training")),
            contract=Path(variables.get("SM_CHANNEL_CONTRACT", data / "contract")),
            row_key=Path(variables.get("SM_CHANNEL_ROW_KEY", data / "row_key")),
            champion=Path(variables.get("SM_CHANNEL_CHAMPION", data / "champion")),
            trials=Path(variables.get("SM_CHANNEL_TRIALS", data / "trials")),
            model=Path(variables.get("SM_MODEL_DIR", base / "model")),
            evidence=Path(variables.get("SM_OUTPUT_DATA_DIR", base / "output" / "data")),
            failure=base / "output" / "failure",
            hyperparameters=base / "input" / "config" / "hyperparameters.json",
        )


def main() -> int:
    """Train; after a failure write one sentence for SageMaker and the traceback to the log."""
    container = Container.read(os.environ)
    with unpacked_library():
        try:
            run(container, os.environ)
        except Exception as error:  # noqa: BLE001  any error becomes the reason of the failed job
            traceback.print_exc()
            container.failure.parent.mkdir(parents=True, exist_ok=True)
            container.failure.write_text(failure_sentence(error)[:_FAILURE_CHARACTERS], encoding="utf-8")
            return 1
    return 0


@contextmanager
def unpacked_library() -> Iterator[None]:
    """Make the library importable; its wheel is unpacked, since the library reads its templates as files."""
    with tempfile.TemporaryDirectory() as folder:
        for wheel in (BUNDLE / "wheels").glob("serverless_mlops-*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
        sys.path.insert(0, folder)
        yield


def run(container: Container, variables: Mapping[str, str]) -> None:
    """Train with the job's hyperparameters, or score them if the job is a trial of a search."""
    config = read_hyperparameters(container.hyperparameters, variables)
    (score_trial if config.pop("trial", None) else train)(container, config)


def train(container: Container, config: dict[str, Any]) -> None:
    """Train, compare with a champion if there is one, write the evidence."""
    from mlops.algorithms.contenders import candidates  # noqa: PLC0415
    from mlops.models.settings.group import GroupSettings  # noqa: PLC0415  importable after main()

    group, champion_version = config.pop("group", None), config.pop("champion_version", None)
    champion_digest = config.pop("champion_sha256", None)
    config.pop("dataset_id", None)
    settings = GroupSettings.from_config(config)
    with tempfile.TemporaryDirectory() as scratch:
        champion = unpack_champion(container.champion, champion_digest, Path(scratch) / "champion")
        needed = {package for chosen in candidates(settings) for package in packages_of(chosen.algorithm)}
        needed |= packages_of(algorithm_of(champion))
        install_missing(BUNDLE / "wheels", Path(scratch) / "packages", with_xgboost="xgboost" in needed)
        from mlops.pipelines.artifacts.artifacts import copy_evidence  # noqa: PLC0415  needs the packages
        from mlops.pipelines.artifacts.serving_code import add_serving_code  # noqa: PLC0415
        from mlops.pipelines.training_pipeline import TrainingPipeline  # noqa: PLC0415

        result = TrainingPipeline(settings, row_key=read_row_key(container.row_key)).execute(
            container.training,
            container.model,
            contract=read_contract(container.contract),
            champion_path=champion,
            champion_version=champion_version,
            group=group,
            trials_path=container.trials if container.trials.is_dir() else None,
        )
    add_serving_code(BUNDLE, container.model)
    copy_evidence(container.model, container.evidence)
    for name, value in result.metrics.values().items():
        print(f"metric {name}={value:.6f}")  # noqa: T201  read by the job's metric definitions


def score_trial(container: Container, config: dict[str, Any]) -> None:
    """Print the out-of-fold score of the job's hyperparameters on the training rows; store no model."""
    from mlops.models.settings.group import GroupSettings  # noqa: PLC0415  importable after main()

    settings = GroupSettings.from_config(config)
    with tempfile.TemporaryDirectory() as scratch:
        needed = packages_of(settings.algorithm)
        install_missing(BUNDLE / "wheels", Path(scratch) / "packages", with_xgboost="xgboost" in needed)
        from mlops.pipelines.fitting.trials import judge_trial  # noqa: PLC0415  needs the packages
        from mlops.pipelines.jobs.tuning_job import objective_line  # noqa: PLC0415

        score = judge_trial(container.training, settings, read_contract(container.contract))
        print(objective_line(score))  # noqa: T201  read by the tuning job


def read_hyperparameters(path: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the job's hyperparameters: `SM_HPS`, else the file; without the platform's own entries."""
    from mlops.models.settings.hyperparameter import with_whole_settings  # noqa: PLC0415

    if "SM_HPS" in variables:
        hyperparameters = json.loads(variables["SM_HPS"])
    else:
        hyperparameters = json.loads(path.read_bytes()) if path.is_file() else {}
    hyperparameters = with_whole_settings(hyperparameters)
    return {name: value for name, value in hyperparameters.items() if not name.startswith(_PLATFORM_PREFIXES)}


def read_contract(channel: Path) -> Contract | None:
    """Return the contract of the dataset; None for a training that did not come through intake."""
    from mlops.models.dataset import Contract  # noqa: PLC0415  on the path since main()

    documents = sorted(channel.glob("*.json")) if channel.is_dir() else []
    return Contract.from_json(documents[0].read_bytes()) if documents else None


def read_row_key(channel: Path) -> bytes | None:
    """Return the key by which the rows of the group are recognised; None when the job has none."""
    files = sorted(path for path in channel.iterdir() if path.is_file()) if channel.is_dir() else []
    return files[0].read_bytes() if files else None


def unpack_champion(channel: Path, digest: str | None, target: Path) -> Path | None:
    """Unpack the champion's archive; return None if the job has no champion.

    Raises
    ------
    ArtifactError
        If the archive is not the registered one, or is hostile or damaged.
    """
    from mlops.models.errors import ArtifactError  # noqa: PLC0415
    from mlops.pipelines.artifacts.archive import sha256_of, unpack  # noqa: PLC0415

    archives = sorted(channel.glob("*.tar.gz")) if channel.is_dir() else []
    if not archives:
        return None
    if digest is not None and sha256_of(archives[0]) != digest:
        raise ArtifactError("The champion's archive is not the one that was registered: its digest differs.")
    unpack(archives[0], target)
    return target


def algorithm_of(model: Path | None) -> str | None:
    """Return the algorithm of a model directory, from its manifest."""
    from mlops.pipelines.artifact_files import MANIFEST  # noqa: PLC0415

    manifest = model / MANIFEST if model else None
    if manifest is None or not manifest.is_file():
        return None
    algorithm: str | None = json.loads(manifest.read_bytes()).get("algorithm")
    return algorithm


def packages_of(name: str | None) -> set[str]:
    """Return the package that an algorithm needs; an empty set without an algorithm."""
    from mlops.algorithms.selection import algorithm  # noqa: PLC0415

    return set() if name is None else {algorithm(name).package}


def install_missing(wheels: Path, target: Path, *, with_xgboost: bool) -> None:
    """Install the wheels of the bundle that are not installed in that version; XGBoost only on request."""
    missing = [
        str(wheel)
        for wheel in sorted(wheels.glob("*.whl"))
        if not is_installed(wheel) and (with_xgboost or distribution(wheel)[0] != _XGBOOST_DISTRIBUTION)
    ]
    if missing:
        pip(["install", "--no-index", "--no-deps", "--target", str(target), *missing])
        sys.path.insert(0, str(target))
        importlib.invalidate_caches()


def distribution(wheel: Path) -> tuple[str, str]:
    """Return the name and version of a wheel, from its file name."""
    name, version = wheel.name.split("-")[:2]
    return name.replace("_", "-").lower(), version


def is_installed(wheel: Path) -> bool:
    """Return whether that version is installed already."""
    name, version = distribution(wheel)
    try:
        return importlib.metadata.version(name) == version
    except importlib.metadata.PackageNotFoundError:
        return False


def pip(arguments: Iterable[str]) -> None:
    """Run pip quietly; its messages go to the log."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        *arguments,
    ]
    subprocess.run(command, check=True)  # noqa: S603  fixed arguments and paths of our own


def failure_sentence(error: Exception) -> str:
    """Return the message for people: our own errors say what to do, others only name their type."""
    from mlops.models.errors import MlopsError  # noqa: PLC0415

    if isinstance(error, MlopsError):
        return str(error)
    return _OUT_OF_MEMORY if isinstance(error, MemoryError) else _UNEXPECTED.format(name=type(error).__name__)


if __name__ == "__main__":
    sys.exit(main())
