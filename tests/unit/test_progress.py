"""Stages of long work on a terminal, and nothing elsewhere."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from mlops.cli.files import progress
from mlops.cli.files.progress import showing_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def work() -> None:
    with showing_progress():
        progress.begin_stage("Read the rows")
        logging.getLogger("mlops.pipelines.training_pipeline").info("Fit a model to %s rows", "1,000")


def work_that_fails() -> None:
    progress.begin_stage("Fit")
    raise TypeError


def last_states(text: str) -> list[str]:
    """What a terminal shows in the end: each line from its last return on."""
    return [line.rpartition("\r")[2].split("s  ", 1)[1] for line in text.split("\n")[:-1]]


def test_a_terminal_shows_each_stage_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    work()
    shown = terminal.getvalue()
    assert last_states(shown) == ["Read the rows", "Fit a model to 1,000 rows"]
    assert shown.endswith("\n")


def test_the_last_line_is_complete_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with pytest.raises(TypeError), showing_progress():
        work_that_fails()
    assert terminal.getvalue().endswith("Fit\n")
    work()
    assert last_states(terminal.getvalue()) == ["Fit", "Read the rows", "Fit a model to 1,000 rows"]


def test_nothing_is_shown_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    assert capsys.readouterr().err == ""
