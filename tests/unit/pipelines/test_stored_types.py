"""Names of our classes inside stored models."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from mlops.models.errors import ArtifactError
from mlops.pipelines.artifacts import stored_types
from mlops.pipelines.fitting.one_hot import CategoryEncoder

TABLE = pd.DataFrame({"plan": pd.Categorical(["gold", "silver", None, "gold"])})


def _with_class_name(source: Path, target: Path, module: str, name: str) -> Path:
    """Copy a model, with another name of our class in its schema."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as copy:
        for member in archive.namelist():
            text = archive.read(member)
            if member == "schema.json":
                schema = json.loads(text)
                assert (schema["__module__"], schema["__class__"]) == ("mlops", "CategoryEncoder")
                schema["__module__"], schema["__class__"] = module, name
                text = json.dumps(schema).encode()
            copy.writestr(member, text)
    return target


@pytest.fixture
def model(tmp_path: Path) -> Path:
    stored_types.dump(CategoryEncoder(min_rows=1).fit(TABLE), tmp_path / "model.skops")
    return tmp_path / "model.skops"


def test_a_model_of_release_0_1_0_is_loaded(model: Path, tmp_path: Path) -> None:
    old = _with_class_name(model, tmp_path / "old.skops", "mlops.pipelines.level_columns", "LevelColumns")
    assert (
        stored_types.load(old, []).transform(TABLE) == CategoryEncoder(min_rows=1).fit_transform(TABLE)
    ).all()


def test_another_class_of_the_library_is_refused(model: Path, tmp_path: Path) -> None:
    other = _with_class_name(model, tmp_path / "other.skops", "mlops.infrastructure.clock", "utc_now")
    with pytest.raises(ArtifactError, match=r"mlops\.infrastructure\.clock\.utc_now"):
        stored_types.load(other, [])
