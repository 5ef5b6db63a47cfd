"""The store of runs, over local files and over DynamoDB with S3."""

from __future__ import annotations

import multiprocessing
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.experiment import changes
from mlops.experiment.factory import stack_runs
from mlops.experiment.local import local_runs
from mlops.experiment.tracker import ExperimentTracker
from mlops.infrastructure.contention import Backoff
from mlops.models.errors import ExperimentError, ObjectNotFoundError, RunNotFoundError
from mlops.models.experiment import (
    MetricPoint,
    Run,
    RunArtifact,
    RunDataset,
    RunFailure,
    RunStatus,
)

GROUP = "adherence"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_run(run_id: str = "one", **changed) -> Run:
    run = Run(
        run_id, GROUP, run_id, RunStatus.RUNNING, NOW, params={"max_depth": 3, "rate": 1.0, "top": None}
    )
    return replace(run, **changed)


@pytest.fixture(params=["files", "aws"])
def store(request, tmp_path):
    if request.param == "files":
        return local_runs(tmp_path / "runs")
    request.getfixturevalue("registry_table")
    from mlops.infrastructure.aws.clients import client

    client("s3").create_bucket(Bucket="artifacts")
    client("s3").put_bucket_versioning(Bucket="artifacts", VersioningConfiguration={"Status": "Enabled"})
    return stack_runs("registry", "artifacts", backoff=Backoff(rng=random.Random(1)))


def test_a_stored_run_is_found_equal_to_the_last_type(store):
    run = a_run(
        ended_at=NOW + timedelta(seconds=1.5),
        status=RunStatus.FAILED,
        newest={"loss": MetricPoint("loss", None, 3, NOW), "f1": MetricPoint("f1", 1.0, 0, NOW)},
        tags={"é": "ü"},
        dataset=RunDataset("d1", "a" * 64, "s3://b/k"),
        artifacts=(RunArtifact("model", "s3://b/m", 3, "b" * 64),),
        failure=RunFailure("ValueError"),
    )
    assert store.add(run) == run
    stored = store.find(GROUP, "one")
    assert stored == run
    assert [type(value) for value in stored.params.values()] == [int, float, type(None)]
    assert type(stored.newest["f1"].value) is float


def test_what_is_not_there_is_none_or_empty(store):
    assert store.find(GROUP, "one") is None
    assert list(store.runs(GROUP)) == []
    assert store.groups() == []
    assert store.files(GROUP, "one").paths("") == []
    with pytest.raises(RunNotFoundError, match="has no run yet"):
        store.update(GROUP, "one", lambda run: run)


def test_adding_a_run_again_returns_the_first_and_changes_nothing(store):
    store.add(a_run(name="first"))
    assert store.add(a_run(name="second", started_at=NOW + timedelta(1))).name == "first"
    assert [run.name for run in store.runs(GROUP)] == ["first"]


def test_runs_come_last_started_first_and_only_of_their_group(store):
    starts = {"a": 2, "b": 0, "c": 1, "d": 1}
    for run_id, seconds in starts.items():
        store.add(a_run(run_id, started_at=NOW + timedelta(seconds=seconds)))
    store.add(a_run("other", group="another"))
    assert [run.run_id for run in store.runs(GROUP)] == ["a", "d", "c", "b"]
    assert store.groups() == [GROUP, "another"]


def test_starts_within_a_second_and_in_other_zones_are_ordered_too(store):
    from datetime import timezone

    store.add(a_run("later", started_at=NOW + timedelta(microseconds=1)))
    store.add(a_run("first", started_at=NOW.astimezone(timezone(timedelta(hours=5)))))
    store.add(a_run("last", started_at=NOW + timedelta(milliseconds=2)))
    assert [run.run_id for run in store.runs(GROUP)] == ["last", "later", "first"]


def test_an_update_counts_and_is_seen_at_once(store):
    store.add(a_run())
    updated = store.update(GROUP, "one", lambda run: changes.with_tags(run, {"a": "1"}))
    assert updated.revision == 1
    assert store.find(GROUP, "one") == updated == next(store.runs(GROUP))


def test_a_change_that_raises_leaves_the_run_as_it_was(store):
    store.add(a_run())
    with pytest.raises(ExperimentError, match="cannot become 4"):
        store.update(GROUP, "one", lambda run: changes.with_params(run, {"max_depth": 4}))
    assert store.find(GROUP, "one") == a_run()


def test_an_update_of_an_unknown_run_names_the_nearest(store):
    store.add(a_run("job-1"))
    with pytest.raises(RunNotFoundError, match="Did you mean 'job-1'"):
        store.update(GROUP, "job-2", lambda run: run)


def test_no_update_is_lost_among_threads(store):
    store.add(a_run())

    def tag(number: int) -> None:
        store.update(GROUP, "one", lambda run: changes.with_tags(run, {f"tag{number}": "x"}))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(tag, range(48)))
    run = store.find(GROUP, "one")
    assert (len(run.tags), run.revision) == (48, 48)


