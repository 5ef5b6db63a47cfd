"""Archives that were registered as they are, digest and all, and are hostile: scoring refuses each unread."""

from __future__ import annotations

import pickle
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from mlops.models.errors import ArtifactError
from mlops.models.objects import Artifact, ObjectRef
from mlops.pipelines.artifacts.archive import sha256_of, unpack
from mlops.pipelines.artifacts.artifacts import Manifest
from mlops.use_cases.model_cache import ScoringModel
from tests.unit.pipelines.test_batch_inference import Bench

Files = list[tuple[str, bytes]]


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def flipped(files: Files, marker: Path) -> Files:
    return [(name, _flip(content) if name == "model.skops" else content) for name, content in files]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def pickled(files: Files, marker: Path) -> Files:
    """A pickle for each file of the model, and a manifest that names their digest."""
    content = pickle.dumps(Touch(marker))
    (marker.parent / "pickle").write_bytes(content)
    changed = dict(files)
    manifest = Manifest.from_json(changed["manifest.json"]).to_dict()
    for name in ("model.skops", "compiled.npz"):
        changed[name] = content
        manifest["files"][name] = sha256_of(marker.parent / "pickle")
    return list((changed | {"manifest.json": Manifest.from_dict(manifest).to_json().encode()}).items())


def traversing(files: Files, marker: Path) -> Files:
    return [*files, (f"../../{marker.name}", b"out")]


def absolute(files: Files, marker: Path) -> Files:
    return [*files, (str(marker), b"out")]


def doubled(files: Files, marker: Path) -> Files:
    return [*files, ("model.skops", pickle.dumps(Touch(marker)))]


@pytest.mark.parametrize("spoil", [flipped, pickled, traversing, absolute, doubled])
def test_a_hostile_model_never_scores_and_leaves_nothing(
    trained, tmp_path: Path, spoil: Callable[[Files, Path], Files]
) -> None:
    bench = Bench(trained("LogisticRegression", "binary").model_path, tmp_path)
    marker = tmp_path / "ran"
    unpack(tmp_path / "model.tar.gz", tmp_path / "honest")
    files = [(path.name, path.read_bytes()) for path in sorted((tmp_path / "honest").iterdir())]
    with tarfile.open(tmp_path / "hostile.tar.gz", "w:gz") as archive:
        for name, content in spoil(files, marker):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
    ref = ObjectRef.from_uri(bench.model.artifact.uri)
    stored = bench.objects.upload(tmp_path / "hostile.tar.gz", ref, "application/gzip")
    artifact = Artifact(ref.uri, sha256_of(tmp_path / "hostile.tar.gz"), stored.version_id)
    bench.model = ScoringModel("v1.0.0", artifact)
    with pytest.raises(ArtifactError):
        bench.score(bench.request())
    assert not marker.exists()
    assert not list(tmp_path.rglob(f"**/{marker.name}"))
    assert not bench.announced
