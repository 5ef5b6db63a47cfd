"""`mlops runs ...`, as a person types it."""

from __future__ import annotations

import argparse
import json

import pytest

from mlops.cli.main import main
from mlops.cli.runs import add_parser
from mlops.models.errors import ExperimentError, MlflowError, RunNotFoundError
from mlops.models.experiment import Run, RunFailure

GROUP = "adherence"


@pytest.fixture
def type_in(tmp_path, tracker, capsys):
    """Three runs in a directory; the function runs a command over them and returns what it prints."""
    with tracker.start_run(GROUP, params={"depth": 3}) as run:
        run.log_metrics({"roc_auc": 0.7})
        run.set_tags({"model_version": "v1.0.0", "gate": "rejected"})
    with tracker.start_run(GROUP, name="deep", params={"depth": 9}) as run:
        run.log_metrics({"roc_auc": 0.8})
        run.log_text("x", "notes.txt")
    tracker.start_run(GROUP).end_run("failed", RunFailure("TrainingError", "No target."))
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())

    def type_in(*words: str) -> str:
        arguments = parser.parse_args(["runs", *words, "--root", str(tmp_path)])
        assert arguments.run(arguments) == 0
        return capsys.readouterr().out

    return type_in


def test_list_shows_the_groups(type_in):
    assert type_in("list") == "adherence\n"


def test_list_shows_a_line_per_run_with_what_came_of_it(type_in):
    header, *lines = type_in("list", GROUP).splitlines()
    assert header.split() == ["run", "started", "duration", "status", "result"]
    assert [line.split()[0] for line in lines] == ["run-3", "run-2", "run-1"]
    assert lines[0].endswith("failed    TrainingError No target.")
    assert lines[2].endswith("v1.0.0  rejected  ROC AUC 0.7000")


def test_the_groups_show_the_last_training_when_it_failed(type_in, tmp_path, tracker, capsys):
    assert main(["groups", "--root", str(tmp_path)]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.endswith("last training failed")
    assert line.split()[:4] == [GROUP, "0", "none", "yet"]
    assert line.endswith("TrainingError No target.")
    tracker.start_run(GROUP).end_run()
    assert main(["groups", "--root", str(tmp_path)]) == 0
    assert "TrainingError" not in capsys.readouterr().out


def test_list_selects(type_in):
    assert "run-2" in type_in("list", GROUP, "--best", "roc_auc")
    assert len(type_in("list", GROUP, "--where", "status = finished", "--limit", "1").splitlines()) == 2
    assert type_in("list", GROUP, "--where", "metrics.roc_auc > 1") == "No run of adherence matches.\n"
    with pytest.raises(ExperimentError, match="cannot be read"):
        type_in("list", GROUP, "--where", "what?")


def test_list_as_json_is_complete(type_in, tracker):
    runs = [Run.from_dict(document) for document in json.loads(type_in("list", GROUP, "--json"))]
    assert runs == tracker.list_runs(GROUP)


def test_show_tells_all(type_in):
    text = type_in("show", GROUP, "run-2")
    for part in (
        "adherence run-2: finished",
        "name      deep",
        "depth  9",
        "ROC AUC  0.8000",
        "notes.txt  /",
    ):
        assert part in text
    assert "failed    TrainingError No target." in type_in("show", GROUP, "run-3")
    assert Run.from_json(type_in("show", GROUP, "run-2", "--json")).name == "deep"
    with pytest.raises(RunNotFoundError, match="Did you mean 'run-3'"):
        type_in("show", GROUP, "run-4")


def test_compare_prints_and_writes_the_page(type_in, tmp_path):
    text = type_in("compare", GROUP, "run-1", "run-2", "--html", str(tmp_path / "page.html"))
    assert "0.8000 *" in text
    assert "run-3" not in text
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "deep" in page


def test_export_to_a_server_that_is_not_there_says_so(type_in):
    with pytest.raises(MlflowError, match="does not answer"):
        type_in("export", GROUP, "--to", "http://127.0.0.1:9")
