"""What loads is what was saved; everything else is refused before it is deserialised."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import pickle
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.models.errors import ArtifactError
from mlops.models.training import TrainingResult
from mlops.pipelines.artifact_files import COMPILED, COMPILED_BOOSTER
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.archive import pack, sha256_of, unpack
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, SMALL, build_table


@pytest.fixture
def model_directory(trained: Callable[[str, str], TrainingResult], tmp_path: Path) -> Path:
    """A model that a test may spoil."""
    return Path(shutil.copytree(trained("RandomForest", "binary").model_path, tmp_path / "model"))


@pytest.fixture
def pipeline_directory(model_directory: Path) -> Path:
    """The same model as its pipeline alone, as releases before the compiled form stored it."""
    for name in (COMPILED, COMPILED_BOOSTER):
        (model_directory / name).unlink()
    _sign(model_directory)
    return model_directory


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("algorithm", sorted(SMALL))
def test_a_loaded_model_answers_as_the_fitted_one_did(
    algorithm: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fitted = []
    save = artifacts.save_model

    def keep(model, directory, *, is_xgboost):
        fitted.append(model)
        save(model, directory, is_xgboost=is_xgboost)

    monkeypatch.setattr(artifacts, "save_model", keep)
    frame = build_table(task=task)
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {**SETTINGS, "algorithm": algorithm, **SMALL[algorithm]}
    TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model")
    loaded, _ = artifacts.load_model(tmp_path / "model")
    ours, theirs = loaded.score(frame)[0], fitted[0].score(frame)[0]
    assert (ours.predicted == theirs.predicted).all()
    if theirs.probabilities is not None:
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, rtol=0, atol=1e-12)


def test_a_model_that_release_0_1_stored_loads_and_answers_the_same(model_directory: Path):
    before, _ = artifacts.load_model(model_directory)
    path = model_directory / "model.skops"
    content = path.read_bytes()
    assert b"LevelColumns" not in unzipped(content)
    rewrite_member(path, "schema.json", as_release_0_1)
    schema = unzipped(path.read_bytes())
    assert b"mlops.pipelines.level_columns" in schema
    assert b'"levels_"' in schema
    assert b"categories_" not in schema
    reseal(model_directory)
    after, _ = artifacts.load_model(model_directory)
    frame = build_table(200, seed=3)
    np.testing.assert_array_equal(after.score(frame)[0].probabilities, before.score(frame)[0].probabilities)


def as_release_0_1(schema: bytes) -> bytes:
    """Name class and attributes of the encoder as the release before 0.2 did."""
    text = schema.decode()
    for new, old in (
        ('"__class__": "CategoryEncoder"', '"__class__": "LevelColumns"'),
        ('"__module__": "mlops"', '"__module__": "mlops.pipelines.level_columns"'),
        ('"categories_"', '"levels_"'),
        ('"max_categories"', '"max_levels"'),
    ):
        assert new in text
        text = text.replace(new, old)
    return text.encode()


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("schema.json")


def rewrite_member(path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in members.items():
            archive.writestr(entry, change(content) if entry == name else content)


def reseal(directory: Path) -> None:
    """Write the digests of the files as they are now into the manifest."""
    manifest = artifacts.read_manifest(directory)
    artifacts.write_manifest(manifest, directory)


def test_a_flipped_bit_is_refused(model_directory: Path):
    path = model_directory / "model.skops"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model.skops is not the file that was saved"):
        artifacts.load_model(model_directory)


def test_a_swapped_model_is_refused(model_directory: Path, trained):
    other = trained("LogisticRegression", "binary").model_path
    shutil.copy(other / "model.skops", model_directory / "model.skops")
    with pytest.raises(ArtifactError, match="digest differs"):
        artifacts.load_model(model_directory)


def test_a_missing_file_is_named(model_directory: Path):
    (model_directory / "schema.json").unlink()
    with pytest.raises(ArtifactError, match=r"lacks its file 'schema.json'"):
        artifacts.load_model(model_directory)


def test_a_model_file_that_the_manifest_does_not_know_is_refused(model_directory: Path):
    (model_directory / "model.ubj").write_bytes(b"{}")
    with pytest.raises(ArtifactError, match="manifest does not name"):
        artifacts.load_model(model_directory)


def test_a_manifest_cannot_point_outside_the_directory(model_directory: Path, tmp_path: Path):
    (tmp_path / "outside").write_text("x")
    _change_manifest(model_directory, files={"../outside": sha256_of(tmp_path / "outside")})
    with pytest.raises(ArtifactError, match="lacks its file"):
        artifacts.load_model(model_directory)


class _Marker:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_pickle_under_the_models_name_never_runs(pipeline_directory: Path, tmp_path: Path):
    marker = tmp_path / "ran"
    (pipeline_directory / "model.skops").write_bytes(pickle.dumps(_Marker(marker)))
    _sign(pipeline_directory)
    with pytest.raises(ArtifactError):
        artifacts.load_model(pipeline_directory)
    assert not marker.exists()


def test_a_pickle_among_the_arrays_of_a_compiled_model_never_runs(model_directory: Path, tmp_path: Path):
    marker = tmp_path / "ran"
    np.savez(model_directory / COMPILED, description=np.array([_Marker(marker)], dtype=object))
    _sign(model_directory)
    with pytest.raises(ArtifactError, match="cannot be read"):
        artifacts.load_model(model_directory)
    assert not marker.exists()


def test_a_compiled_model_loads_without_scikit_learn(model_directory: Path):
    script = (
        "import sys; from pathlib import Path; from mlops.pipelines.artifacts import artifacts; "
        f"artifacts.load_model(Path({str(model_directory)!r})); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'sklearn', 'scipy', 'skops'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_pipeline_of_a_compiled_model_can_be_loaded_as_well(model_directory: Path):
    model, manifest = artifacts.load_model(model_directory)
    pipeline = artifacts.load_pipeline(manifest, model_directory)
    assert model.compiled is not None
    assert list(pipeline.named_steps) == ["preprocessing", "estimator"]


def test_a_skops_file_that_asks_for_another_type_is_refused(pipeline_directory: Path):
    path = pipeline_directory / "model.skops"
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(contents["schema.json"])
    schema["__class__"], schema["__module__"] = "system", "os"
    contents["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    _sign(pipeline_directory)
    with pytest.raises(ArtifactError, match="contains types that a model of this library never has"):
        artifacts.load_model(pipeline_directory)


@pytest.mark.parametrize(
    ("library", "version", "is_refused"),
    [
        ("scikit-learn", "1.8.2", True),
        ("scikit-learn", "1.9.99", False),
        ("numpy", "1.26.4", True),
        ("python", "3.13.1", False),
        ("pandas", "3.1.1", False),
        ("skops", "0.99.0", True),
    ],
)
def test_library_versions_are_compared(
    pipeline_directory: Path, library: str, version: str, is_refused: bool
):
    manifest = artifacts.read_manifest(pipeline_directory)
    _change_manifest(pipeline_directory, library_versions={**manifest.library_versions, library: version})
    if is_refused:
        with pytest.raises(ArtifactError, match=rf"made with {library} {version}"):
            artifacts.load_model(pipeline_directory)
    else:
        artifacts.load_model(pipeline_directory)


def test_a_compiled_model_does_not_depend_on_the_version_of_scikit_learn(model_directory: Path):
    manifest = artifacts.read_manifest(model_directory)
    _change_manifest(model_directory, library_versions={**manifest.library_versions, "scikit-learn": "1.8.2"})
    artifacts.load_model(model_directory)


def test_a_directory_without_a_manifest_is_not_a_model(tmp_path: Path):
    with pytest.raises(ArtifactError, match="not a model directory"):
        artifacts.load_model(tmp_path)


def test_a_model_of_a_later_format_is_refused(model_directory: Path):
    _change_manifest(model_directory, format_version=2)
    with pytest.raises(ArtifactError, match="format 2"):
        artifacts.load_model(model_directory)


def test_training_again_into_the_same_directory_leaves_nothing_of_the_older_model(tmp_path: Path):
    build_table(task="binary").to_csv(tmp_path / "train.csv", index=False)
    for algorithm in ("XGBoost", "LogisticRegression"):
        config = {**SETTINGS, "algorithm": algorithm, **SMALL[algorithm]}
        TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model")
    assert not (tmp_path / "model" / "model.ubj").exists()
    artifacts.load_model(tmp_path / "model")


def test_packing_twice_gives_the_same_bytes_and_unpacks_to_the_same_files(
    model_directory: Path, tmp_path: Path
):
    pack(model_directory, tmp_path / "first.tar.gz")
    pack(model_directory, tmp_path / "second.tar.gz")
    assert sha256_of(tmp_path / "first.tar.gz") == sha256_of(tmp_path / "second.tar.gz")
    unpack(tmp_path / "first.tar.gz", tmp_path / "unpacked")
    artifacts.load_model(tmp_path / "unpacked")


def _member(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([_member("../escaped")], "outside"),
        ([_member("/escaped")], "outside"),
        ([_member("a/../../escaped")], "outside"),
        ([_member("link", kind=tarfile.SYMTYPE, link="/etc/passwd")], "not a regular file"),
        ([_member("hard", kind=tarfile.LNKTYPE, link="../escaped")], "not a regular file"),
        ([_member("device", kind=tarfile.CHRTYPE)], "not a regular file"),
        ([_member("pipe", kind=tarfile.FIFOTYPE)], "not a regular file"),
        ([_member("twice"), _member("twice")], "twice"),
        ([_member("twice"), _member("./twice")], "twice"),
        ([_member("Twice"), _member("twice")], "twice"),
        ([_member(f"{number}") for number in range(1001)], "more than"),
    ],
)
def test_a_hostile_archive_is_refused_and_writes_nothing(members, words: str, tmp_path: Path):
    with tarfile.open(tmp_path / "hostile.tar.gz", "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO())
    (tmp_path / "target").mkdir()
    with pytest.raises(ArtifactError, match=words):
        unpack(tmp_path / "hostile.tar.gz", tmp_path / "target")
    assert not list((tmp_path / "target").iterdir())
    assert not (tmp_path / "escaped").exists()


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path):
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("zeros")
        member.size = 20_000_000
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(ArtifactError, match="more than 1000000 bytes"):
        unpack(tmp_path / "bomb.tar.gz", tmp_path / "target", max_bytes=1_000_000)
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    "content", [b"", b"no archive", gzip.compress(b"no tar inside")], ids=["empty", "text", "no tar"]
)
def test_a_damaged_archive_is_refused(content: bytes, tmp_path: Path):
    (tmp_path / "damaged.tar.gz").write_bytes(content)
    with pytest.raises(ArtifactError):
        unpack(tmp_path / "damaged.tar.gz", tmp_path / "target")


def test_a_truncated_archive_is_refused(model_directory: Path, tmp_path: Path):
    pack(model_directory, tmp_path / "whole.tar.gz")
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "half.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactError, match="damaged"):
        unpack(tmp_path / "half.tar.gz", tmp_path / "target")


def test_an_archive_of_too_many_zeros_is_refused_where_it_expands(tmp_path: Path):
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("zeros")
        member.size = 200_000_000
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(ArtifactError, match="200 times its size"):
        unpack(tmp_path / "bomb.tar.gz", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_header_that_asks_for_gigabytes_is_refused_before_they_are_read(tmp_path: Path):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 8_000_000_000
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(2048)))
    with pytest.raises(ArtifactError, match="200 times its size"):
        unpack(tmp_path / "bomb.tar.gz", tmp_path / "target")


@pytest.mark.parametrize(
    "headers",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"GNU.sparse.map": "0,x", "GNU.sparse.size": "9"},
        {"GNU.sparse.size": "x"},
    ],
    ids=["sparse map of text", "sparse map", "sparse size"],
)
def test_headers_that_hold_no_numbers_are_damage(headers: dict[str, str], tmp_path: Path):
    with tarfile.open(tmp_path / "damaged.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("model.skops")
        member.size, member.pax_headers = 600, headers
        tar.addfile(member, io.BytesIO(b"no number\n" * 60))
    with pytest.raises(ArtifactError):
        unpack(tmp_path / "damaged.tar.gz", tmp_path / "target")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_archive_unpacks_to_the_same_files_or_is_refused(tmp_path_factory, data):
    """Bits are flipped in the expanded tar as well, since a checksum guards the compressed bytes."""
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "model").mkdir()
    for name, content in (("manifest.json", b"{}" * 40), ("a/long.npz", bytes(range(256)) * 9)):
        path = folder / "model" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    pack(folder / "model", folder / "model.tar.gz")
    content = bytearray((folder / "model.tar.gz").read_bytes())
    is_inside = data.draw(st.booleans())
    if is_inside:
        content = bytearray(gzip.decompress(content))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, 40))
    content = content[: len(content) - cut]
    (folder / "damaged.tar.gz").write_bytes(gzip.compress(content) if is_inside else content)
    with contextlib.suppress(ArtifactError):
        unpack(folder / "damaged.tar.gz", folder / "target")


def _change_manifest(directory: Path, **changes) -> None:
    manifest = artifacts.read_manifest(directory)
    (directory / "manifest.json").write_text(replace(manifest, **changes).to_json(), encoding="utf-8")


def _sign(directory: Path) -> None:
    """Make the digests right again, as somebody would who can write the whole directory."""
    manifest = artifacts.read_manifest(directory)
    present = [name for name in manifest.files if (directory / name).exists()]
    _change_manifest(directory, files={name: sha256_of(directory / name) for name in present})


def test_xgboost_reads_a_missing_cell_as_missing_and_a_zero_as_zero(tmp_path: Path):
    frame = build_table(task="binary")
    frame["amount"] = np.where(frame.outcome == "yes", 0.0, np.nan)
    frame.loc[::10, "amount"] = 5.0
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {**SETTINGS, "algorithm": "XGBoost", "n_estimators": 20, "learning_rate": 0.3}
    TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model")
    model, _ = artifacts.load_model(tmp_path / "model")
    rows = pd.concat([frame.head(1).assign(amount=amount) for amount in (0.0, np.nan)])
    zero, missing = model.score(rows)[0].probabilities[:, 1]
    assert zero > 0.7
    assert missing < 0.3
