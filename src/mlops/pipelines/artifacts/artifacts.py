"""A model as a directory of files: saved in formats whose loading runs no foreign code, loaded with distrust.

scikit-learn's parts are written by skops and read back with the allow-list below; XGBoost writes its own
format. `manifest.json` names every file with its digest, and the library versions. It guards against damage
and mix-ups; against forgery guards the registry, which knows the digest of the whole archive.
"""

from __future__ import annotations

import importlib
import json
import platform
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.algorithms.selection import algorithm
from mlops.infrastructure.extras import is_installed, require_package
from mlops.models.errors import ArtifactError
from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.pipelines.artifact_files import (
    BASELINE,
    COMPILED,
    COMPILED_BOOSTER,
    EVALUATION_DETAILS,
    MANIFEST,
    METRICS,
    MODEL_CARD,
    ROW_KEYS,
    SCHEMA,
    TRAINING_RESULT,
)
from mlops.pipelines.artifacts import stored_types
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.pipelines.artifacts.compatibility import version_problems
from mlops.pipelines.artifacts.model import Model, ModelSchema
from mlops.pipelines.compiled import storage as compiled

FORMAT_VERSION = 1
_SKLEARN_MODEL = "model.skops"
_PREPROCESSING = "preprocessing.skops"
_XGBOOST_MODEL = "model.ubj"
MODEL_FILES = (_SKLEARN_MODEL, _PREPROCESSING, _XGBOOST_MODEL, COMPILED, COMPILED_BOOSTER)
_EVIDENCE = (MANIFEST, SCHEMA, METRICS, BASELINE, TRAINING_RESULT, EVALUATION_DETAILS, MODEL_CARD)
_ALL_FILES = (*MODEL_FILES, ROW_KEYS, *_EVIDENCE)

# what skops does not trust by default and our models need: arrays of numbers in compiled wrappers
_TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
_MODULES = {
    "numpy": "numpy",
    "pandas": "pandas",
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "skops": "skops",
    "xgboost": "xgboost",
}


@dataclass(frozen=True, slots=True)
class Manifest(Record):
    """What a model directory contains; `files` are SHA-256 digests by name, of every file but this one."""

    files: Mapping[str, str]
    library_versions: Mapping[str, str]
    algorithm: str
    task: TaskName
    target: str
    features: tuple[str, ...]
    created_at: datetime
    dataset_digest: str
    settings: GroupSettings = field(default_factory=GroupSettings)
    model_group: str | None = None
    format_version: int = FORMAT_VERSION


def library_versions(algorithm_name: str) -> dict[str, str]:
    """Return the versions of Python and of the libraries that a model of this algorithm needs.

    Raises
    ------
    MissingPackageError
        If the library of the algorithm is not installed.
    """
    package = algorithm(algorithm_name).package
    require_package(package)
    needs_xgboost = package == "xgboost"
    modules = {name: module for name, module in _MODULES.items() if name != "xgboost" or needs_xgboost}
    versions = {name: str(importlib.import_module(module).__version__) for name, module in modules.items()}
    return {"python": platform.python_version(), **versions}


def save_model(model: Model, directory: Path, *, is_xgboost: bool) -> None:
    """Write the model files and the schema into a directory; a model that was there is replaced.

    The manifest of the older model goes first, so that a half-written directory loads as nothing.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in (MANIFEST, *_ALL_FILES):
        (directory / name).unlink(missing_ok=True)
    (directory / SCHEMA).write_text(model.schema.to_json(), encoding="utf-8")
    if is_xgboost:
        stored_types.dump(model.pipeline.named_steps["preprocessing"], directory / _PREPROCESSING)
        model.pipeline.named_steps["estimator"].save_model(directory / _XGBOOST_MODEL)
    else:
        stored_types.dump(model.pipeline, directory / _SKLEARN_MODEL)
    if model.compiled is not None:
        compiled.save(model.compiled, directory)


def write_manifest(manifest: Manifest, directory: Path) -> Manifest:
    """Write the manifest, as the last file, with the digests of those that are there; return it with them."""
    present = [name for name in _ALL_FILES if name != MANIFEST and (directory / name).is_file()]
    files = {name: sha256_of(directory / name) for name in sorted(present)}
    complete = Manifest.from_dict({**manifest.to_dict(), "files": files})
    (directory / MANIFEST).write_text(complete.to_json(), encoding="utf-8")
    return complete


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a model directory.

    Raises
    ------
    ArtifactError
        If there is none, or it is of another format.
    """
    path = directory / MANIFEST
    if not path.is_file():
        raise ArtifactError(f"{directory} is not a model directory: it has no {MANIFEST}.")
    try:
        document = json.loads(path.read_bytes())
        if document.get("format_version") != FORMAT_VERSION:
            raise ArtifactError(
                f"The model has format {document.get('format_version')}; this version reads {FORMAT_VERSION}."
            )
        return Manifest.from_dict(document)
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{MANIFEST} cannot be read: {error}") from error


