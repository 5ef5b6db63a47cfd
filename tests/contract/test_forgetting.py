"""A person is forgotten in every store and every version, however often the run is killed."""

from __future__ import annotations

import copy
import gzip
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mlops.context.forgetting import forgetting_in
from mlops.context.stack import StackContext
from mlops.dataset.catalog.catalog import DatasetCatalog
from mlops.feature_store.definitions import Entity, FeatureView, Field, FileSource, ValueType
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.aws.clients import client
from mlops.infrastructure.aws.s3 import S3Objects
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.ledger.batches import LedgerBatches, ScoredBatch
from mlops.ledger.files import BucketFiles
from mlops.ledger.recording import Ledger, record_batch
from mlops.models.errors import DatasetError, SettingsError
from mlops.models.intake.uploads import UploadRecord
from mlops.models.objects import ObjectRef
from mlops.models.scoring.batch import BatchFile, BatchManifest, BatchSummary
from mlops.models.scoring.columns import PredictionColumns
from mlops.pages.spreadsheet import without_formula
from mlops.use_cases.forgetting.forget import Forgetting
from mlops.use_cases.forgetting.personal_data import Removal
from tests.memory_table import MemoryTable
from tests.unit.dataset.intake_world import GOOD, LATER, NOW, Killed, Killing, World

PERSON = "canary 007"
TRAINING = GOOD.replace("P7,", f"{PERSON},")
FEW = f"patient_id,prediction\n{PERSON},1\nP8,0\n"


