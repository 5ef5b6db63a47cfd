"""Which parts of dates are worth a feature: those without which models predict unseen training rows worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from mlops.algorithms.contenders import boosted_contender
from mlops.dataset.features.date_parts import part_name
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.features import FeatureSelection
from mlops.pipelines.features.training_rows import TrainingRows
from mlops.pipelines.fitting.out_of_fold import Sample, training_sample
from mlops.pipelines.fitting.race import Contender, is_greater, losses

MAX_ROWS = 4_000
_N_FOLDS = 3
# differences of chance exceed two standard errors once in 40 times
_MIN_STANDARD_ERRORS = 2.0


def choose_date_parts(rows: TrainingRows) -> TrainingRows:
    """Return the rows without the parts of dates that do not help, where the settings ask for the choice.

    Part after part is left out, those named last first. It stays out unless the mean loss out of fold of a
    boosted model rises by more than two standard errors on the same rows. At most 4,000 training rows are
    looked at, of which three fifths are judged; the held-out rows have no part in it.
    """
    named = [part_name(name, part) for name, parts in rows.date_parts.items() for part in parts]
    made = [name for name in named if name in rows.aligned.columns]
    if not rows.settings.choose_date_parts or not made:
        return rows
    sample = training_sample(rows).of_size(MAX_ROWS)
    left_out = _left_out(sample, made, boosted_contender(rows.settings, sample.task))
    kept = ", ".join(name for name in made if name not in left_out)
    note = f"Parts of dates that help out of fold: {kept or 'none'}."
    note += f" Models are as good without {', '.join(left_out)}." if left_out else ""
    return replace(_without(rows, left_out), notes=(*rows.notes, note))


def _left_out(sample: Sample, made: Sequence[str], settings: GroupSettings) -> list[str]:
    """Return the parts without which the losses are not clearly greater."""
    current, left_out = _losses(sample, settings), []
    for name in reversed(made):
        if len(sample.features) == 1 or not len(current):
            break
        smaller = _without_feature(sample, name)
        without = _losses(smaller, settings)
        if not is_greater(without - current, _MIN_STANDARD_ERRORS):
            sample, current = smaller, without
            left_out.append(name)
    return left_out


def _losses(sample: Sample, settings: GroupSettings) -> np.ndarray:
    folds = islice(sample.held_out_folds(), _N_FOLDS)
    return losses(Contender(settings, sample, tuple(fold.predict(settings) for fold in folds)))


def _without_feature(sample: Sample, name: str) -> Sample:
    features = tuple(column for column in sample.features if column.name != name)
    return replace(sample, features=features, aligned=sample.aligned.drop(columns=name))


def _without(rows: TrainingRows, left_out: Sequence[str]) -> TrainingRows:
    """Return the rows without some parts; a date without any is no longer read."""
    parts = {
        name: tuple(part for part in of_date if part_name(name, part) not in left_out)
        for name, of_date in rows.date_parts.items()
    }
    reasons = dict.fromkeys(left_out, "does not help out of fold")
    return replace(
        rows,
        aligned=rows.aligned.drop(columns=list(left_out)),
        selection=FeatureSelection(
            tuple(column for column in rows.selection.features if column.name not in left_out),
            {**rows.selection.dropped, **reasons},
        ),
        date_parts={name: of_date for name, of_date in parts.items() if of_date},
    )
