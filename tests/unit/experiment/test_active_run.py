"""Logging a run: what is kept, when, and what happens when it goes wrong."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from mlops.experiment.origins import describe_dataset
from mlops.models.errors import ExperimentError, ObjectNotFoundError, TrainingError
from mlops.models.experiment import RunStatus

GROUP = "adherence"


def test_a_run_keeps_everything_that_was_logged(tracker, tmp_path):
    data = tmp_path / "train.csv"
    data.write_text("a,b\n1,2\n")
    with tracker.start_run(
        GROUP, name="first try", params={"algorithm": "XGBoost"}, tags={"who": "ada"}
    ) as run:
        run.log_params({"hyperparameters": {"max_depth": 3, "subsample": 1.0}, "flags": [True, None]})
        run.log_dataset(describe_dataset(data))
        run.log_metrics({"roc_auc": 0.75, "f1": 0.5})
        run.set_tag("note", 7)
    kept = tracker.get_run(GROUP, run.run_id)
    assert (kept.name, kept.status, kept.origin) == ("first try", RunStatus.FINISHED, "local")
    assert kept.params == {
        "algorithm": "XGBoost",
        "hyperparameters.max_depth": 3,
        "hyperparameters.subsample": 1.0,
        "flags": [True, None],
    }
    assert kept.metrics == {"roc_auc": 0.75, "f1": 0.5}
    assert kept.tags == {"who": "ada", "note": "7"}
    assert kept.dataset.dataset_id == "train.csv"
    assert kept.dataset.digest == "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470"
    assert len(kept.code_digest) == 64
    assert kept.duration_seconds > 0


def test_a_run_is_listed_as_running_before_it_ends(tracker):
    with tracker.start_run(GROUP) as run:
        run.log_param("depth", 3)
        seen = tracker.get_run(GROUP, run.run_id)
        assert (seen.status, seen.params, seen.duration_seconds) == (RunStatus.RUNNING, {"depth": 3}, None)


def test_an_exception_marks_the_run_as_failed_and_goes_on(tracker):
    run = tracker.start_run(GROUP)
    run.log_metric("loss", 0.5)
    with pytest.raises(TrainingError, match="too few rows"), run:
        raise TrainingError("There are too few rows.")
    kept = tracker.get_run(GROUP, run.run_id)
    assert kept.status is RunStatus.FAILED
    assert (kept.failure.error_type, kept.failure.message) == ("TrainingError", "There are too few rows.")
    assert kept.metrics == {"loss": 0.5}


def test_the_message_of_a_foreign_error_is_left_out_since_it_may_quote_the_data(tracker, tmp_path):
    with pytest.raises(ValueError, match="Ada"), tracker.start_run(GROUP) as run:
        float("Ada Lovelace")
    assert tracker.get_run(GROUP, run.run_id).failure.error_type == "ValueError"
    assert not any(b"Lovelace" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_an_interrupt_marks_the_run_as_failed_too(tracker):
    with pytest.raises(KeyboardInterrupt), tracker.start_run(GROUP) as run:
        raise KeyboardInterrupt
    assert tracker.get_run(GROUP, run.run_id).failure.error_type == "KeyboardInterrupt"


def test_a_store_that_breaks_down_does_not_hide_the_first_error(tracker, tmp_path):
    run = tracker.start_run(GROUP)
    (tmp_path / "experiment-runs" / "runs.sqlite3").unlink()
    with pytest.raises(ZeroDivisionError) as caught, run:
        _ = 1 / 0
    assert "could not be marked as failed" in caught.value.__notes__[0]


def test_a_param_never_changes_and_the_same_value_again_is_fine(tracker):
    with tracker.start_run(GROUP, params={"depth": 3}) as run:
        run.log_param("depth", 3)
        for other in (4, 3.0, "3", None):
            with pytest.raises(ExperimentError, match="params never change"):
                run.log_params({"depth": other, "new": 1})
    assert tracker.get_run(GROUP, run.run_id).params == {"depth": 3}


def test_the_newest_metric_is_that_of_the_highest_step_whenever_it_was_logged(tracker):
    with tracker.start_run(GROUP) as run:
        for step, value in ((1, 0.5), (10, 0.1), (5, 0.3), (10, 0.2)):
            run.log_metric("loss", value, step=step)
    assert tracker.get_run(GROUP, run.run_id).metrics == {"loss": 0.2}
    history = tracker.history(GROUP, run.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), (5, 0.3), (10, 0.1), (10, 0.2)]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_value_that_is_no_finite_number_does_not_end_the_run(tracker, value):
    with tracker.start_run(GROUP) as run:
        run.log_metric("loss", value)
    assert tracker.get_run(GROUP, run.run_id).metrics == {"loss": None}


def test_numbers_of_numpy_are_taken_as_numbers(tracker):
    with tracker.start_run(GROUP) as run:
        run.log_params({"depth": np.int64(3), "rate": np.float64(0.1), "on": np.bool_(True)})
        run.log_metric("f1", np.float64(0.5))
    kept = tracker.get_run(GROUP, run.run_id)
    assert [(type(value), value) for value in kept.params.values()] == [(int, 3), (float, 0.1), (bool, True)]
    assert type(kept.metrics["f1"]) is float


@pytest.mark.parametrize("value", ["0.5", None, [0.5]])
def test_a_metric_that_is_no_number_is_refused(tracker, value):
    with tracker.start_run(GROUP) as run, pytest.raises(ExperimentError, match="'f1' must be a number"):
        run.log_metric("f1", value)


def test_metrics_reach_the_store_after_five_seconds_or_a_thousand_values(tracker, clock):
    with tracker.start_run(GROUP) as run:
        clock.skip(3)
        run.log_metric("loss", 1.0)
        assert tracker.history(GROUP, run.run_id) == []
        clock.skip(5)
        run.log_metric("loss", 0.9, step=1)
        assert len(tracker.history(GROUP, run.run_id)) == 2
        run.log_metrics({f"m{number}": number for number in range(1000)}, step=2)
        assert len(tracker.history(GROUP, run.run_id)) == 1002


def test_a_long_run_has_few_files_of_metrics(tracker, tmp_path, clock):
    with tracker.start_run(GROUP) as run:
        for step in range(6000):
            run.log_metric("loss", 1.0, step=step)
            clock.skip(5)
    files = list((tmp_path / "experiment-runs").rglob("*.jsonl"))
    assert len(tracker.history(GROUP, run.run_id)) == 6000
    assert len(files) < 160


def test_threads_may_log_into_one_run(tracker):
    with tracker.start_run(GROUP) as run:

        def log(worker: int) -> None:
            for step in range(200):
                run.log_metric(f"m{worker}", step, step=step)
            run.set_tag(f"t{worker}", "done")

        threads = [threading.Thread(target=log, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    kept = tracker.get_run(GROUP, run.run_id)
    assert kept.metrics == {f"m{worker}": 199.0 for worker in range(8)}
    assert len(kept.tags) == 8
    assert len(tracker.history(GROUP, run.run_id)) == 1600


def test_the_end_of_a_run_is_final(tracker):
    with tracker.start_run(GROUP) as run:
        run.end_run("FAILED")
    assert tracker.get_run(GROUP, run.run_id).status is RunStatus.FAILED
    assert run.end_run().status is RunStatus.FAILED
    for log in (
        lambda: run.log_param("a", 1),
        lambda: run.log_metric("a", 1),
        lambda: run.log_text("a", "a"),
    ):
        with pytest.raises(ExperimentError, match="has failed; start a new run"):
            log()
    run.set_tag("seen by", "ada")
    with pytest.raises(ExperimentError, match="finished or failed, not as 'killed'"):
        run.end_run("KILLED")


def test_a_run_of_the_same_id_goes_on_until_it_has_ended(tracker):
    first = tracker.start_run(GROUP, run_id="job-7", params={"a": 1})
    with tracker.start_run(GROUP, run_id="job-7") as second:
        second.log_param("b", 2)
    assert first.end_run().params == {"a": 1, "b": 2}
    with pytest.raises(ExperimentError, match="has finished"):
        tracker.start_run(GROUP, run_id="job-7")


def test_files_and_folders_are_kept_with_their_digests(tracker, tmp_path):
    (tmp_path / "model" / "parts").mkdir(parents=True)
    (tmp_path / "model" / "metrics.json").write_text("{}")
    (tmp_path / "model" / "parts" / "a.bin").write_bytes(b"a")
    with tracker.start_run(GROUP) as run:
        run.log_artifact(tmp_path / "model")
        run.log_artifact(tmp_path / "model" / "metrics.json", "evidence/")
        run.log_dict({"é": 1}, "notes/extra.json")
    kept = tracker.get_run(GROUP, run.run_id)
    assert [artifact.path for artifact in kept.artifacts] == [
        "model/metrics.json",
        "model/parts/a.bin",
        "evidence/metrics.json",
        "notes/extra.json",
    ]
    assert kept.artifacts[1].sha256 == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert tracker.read_artifact(GROUP, run.run_id, "model/parts/a.bin") == b"a"
    assert "é" in tracker.read_artifact(GROUP, run.run_id, "notes/extra.json").decode()
    with pytest.raises(ObjectNotFoundError):
        tracker.read_artifact(GROUP, run.run_id, "nothing")


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a//b", "", "a/.hidden", "a\\b", "a\nb"])
def test_an_artifact_stays_within_its_run(tracker, path):
    with tracker.start_run(GROUP) as run, pytest.raises(ExperimentError, match="cannot name an artifact"):
        run.log_text("x", path)


def test_nothing_to_log_is_said(tracker, tmp_path):
    with tracker.start_run(GROUP) as run:
        for path in (tmp_path / "nothing", tmp_path / "experiment-runs" / "empty"):
            with pytest.raises(ExperimentError, match="no file to log"):
                run.log_artifact(path)


@pytest.mark.parametrize("group", ["", "../up", "a/b", ".hidden", "a" * 64])
def test_a_name_that_cannot_be_a_group_is_refused(tracker, group):
    with pytest.raises(ExperimentError, match="cannot name a model group"):
        tracker.start_run(group)


def test_a_param_too_long_to_show_is_refused_and_nothing_is_started(tracker):
    with pytest.raises(ExperimentError, match="log it as an artifact"):
        tracker.start_run(GROUP, params={"columns": ["a"] * 5000})
    assert tracker.list_runs(GROUP) == []