@pytest.fixture(params=["filesystem", "s3"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    world = World(tmp_path)
    if request.param == "s3":
        request.getfixturevalue("aws")
        for bucket in ("data", "artifacts"):
            client("s3").create_bucket(Bucket=bucket)
            client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        world.objects = S3Objects()  # type: ignore[assignment]
    return world


@pytest.fixture
def filled(world: World) -> World:
    """A group with the person in every place where rows are stored."""
    world.drop("g/training/train.csv", FEW)  # replaced by another version
    upload = world.drop("g/training/train.csv", TRAINING)
    assert world.receive(upload).outcome == "accepted"
    store(world, "quarantine/g/1/bad.csv", f"{FEW}{PERSON},too,many\n")
    store(world, "quarantine/g/1/report.json", "{}")
    store(world, "converted/g/1/x/converted.csv", FEW)
    store(world, "converted/g/1/x/conversion.json", "{}")
    store(world, "parts/g/1/data.csv", FEW)
    predictions = store(world, "predictions/g/2026-10-05/score-1/predictions.csv", FEW)
    summary = BatchSummary("g", "1", 2, predictions.uri)
    files = {"predictions.csv": BatchFile("0" * 64, predictions.version_id)}
    manifest = BatchManifest(summary, "v1.0.0", "1" * 64, upload.ref, NOW, files)
    store(world, "predictions/g/2026-10-05/score-1/manifest.json", manifest.to_json())
    return world


def store(world: World, key: str, text: str) -> ObjectRef:
    return world.objects.write(ObjectRef("artifacts", key), text.encode(), "text/csv")


def forgetting(world: World, group: str = "g", countdown: list[int] | None = None) -> Forgetting:
    objects: Any = world.objects
    versions: Any = world.versions
    if countdown is not None:
        objects, versions = (Killing(port, countdown, before=True) for port in (objects, versions))
    catalog = DatasetCatalog(versions, objects, world.models, "artifacts")
    labels = BucketFiles(objects, "artifacts", "labels/")
    return forgetting_in(group, catalog, ledger_in(objects), labels, features_in(world, objects), "data")


def features_in(world: World, objects: Any) -> FeatureStore:
    """The feature store of the world, on other objects."""
    features = copy.copy(world.features)
    features.offline = replace(features.offline, objects=objects)
    features.materializer = replace(features.materializer, offline=features.offline)
    return features


def ledger_in(objects: ObjectStore) -> Ledger:
    """The ledger in the artifact bucket."""
    return Ledger(BucketFiles(objects, "artifacts"), LedgerBatches(MemoryTable()))


def forget(world: World, person: str = PERSON, *, countdown: list[int] | None = None) -> list[Removal]:
    done = forgetting(world, countdown=countdown)
    return list(done.forget(person, "patient_id", by="ann", reason="request 12", now=NOW))


def contents(objects: ObjectStore) -> dict[ObjectRef, bytes]:
    """Every version of every object, expanded."""
    refs = [f.ref for bucket in ("data", "artifacts") for f in objects.list_history(bucket, "")]
    read = {ref: objects.read(ref) for ref in refs}
    return {ref: gzip.decompress(c) if c[:2] == b"\x1f\x8b" else c for ref, c in read.items()}


def traces(world: World) -> list[ObjectRef]:
    return [ref for ref, content in contents(world.objects).items() if b"canary" in content]


def test_no_version_of_any_object_and_no_record_contains_the_id_afterwards(filled: World) -> None:
    assert len(traces(filled)) == 7
    removals = forget(filled)
    assert traces(filled) == []
    assert "canary" not in repr(vars(filled.versions._table))
    assert sorted((r.store, r.action, r.n_rows) for r in removals) == [
        ("converted uploads", "deleted", 1),
        ("datasets", "rewritten", 1),
        ("joined parts", "deleted", 1),
        ("predictions", "rewritten", 1),
        ("quarantine", "rewritten", 2),
        ("uploads", "deleted", 1),
        ("uploads", "rewritten", 1),
    ]
    assert forget(filled) == []
    # its record would name a table that does not exist any more
    assert not filled.objects.exists(ObjectRef("artifacts", "converted/g/1/x/conversion.json"))


def test_predictions_of_a_range_are_removed_like_those_of_a_whole_file(filled: World) -> None:
    rows = f"row,patient_id,prediction\n8,{PERSON},1\n9,P8,0\n"
    stored = store(filled, "parts/g/2/ranges/00001.csv", rows)
    removed = [(each.action, each.n_rows) for each in forget(filled) if each.uri == stored.uri]
    assert removed == [("deleted", 1)]
    assert not filled.objects.exists(stored)


def test_the_rows_of_the_person_in_the_ledger_are_removed(filled: World, tmp_path: Path) -> None:
    delivered = tmp_path / "predictions.csv"
    delivered.write_text(f"patient_id,prediction,model_version\n{PERSON},1,v1\nP8,0,v1\n'=P9,0,v1\n")
    batch = ScoredBatch("g", "1", "score.csv", "v1", NOW)
    record_batch(batch, delivered, None, ledger_in(filled.objects))
    preview = [each for each in forgetting(filled).preview(PERSON, "patient_id") if each.store == "ledger"]
    done = [each for each in forget(filled) if each.store == "ledger"]
    assert [(each.action, each.n_rows) for each in done] == [("rewritten", 1)]
    assert preview == done
    forget(filled, "=P9")  # ids that a spreadsheet would run are delivered with an apostrophe
    (version,) = filled.objects.list_history("artifacts", "ledger/")
    filled.objects.download(version.ref, tmp_path / "day.parquet")
    assert duckdb.read_parquet(str(tmp_path / "day.parquet")).project("ids").fetchall() == [
        ({"patient_id": "P8"},)
    ]


def test_all_other_rows_stay(filled: World) -> None:
    forget(filled)
    expected = TRAINING.replace(next(line for line in TRAINING.splitlines(True) if PERSON in line), "")
    [dataset] = filled.versions.list_datasets("g")
    assert filled.objects.read(dataset.ref).decode() == expected
    assert filled.objects.read(ObjectRef("data", "g/training/train.csv")).decode() == expected
    assert filled.objects.read(ObjectRef("artifacts", "quarantine/g/1/bad.csv")) == (
        b"patient_id,prediction\nP8,0\n"
    )


def test_a_preview_changes_nothing_and_shows_what_will_be_done(filled: World) -> None:
    before = contents(filled.objects)
    preview = list(forgetting(filled).preview(PERSON, "patient_id"))
    assert contents(filled.objects) == before
    assert preview == forget(filled)


def test_a_dataset_is_replaced_by_another_one_and_is_found_by_its_old_name(filled: World) -> None:
    [old] = filled.versions.list_datasets("g")
    forget(filled)
    [new] = filled.versions.list_datasets("g")
    assert (new.n_rows, new.created_at, new.contract) == (old.n_rows - 1, old.created_at, old.contract)
    assert filled.versions.find_dataset("g", old.dataset_id) == new
    assert filled.versions.replaced_ids(new) == [old.dataset_id]
    catalog = DatasetCatalog(filled.versions, filled.objects, filled.models, "artifacts")
    assert catalog.find("g", old.dataset_id) == catalog.find("g", "latest") == new
    forget(filled, "P8")
    [newest] = filled.versions.list_datasets("g")
    assert filled.versions.find_dataset("g", old.dataset_id) == newest
    assert filled.versions.replaced_ids(newest) == [new.dataset_id, old.dataset_id]


def test_the_manifest_of_a_batch_names_the_new_version_of_its_predictions(filled: World) -> None:
    forget(filled)
    folder = "predictions/g/2026-10-05/score-1"
    manifest = BatchManifest.from_json(filled.objects.read(ObjectRef("artifacts", f"{folder}/manifest.json")))
    file = manifest.files["predictions.csv"]
    named = ObjectRef("artifacts", f"{folder}/predictions.csv", file.version_id)
    assert filled.objects.read(named) == b"patient_id,prediction\nP8,0\n"


def test_compressed_predictions_stay_compressed_without_the_person(world: World) -> None:
    world.receive(world.drop("g/training/train.csv", GOOD))
    folder = "predictions/g/2026-10-05/score-1"
    ref = ObjectRef("artifacts", f"{folder}/predictions.csv.gz")
    stored = world.objects.write(ref, gzip.compress(FEW.encode()), "application/gzip")
    files = {"predictions.csv.gz": BatchFile("0" * 64, stored.version_id)}
    manifest = BatchManifest(BatchSummary("g", "1", 2, stored.uri), "v1.0.0", "1" * 64, stored, NOW, files)
    store(world, f"{folder}/manifest.json", manifest.to_json())
    [removal] = forget(world)
    assert (removal.store, removal.n_rows, removal.action) == ("predictions", 1, "rewritten")
    content = world.objects.read(ObjectRef("artifacts", f"{folder}/manifest.json"))
    named = BatchManifest.from_json(content).files["predictions.csv.gz"]
    rest = world.objects.read(replace(ref, version_id=named.version_id))
    assert gzip.decompress(rest) == b"patient_id,prediction\nP8,0\n"
    assert hashlib.sha256(rest).hexdigest() == named.sha256


def test_in_predictions_the_column_has_the_name_that_the_manifest_says(world: World) -> None:
    upload = world.drop("g/inference/score.csv", "row,age\n1,5\n2,6\n")
    world.drop("g/model.toml", 'id_columns = ["row"]\n[format]\nheader = false\nnames = ["row", "age"]\n')
    world.receive(upload)
    folder = "predictions/g/2026-10-05/score-1"
    predictions = store(world, f"{folder}/predictions.csv", "row,input_row,prediction\n1,2,a\n2,1,b\n")
    files = {"predictions.csv": BatchFile("0" * 64, predictions.version_id)}
    columns = PredictionColumns(ids={"row": "input_row"})
    manifest = BatchManifest(
        BatchSummary("g", "1", 2, predictions.uri), "v1.0.0", "1" * 64, upload.ref, NOW, files, columns
    )
    store(world, f"{folder}/manifest.json", manifest.to_json())
    part = forgetting(world)
    list(part.forget("1", part.id_column(None), by="ann", reason="", now=NOW))
    assert world.objects.read(ObjectRef("artifacts", f"{folder}/predictions.csv")) == (
        b"row,input_row,prediction\n1,2,a\n"
    )


def test_versions_below_a_delete_marker_are_deleted_and_the_object_stays_deleted(world: World) -> None:
    world.receive(world.drop("g/training/train.csv", GOOD))
    ref = world.drop("g/inference/old.csv", FEW).ref
    if isinstance(world.objects, S3Objects):
        client("s3").delete_object(Bucket="data", Key=ref.key)
    else:
        world.drop("g/inference/old.csv", "patient_id,prediction\nP8,0\n")
    [removal] = forget(world)
    assert (removal.action, removal.version_id) == ("deleted", ref.version_id)
    assert world.objects.exists(ObjectRef("data", ref.key)) is not isinstance(world.objects, S3Objects)


@pytest.mark.parametrize("world", ["filesystem"], indirect=True)
def test_a_run_that_is_killed_at_any_call_is_completed_by_the_next_one(tmp_path: Path, world: World) -> None:
    expected = None
    for last_call in itertools.count(1):
        filled_again = filled.__wrapped__(World(tmp_path / str(last_call)))  # type: ignore[attr-defined]
        try:
            forget(filled_again, countdown=[last_call])
        except Killed:
            again = forgetting(filled_again)
            list(again.forget(PERSON, "patient_id", by="ann", reason="", now=LATER))
            assert traces(filled_again) == [], f"killed at call {last_call}"
            [dataset] = filled_again.versions.list_datasets("g")
            expected = expected or dataset.dataset_id
            assert dataset.dataset_id == expected
            assert filled_again.objects.exists(dataset.ref), f"killed at call {last_call}"
            [tombstone] = again.tombstones.list("g")
            assert tombstone.finished_at == LATER
        else:
            break
    assert last_call > 50


def test_the_tombstone_says_when_and_why_and_is_listed_as_open_until_the_end(filled: World) -> None:
    started = forgetting(filled)
    run = started.forget(PERSON, "patient_id", by="ann", reason="request 12", now=NOW)
    next(run)
    [tombstone] = started.tombstones.list("g")
    assert (tombstone.requested_by, tombstone.reason, tombstone.finished_at) == ("ann", "request 12", None)
    list(run)
    [tombstone] = started.tombstones.list("g")
    assert (tombstone.finished_at, tombstone.n_files, tombstone.n_rows) == (NOW, 7, 8)
    assert len(tombstone.digest) == 64


def test_what_comes_back_is_removed_again_without_the_id(filled: World) -> None:
    forget(filled)
    forget(filled, "P8")
    filled.drop("g/training/later.csv", TRAINING)
    again = forgetting(filled)
    assert [(r.n_rows, r.action) for r in again.preview_again()] == [(2, "rewritten")]
    assert traces(filled)
    assert [(r.n_rows, r.action) for r in again.forget_again(LATER)] == [(2, "rewritten")]
    assert traces(filled) == []


def test_the_same_file_dropped_again_is_the_dataset_without_the_person(filled: World) -> None:
    forget(filled)
    [dataset] = filled.versions.list_datasets("g")
    result = filled.receive(filled.drop("g/training/again.csv", TRAINING), owner="again", now=LATER)
    assert (result.outcome, result.dataset_id) == ("accepted", dataset.dataset_id)
    assert filled.versions.list_datasets("g") == (dataset,)


@pytest.mark.parametrize("other", ["canary 7", "Canary 007", "canary", "nothing"])
def test_an_id_that_is_written_otherwise_is_another_one(filled: World, other: str) -> None:
    before = contents(filled.objects)
    assert list(forgetting(filled).preview(other, "patient_id")) == []
    assert contents(filled.objects) == before


def test_both_ways_to_write_an_accent_are_the_same_id(world: World) -> None:
    world.receive(world.drop("g/training/train.csv", GOOD))
    store(world, "predictions/g/1/predictions.csv", "patient_id,prediction\nRene\u0301,1\nRené,0\nRene,0\n")
    [removal] = forget(world, "René")
    assert removal.n_rows == 2


def test_the_apostrophe_of_predictions_before_a_formula_is_no_part_of_the_id(world: World) -> None:
    world.receive(world.drop("g/training/train.csv", GOOD.replace("P7,", "=7+7,")))
    content = f"patient_id,prediction\n{without_formula('=7+7')},1\n'P8,0\n"
    store(world, "predictions/g/1/predictions.csv", content)
    assert [r.store for r in forget(world, "=7+7")] == ["uploads", "datasets", "predictions"]
    assert forget(world, "P8")[-1].store == "datasets"


def test_a_file_that_cannot_be_searched_is_named(filled: World) -> None:
    store(filled, "quarantine/g/2/scan.pdf", "%PDF-1.7 canary")
    store(filled, "quarantine/g/3/other.csv", "name,age\nx,1\n")
    unsearched = [(r.uri.split("/")[-1], r.problem) for r in forget(filled) if r.action == "not searched"]
    assert [name for name, _ in unsearched] == ["scan.pdf", "other.csv"]
    assert "no column patient_id" in unsearched[1][1]


def test_the_id_is_not_kept_in_the_reason(filled: World) -> None:
    with pytest.raises(SettingsError, match="must not contain the id"):
        list(forgetting(filled).forget(PERSON, "patient_id", by="a", reason=f"for {PERSON}", now=NOW))
    with pytest.raises(SettingsError, match="blank"):
        list(forgetting(filled).preview(" ", "patient_id"))


def test_the_column_is_asked_for_where_a_group_has_several_ids_and_a_wrong_group_is_named(
    filled: World,
) -> None:
    assert forgetting(filled).id_column(None) == "patient_id"
    assert forgetting(filled).id_column("visit") == "visit"
    filled.objects.write(ObjectRef("data", "g/model.toml"), b'id_columns = ["a", "b"]\n', "text/plain")
    with pytest.raises(SettingsError, match=r"several id columns \(a, b\).*--column"):
        forgetting(filled).id_column(None)
    with pytest.raises(DatasetError, match="The group typo has no files"):
        forgetting(filled, "typo")


def test_every_page_of_a_long_listing_is_searched(aws: None, tmp_path: Path) -> None:
    world = World(tmp_path)
    for bucket in ("data", "artifacts"):
        client("s3").create_bucket(Bucket=bucket)
        client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    world.objects = S3Objects()  # type: ignore[assignment]
    world.receive(world.drop("g/training/train.csv", GOOD))
    for number in range(5):
        store(world, f"predictions/g/{number}/predictions.csv", FEW)
        store(world, f"predictions/g/{number}/predictions.csv", FEW)
    world.objects = _PagedS3()  # type: ignore[assignment]
    assert len(forget(world)) == 10
    assert traces(world) == []


class _PagedS3(S3Objects):
    """S3 whose listings have pages of three entries."""

    def __init__(self) -> None:
        s3 = client("s3")
        paginator = s3.get_paginator

        class Small:
            def __getattr__(self, name: str) -> Any:
                return getattr(s3, name)

            def get_paginator(self, name: str) -> Any:
                class Pages:
                    def paginate(self, **address: Any) -> Iterator[Any]:
                        return iter(paginator(name).paginate(**address, PaginationConfig={"PageSize": 3}))

                return Pages()

        super().__init__(Small())


@pytest.mark.parametrize("world", ["s3"], indirect=True)
def test_intake_ignores_what_was_rewritten_and_takes_what_still_waits(filled: World) -> None:
    waiting = filled.drop("g/inference/score.csv", TRAINING)
    filled.models.found = []
    assert filled.receive(waiting).outcome == "waiting"
    forget(filled)
    outcomes = {}
    for key in ("g/training/train.csv", "g/inference/score.csv"):
        facts = filled.objects.head(ObjectRef("data", key))
        upload = Upload("data", key, facts.ref.version_id, facts.size_bytes)
        outcomes[key] = filled.receive(upload, owner=key, now=LATER)
    rewritten = outcomes["g/training/train.csv"]
    assert (rewritten.outcome, rewritten.reason) == ("ignored", "rewritten")
    assert outcomes["g/inference/score.csv"].outcome == "waiting"
    assert len(filled.executions.training) == 1


@pytest.mark.parametrize("world", ["s3"], indirect=True)
def test_the_rest_of_an_older_version_that_waits_is_received_under_another_name(filled: World) -> None:
    older = filled.drop("g/inference/score.csv", TRAINING)
    filled.models.found = []
    assert filled.receive(older).outcome == "waiting"
    newer = filled.drop("g/inference/score.csv", GOOD.replace("P7,", "P77,"))
    done = [removal for removal in forget(filled) if removal.version_id == older.version_id]
    assert [(removal.action, removal.problem) for removal in done] == [("rewritten", "")]
    [kept] = [f for f in filled.objects.list_versions("data") if f.ref.key.startswith("g/inference/version-")]
    assert filled.objects.read(kept.ref).decode() == TRAINING.replace(_line_of(PERSON), "")
    upload = Upload("data", kept.ref.key, kept.ref.version_id, kept.size_bytes)
    assert filled.receive(upload, now=LATER).outcome == "waiting"
    assert filled.objects.head(ObjectRef("data", "g/inference/score.csv")).ref.version_id == newer.version_id


@pytest.mark.parametrize("world", ["s3"], indirect=True)
def test_a_waiting_file_whose_rest_cannot_be_written_is_told(filled: World) -> None:
    lines = "".join(f'{{"patient_id": "{p}", "left": 1}}\n' for p in (PERSON, "P8"))
    upload = filled.drop("g/inference/score.jsonl", lines)
    filled.models.found = []
    record = UploadRecord("g", upload.upload_id, upload.key, upload.version_id, "waiting", NOW)
    filled.versions.add_upload(record)
    [removal] = [each for each in forget(filled) if each.version_id == upload.version_id]
    assert removal.action == "deleted"
    assert "upload the file again" in removal.problem


def _line_of(person: str) -> str:
    return next(f"{line}\n" for line in TRAINING.splitlines() if line.startswith(f"{person},"))


@pytest.mark.parametrize("world", ["s3"], indirect=True)
def test_what_the_uploader_noted_beside_the_file_stays(filled: World) -> None:
    client("s3").put_object(Bucket="data", Key="g/inference/a.csv", Body=FEW, Metadata={"uploader": "ann"})
    forget(filled)
    assert filled.objects.head(ObjectRef("data", "g/inference/a.csv")).metadata == {"uploader": "ann"}


def test_a_dataset_that_was_recorded_before_is_used_again(filled: World) -> None:
    clean = TRAINING.replace(next(line for line in TRAINING.splitlines(True) if PERSON in line), "")
    result = filled.receive(filled.drop("g/training/clean.csv", clean), owner="2")
    forget(filled)
    assert [d.dataset_id for d in filled.versions.list_datasets("g")] == [result.dataset_id]


VALUES = f"patient_id,at,bmi\n{PERSON},2026-10-01T00:00:00Z,31.5\nP8,2026-10-01T00:00:00Z,22.5\n"


@pytest.fixture
def with_features(filled: World) -> World:
    """The person in two stored files of a view, in a refused one, and in the online store."""
    filled.features = features_in(filled, filled.objects)
    patient, site = Entity("patient", join_keys=("patient_id",)), Entity("site", join_keys=("site_id",))
    bmi, source = (Field("bmi", ValueType.FLOAT64),), FileSource("at")
    filled.features.apply(
        [FeatureView("vitals", (patient,), bmi, source), FeatureView("sites", (site,), bmi, source)]
    )
    assert filled.receive(filled.drop("_features/vitals/a.csv", VALUES)).outcome == "accepted"
    only = f"patient_id,at,bmi\n{PERSON},2026-10-02T00:00:00Z,32\n"
    assert filled.receive(filled.drop("_features/vitals/b.csv", only), owner="2").outcome == "accepted"
    bad = VALUES.replace("22.5", "much")
    assert filled.receive(filled.drop("_features/vitals/bad.csv", bad), owner="3").outcome == "rejected"
    sites = "site_id,at,bmi\nS1,2026-10-01T00:00:00Z,much\n"
    assert filled.receive(filled.drop("_features/sites/s.csv", sites), owner="4").outcome == "rejected"
    filled.features.materialize(None, NOW)
    return filled


def online(world: World, person: str) -> Any:
    answer = world.features.get_online_features(["vitals:bmi"], [{"patient_id": person}])
    return answer.to_dict()["bmi"][0]


def stored_values(world: World, folder: Path) -> list[tuple[Any, ...]]:
    view = world.features.definitions().view("vitals")
    source = world.features.offline.fetch(view, folder)
    return duckdb.sql(f"SELECT patient_id, bmi FROM {source} ORDER BY ALL").fetchall()


def test_the_values_of_the_person_are_removed_from_the_feature_store(
    with_features: World, tmp_path: Path
) -> None:
    assert (online(with_features, PERSON), online(with_features, "P8")) == (32.0, 22.5)
    preview = list(forgetting(with_features).preview(PERSON, "patient_id"))
    assert online(with_features, PERSON) == 32.0
    done = forget(with_features)
    assert sorted((each.store, each.action, each.n_rows) for each in done if "features" in each.store) == [
        ("features", "deleted", 1),
        ("features", "rewritten", 1),
        ("online features", "deleted", 1),
        ("refused features", "rewritten", 1),
        *[("uploads of features", "rewritten", 1)] * 2,
    ]
    assert preview == done
    assert traces(with_features) == []
    assert PERSON not in repr(vars(with_features.features.online_table))
    assert (online(with_features, PERSON), online(with_features, "P8")) == (None, 22.5)
    assert stored_values(with_features, tmp_path / "copies") == [("P8", 22.5)]
    assert not [each for each in done if each.action == "not searched"]
    with_features.features.materialize(None, NOW)
    assert online(with_features, PERSON) is None
    assert forget(with_features) == []


def test_values_that_are_dropped_again_are_removed_again(with_features: World, tmp_path: Path) -> None:
    forget(with_features)
    again = VALUES.replace("2026-10-01", "2026-10-03")
    assert with_features.receive(with_features.drop("_features/vitals/c.csv", again), owner="5").outcome == (
        "accepted"
    )
    with_features.features.materialize(None, NOW)
    assert online(with_features, PERSON) == 31.5
    list(forgetting(with_features).forget_again(LATER))
    assert online(with_features, PERSON) is None
    assert stored_values(with_features, tmp_path / "copies") == [("P8", 22.5)] * 2


@pytest.mark.parametrize("world", ["filesystem"], indirect=True)
def test_online_values_are_removed_by_a_run_that_is_killed_and_repeated(
    with_features: World, tmp_path: Path
) -> None:
    started = forgetting(with_features)
    for place in started.forget(PERSON, "patient_id", by="ann", reason="", now=NOW):
        if place.store == "features":
            break  # the second file is left
    with_features.features.materialize(None, NOW)
    assert online(with_features, PERSON) is not None
    forget(with_features)
    assert online(with_features, PERSON) is None
    assert stored_values(with_features, tmp_path / "copies") == [("P8", 22.5)]


def test_a_store_of_another_kind_takes_part(filled: World) -> None:
    class Ledger:
        def remove(self, ids: Any, *, is_final: bool) -> Iterator[Removal]:
            if ids.contains(PERSON):
                yield Removal("ledger", "ledger/g/1.parquet", None, "rewritten", 3)

    part = forgetting(filled)
    with_ledger = replace(part, stores=(*part.stores, Ledger()))
    assert list(with_ledger.preview(PERSON, "patient_id"))[-1].store == "ledger"


@pytest.mark.parametrize("world", ["s3"], indirect=True)
def test_it_works_on_the_resources_of_a_stack(registry_table: str, filled: World) -> None:
    variables = {
        "ARTIFACT_BUCKET_NAME": "artifacts",
        "DATA_BUCKET_NAME": "data",
        "REGISTRY_TABLE_NAME": registry_table,
        "FEATURE_TABLE_NAME": registry_table,
        "FEATURE_DATABASE_NAME": "features",
        "LEDGER_WORKGROUP_NAME": "ledger",
    }
    context = StackContext(variables, actor="ann")
    [dataset] = filled.versions.list_datasets("g")
    context.versions.record_dataset(dataset)
    assert dataset.contract is not None
    context.versions.record_contract("g", 1, dataset.contract, now=NOW)
    part = context.forgetting("g")
    removals = list(part.forget(PERSON, part.id_column(None), by=context.actor, reason="", now=NOW))
    assert len(removals) == 7
    assert traces(filled) == []
    new = context.versions.find_dataset("g", dataset.dataset_id)
    assert new is not None
    assert new.dataset_id != dataset.dataset_id
