"""The code that serves a model in a SageMaker endpoint, stored beside it in the folder `code/`.

`inference.py` is what SageMaker's containers call. The library and the packages that the containers lack are
one archive, which `inference.py` unpacks: a container copies and installs the Python files of the folder.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from mlops.algorithms.selection import algorithm
from mlops.models.errors import ArtifactError
from mlops.pipelines.artifacts.artifacts import read_manifest

FOLDER = "code"
ENTRY_POINT = "inference.py"
_PACKAGES = "packages.zip"
_XGBOOST = "xgboost_cpu"
_ONLY_FOR_MODEL_CARDS_OF_SKOPS = ("prettytable", "wcwidth")
_ANY_TIME = (2020, 1, 1, 0, 0, 0)  # the same files give the same bytes


def has_serving_code(directory: Path) -> bool:
    """Return whether a model directory can be served; those of earlier releases have no code."""
    return (directory / FOLDER / ENTRY_POINT).is_file()


def add_serving_code(source: Path, directory: Path) -> None:
    """Store the serving code in a model directory.

    Parameters
    ----------
    source
        The training source: the entry points, and `wheels/` with the library and packages.
    directory
        The model directory; its manifest says whether the model needs XGBoost.

    Raises
    ------
    ArtifactError
        If the source has no serving code.
    """
    entry_point = source / ENTRY_POINT
    if not entry_point.is_file():
        raise ArtifactError(f"{source} has no {ENTRY_POINT}, so the model cannot be served by an endpoint.")
    needs_xgboost = algorithm(read_manifest(directory).algorithm).package == "xgboost"
    folder = directory / FOLDER
    folder.mkdir(exist_ok=True)
    (folder / ENTRY_POINT).write_bytes(entry_point.read_bytes())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(_packages(source, needs_xgboost=needs_xgboost)):
            archive.writestr(zipfile.ZipInfo(name, _ANY_TIME), data, zipfile.ZIP_DEFLATED)
    (folder / _PACKAGES).write_bytes(content.getvalue())


def _packages(source: Path, *, needs_xgboost: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the library and of the packages, by their names below a folder of packages."""
    for wheel in (source / "wheels").glob("*.whl"):
        name = wheel.name.partition("-")[0]
        if name in _ONLY_FOR_MODEL_CARDS_OF_SKOPS or (name == _XGBOOST and not needs_xgboost):
            continue
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    yield member.filename, archive.read(member)