def describe_model(directory: Path) -> tuple[ModelSchema, Manifest]:
    """Read what a model directory says of its model, after the digests of all its files were checked.

    Raises
    ------
    ArtifactError
        If a file is missing, extra or changed.
    """
    manifest = read_manifest(directory)
    verify_files(manifest, directory)
    return _read_schema(directory), manifest


def load_model(directory: Path) -> tuple[Model, Manifest]:
    """Load a model directory for scoring: digests first, then library versions, and only then the model.

    Raises
    ------
    ArtifactError
        If a file is missing, extra or changed, a library is absent or has a version that may not load the
        model (see `compatibility`), or the model contains a type that is not on the allow-list.
    MissingPackageError
        If the library of the algorithm is not installed.
    """
    schema, manifest = describe_model(directory)
    return load_described(directory, schema, manifest), manifest


def load_described(directory: Path, schema: ModelSchema, manifest: Manifest) -> Model:
    """Load the model of a directory that `describe_model` has checked.

    A compiled model needs no scikit-learn, so it is loaded without its pipeline (see `load_pipeline`), and
    the versions of those libraries do not matter.

    Raises
    ------
    ArtifactError, MissingPackageError
        As `load_model` does.
    """
    form = compiled.load(directory)
    return Model(schema, load_pipeline(manifest, directory) if form is None else None, form)


def load_pipeline(manifest: Manifest, directory: Path) -> Any:
    """Load the scikit-learn Pipeline of a model directory whose files were verified.

    Raises
    ------
    ArtifactError, MissingPackageError
        As `load_model` does.
    """
    if not is_installed("sklearn"):
        raise ArtifactError(
            "The model has no compiled form, and scikit-learn, which scores its pipeline, is not installed."
        )
    _check_versions(manifest)
    try:
        return _load_pipeline(manifest, directory)
    except ArtifactError:
        raise
    except Exception as error:  # whatever a deserialiser makes of bytes that are none of ours
        raise ArtifactError(f"The model cannot be loaded: {type(error).__name__}: {error}") from error


def _read_schema(directory: Path) -> ModelSchema:
    try:
        return ModelSchema.from_json((directory / SCHEMA).read_bytes())
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise ArtifactError(f"{SCHEMA} cannot be read: {error}") from error


def verify_files(manifest: Manifest, directory: Path) -> None:
    """Compare every file with its digest.

    Raises
    ------
    ArtifactError
        If a file is missing or changed, or a model file is there that the manifest does not know.
    """
    for name, digest in manifest.files.items():
        path = directory / name
        if name not in _ALL_FILES or path.is_symlink() or not path.is_file():
            raise ArtifactError(f"The model lacks its file {name!r}.")
        if sha256_of(path) != digest:
            raise ArtifactError(f"{name} is not the file that was saved: its digest differs.")
    if unknown := [
        name for name in MODEL_FILES if name not in manifest.files and (directory / name).exists()
    ]:
        raise ArtifactError(f"The directory contains {', '.join(unknown)}, which the manifest does not name.")


def copy_evidence(directory: Path, target: Path) -> None:
    """Copy everything but the model files and the keys of rows: what a registry without numpy reads."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _EVIDENCE:
        if (directory / name).is_file():
            shutil.copyfile(directory / name, target / name)


def _check_versions(manifest: Manifest) -> None:
    problems = version_problems(manifest.library_versions, library_versions(manifest.algorithm))
    if problems:
        raise ArtifactError(
            f"The model was made with {', '.join(problems)}; install what is needed or train it again."
        )


def _load_pipeline(manifest: Manifest, directory: Path) -> Any:
    from sklearn.pipeline import Pipeline

    if algorithm(manifest.algorithm).package == "xgboost":
        preprocessing = _load_skops(directory / _PREPROCESSING)
        module, _, name = algorithm(manifest.algorithm).spec(manifest.task).path.partition(":")
        estimator = getattr(importlib.import_module(module), name)()
        estimator.load_model(directory / _XGBOOST_MODEL)
        estimator.set_params(n_jobs=1)
        return Pipeline([("preprocessing", preprocessing), ("estimator", estimator)])
    pipeline = _load_skops(directory / _SKLEARN_MODEL)
    if not isinstance(pipeline, Pipeline) or list(pipeline.named_steps) != ["preprocessing", "estimator"]:
        raise ArtifactError(f"{_SKLEARN_MODEL} does not contain a pipeline of preprocessing and estimator.")
    return pipeline


def _load_skops(path: Path) -> Any:
    from sklearn.exceptions import InconsistentVersionWarning
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with warnings.catch_warnings():  # `_check_versions` has decided about another patch version
            warnings.simplefilter("ignore", InconsistentVersionWarning)
            return stored_types.load(path, trusted=list(_TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise ArtifactError(
            f"{path.name} contains types that a model of this library never has: {error}"
        ) from error
