"""What a search tried, as a table on the model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from mlops.models.training import Trial
from mlops.pages.number_format import number
from mlops.pipelines.model_card.scores import score_name, score_text

_SHOWN = 100
_UNCHANGED = "–"
_OPEN = 12  # longer tables are folded


def trials_section(trials: Sequence[Trial], primary: str | None) -> str:
    """Return the table of the trials, the best first and marked, in the order in which they are given.

    Parameters
    ----------
    trials
        What was tried; a trial that was given more rows stands before those that were not taken so far.
    primary
        The score by which they were judged.
    """
    if not trials:
        return ""
    names = sorted({name for trial in trials for name in trial.hyperparameters})
    score = primary or "score"
    head = "".join(f'<th class="num">{escape(text)}</th>' for text in (score_name(score), "Rows", *names))
    lines = "".join(_line(place, trial, names, score) for place, trial in enumerate(trials[:_SHOWN]))
    table = f"<table><thead><tr><th>Trial</th>{head}</tr></thead><tbody>{lines}</tbody></table>"
    scrolled = f'<div class="scroll">{table}</div>'
    if len(trials) > _OPEN:
        scrolled = f"<details><summary>All {len(trials)} trials</summary>{scrolled}</details>"
    note = (
        f"{len(trials)} combinations, judged out of fold on the training rows alone; the best was taken. "
        "The held-out rows have no part in it. "
        f"{_UNCHANGED} stands for what is set, or our default."
    )
    return f'<section><h2>What the search tried</h2><p class="aside">{note}</p>{scrolled}</section>'


def _line(place: int, trial: Trial, names: Sequence[str], score: str) -> str:
    values = [_value(trial.hyperparameters.get(name)) for name in names]
    cells = [score_text(score, trial.score), f"{trial.n_rows:,}", *values]
    numbers = "".join(f'<td class="num">{escape(cell)}</td>' for cell in cells)
    css = ' class="primary"' if place == 0 else ""
    name = f"{place + 1} {trial.algorithm}" if trial.algorithm else f"{place + 1}"
    return f"<tr{css}><th scope='row'>{escape(name)}</th>{numbers}</tr>"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if value is None:
        return _UNCHANGED
    return value if isinstance(value, str) else json.dumps(value)
