"""Records about retraining: what a training set is made of, and that a retraining was proposed or started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mlops.models.objects import ObjectRef
from mlops.models.record import Record

SourceKind = Literal["file", "ledger"]
RetrainingStatus = Literal["proposed", "requested", "started", "refused"]


@dataclass(frozen=True, slots=True)
class TrainingSource(Record):
    """Rows of a training set that come from one accepted file, or from one batch of the ledger.

    `name` is the id of the dataset or of the batch. `n_repeated` rows of it are left out, because a newer
    source has them too.
    """

    kind: SourceKind
    name: str
    n_rows: int
    n_repeated: int = 0


@dataclass(frozen=True, slots=True)
class DatasetLineage(Record):
    """What a dataset was made of, when no one dropped it: stored beside it as `lineage.json`.

    `labels` are the uploads of labels whose outcomes are in it, `left_out` says what is not in it and why.
    """

    group: str
    sources: tuple[TrainingSource, ...]
    labels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retraining(Record):
    """A retraining that was proposed or requested.

    `champion` is the version in service then, `reasons` are sentences. `files_rows` and `ledger_rows` are
    the rows of the two kinds of sources, `n_new_rows` those that the champion was not trained on; None where
    they were not counted. `content` is the training set once it was made, with the `settings` and the
    `dataset_id` that it is trained with, and `problem` why nothing could be started. `announced` is
    the last status about which everything was sent. `revision` grows with every change.
    """

    group: str
    retraining_id: str
    champion: str
    reasons: tuple[str, ...]
    status: RetrainingStatus
    created_at: datetime
    files_rows: int | None = None
    ledger_rows: int | None = None
    n_new_rows: int | None = None
    left_out: tuple[str, ...] = ()
    cost: str = ""
    note: str = ""
    requested_by: str = ""
    requested_at: datetime | None = None
    is_automatic: bool = False
    content: ObjectRef | None = None
    dataset_id: str | None = None
    settings: Mapping[str, Any] | None = None
    training_id: str | None = None
    problem: str = ""
    announced: str = ""
    revision: int = 1
