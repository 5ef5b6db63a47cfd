"""The training source is published once per content, and whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlops.infrastructure.local_objects import FilesystemObjects
from mlops.models.errors import TrainingError
from mlops.models.objects import ObjectRef
from mlops.pipelines.jobs.training_source import publish_source, source_digest


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "mlops" / "__pycache__").mkdir(parents=True)
    (folder / "train.py").write_text("print('train')")
    (folder / "mlops" / "__init__.py").write_text("")
    (folder / "mlops" / "__pycache__" / "x.pyc").write_bytes(b"compiled")
    return folder


def keys(objects: FilesystemObjects) -> list[str]:
    return [facts.ref.key for facts in objects.list("artifacts", "code/")]


def test_the_source_is_stored_under_its_digest_with_a_marker_beside_it(source: Path, tmp_path: Path):
    objects = FilesystemObjects(tmp_path / "objects")
    published = publish_source(source, objects, "artifacts")
    folder = f"code/{published.digest}"
    assert keys(objects) == [f"{folder}.complete", f"{folder}/mlops/__init__.py", f"{folder}/train.py"]
    assert published.uri == f"s3://artifacts/{folder}/"


def test_a_second_publication_writes_nothing(source: Path, tmp_path: Path):
    objects = FilesystemObjects(tmp_path / "objects")
    first = publish_source(source, objects, "artifacts")
    train = ObjectRef("artifacts", f"code/{first.digest}/train.py")
    version = objects.head(train).ref.version_id
    assert publish_source(source, objects, "artifacts") == first
    assert objects.head(train).ref.version_id == version


def test_a_publication_that_died_half_way_is_completed(source: Path, tmp_path: Path):
    objects = FilesystemObjects(tmp_path / "objects")
    digest = source_digest(source)
    objects.write(ObjectRef("artifacts", f"code/{digest}/train.py"), b"half", "text/x-python")
    publish_source(source, objects, "artifacts")
    content = objects.read(ObjectRef("artifacts", f"code/{digest}/train.py"))
    assert content == (source / "train.py").read_bytes()
    assert f"code/{digest}.complete" in keys(objects)


def test_many_at_once_publish_the_same(source: Path, tmp_path: Path):
    objects = FilesystemObjects(tmp_path / "objects")
    with ThreadPoolExecutor(8) as pool:
        actual = list(pool.map(lambda _: publish_source(source, objects, "artifacts"), range(8)))
    assert len(set(actual)) == 1


def test_the_digest_changes_with_content_and_with_names_and_not_with_caches(source: Path):
    first = source_digest(source)
    (source / "mlops" / "__pycache__" / "y.pyc").write_bytes(b"more")
    assert source_digest(source) == first
    (source / "train.py").rename(source / "training.py")
    renamed = source_digest(source)
    (source / "training.py").write_text("print('other')")
    assert len({first, renamed, source_digest(source)}) == 3


def test_a_folder_without_the_entry_point_is_not_a_source(tmp_path: Path):
    with pytest.raises(TrainingError, match=r"train\.py is missing"):
        publish_source(tmp_path, FilesystemObjects(tmp_path / "objects"), "artifacts")