def test_one_of_many_adders_wins_and_all_learn_who(store):
    with ThreadPoolExecutor(16) as pool:
        stored = list(pool.map(lambda number: store.add(a_run(name=f"n{number}")), range(32)))
    assert len({run.name for run in stored}) == len(list(store.runs(GROUP))) == 1


def test_files_are_whole_and_replaceable(store, tmp_path):
    files = store.files(GROUP, "one")
    files.write("artifacts/plots/roc é.svg", b"first")
    address = files.write("artifacts/plots/roc é.svg", b"second")
    local = tmp_path / "local.bin"
    local.write_bytes(b"\0" * 100_000)
    files.upload(local, "artifacts/model.bin")
    store.files(GROUP, "one2").write("artifacts/other", b"")
    assert files.paths("") == ["artifacts/model.bin", "artifacts/plots/roc é.svg"]
    assert files.paths("artifacts/p") == ["artifacts/plots/roc é.svg"]
    assert files.read("artifacts/plots/roc é.svg") == b"second"
    assert len(files.read("artifacts/model.bin")) == 100_000
    place = address.removeprefix("s3://artifacts/runs/adherence/one/").removeprefix(
        f"{tmp_path}/runs/adherence/one/files/"
    )
    assert place == "artifacts/plots/roc é.svg"
    with pytest.raises(ObjectNotFoundError):
        files.read("artifacts/nothing")


def test_a_whole_run_is_kept_on_every_store(store, tmp_path):
    tracker = ExperimentTracker(store, now=lambda: NOW)
    (tmp_path / "card.html").write_text("<p>")
    with tracker.start_run(GROUP, run_id="one", params={"depth": 3}, code_digest="c" * 64) as run:
        for step in range(1500):
            run.log_metric("loss", 1 / (step + 1), step=step)
        run.log_artifact(tmp_path / "card.html", "pages")
    kept = tracker.get_run(GROUP, "one")
    assert (kept.status, kept.params, kept.metrics) == (RunStatus.FINISHED, {"depth": 3}, {"loss": 1 / 1500})
    assert [point.step for point in tracker.history(GROUP, "one", "loss")] == list(range(1500))
    assert tracker.read_artifact(GROUP, "one", "pages/card.html") == b"<p>"
    assert tracker.best_run(GROUP, "loss", greater_is_better=False) == kept


def test_a_run_with_ten_thousand_params_fits(store):
    run = a_run(params={f"a_long_name_of_a_param_{number:05d}": number / 7 for number in range(10_000)})
    store.add(run)
    assert store.find(GROUP, "one") == run


def test_more_runs_than_fit_a_page_are_all_listed(store):
    # a query ends its page at a megabyte
    text = "".join(random.Random(0).choices("abcdefghij", k=20_000))
    for number in range(80):
        store.add(a_run(f"run{number:03d}", tags={"notes": text}))
    assert len(list(store.runs(GROUP))) == 80


def test_no_update_is_lost_among_processes(tmp_path):
    store = local_runs(tmp_path)
    store.add(a_run())
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_tag_often, args=(tmp_path, worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    run = store.find(GROUP, "one")
    assert (len(run.tags), run.revision) == (60, 60)


def _tag_often(root: Path, worker: int) -> None:
    store = local_runs(root)
    for number in range(20):
        store.update(GROUP, "one", lambda run, n=number: changes.with_tags(run, {f"{worker}-{n}": "x"}))


def test_a_draft_of_a_killed_writer_is_not_a_file_of_the_run(tmp_path):
    files = local_runs(tmp_path).files(GROUP, "one")
    files.write("metrics/1.jsonl", b"{}")
    (tmp_path / GROUP / "one" / "files" / "metrics" / ".draft-y").write_text("{")
    assert files.paths("metrics/") == ["metrics/1.jsonl"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path):
    files = local_runs(tmp_path / "runs").files(GROUP, "one")
    files.write("artifacts/model.bin", b"first")
    with pytest.raises(FileNotFoundError):
        files.upload(tmp_path / "missing", "artifacts/model.bin")
    assert files.read("artifacts/model.bin") == b"first"
    folder = tmp_path / "runs" / GROUP / "one" / "files" / "artifacts"
    assert [path.name for path in folder.iterdir()] == ["model.bin"]


def test_a_file_that_is_replaced_while_it_is_read_is_read_whole(tmp_path):
    files = local_runs(tmp_path).files(GROUP, "one")
    path = files.write("artifacts/card.html", b"first")
    with Path(path).open("rb") as reader:
        files.write("artifacts/card.html", b"second, longer")
        assert reader.read() == b"first"
    assert files.read("artifacts/card.html") == b"second, longer"
