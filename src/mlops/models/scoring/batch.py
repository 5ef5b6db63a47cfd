"""A scored batch as its folder describes it: the summary of the batch, its files and its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.scoring.prediction import SCORED
from mlops.models.settings.scoring import ScoringEngine

MANIFEST = "manifest.json"
REQUEST = "request.json"  # what was to be scored: written before the batch, beside it


@dataclass(frozen=True, slots=True)
class BatchSummary(Record):
    """The result of a batch; the drift fields are None when the model has no baseline.

    `n_rows` counts the rows of the file, `row_statuses` those of each status. `file_name` is that of the
    dropped file. `cost_usd` is what the scoring cost by list prices, None where that is not known.
    Summaries of releases before 0.3 have none of the last five fields.
    """

    group: str
    batch_id: str
    n_rows: int
    predictions_uri: str
    report_uri: str | None = None
    drift_verdict: str | None = None
    drift_score: float | None = None
    features_with_drift: tuple[str, ...] = ()
    file_name: str = ""
    model_version: str = ""
    manifest_uri: str | None = None
    row_statuses: Mapping[str, int] = field(default_factory=dict)
    cost_usd: float | None = None

    @property
    def predictions_name(self) -> str:
        """The name of the file of predictions, which says whether it is compressed."""
        return self.predictions_uri.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The folder with the files of the batch, in the artifact bucket."""
        return ObjectRef.from_uri(self.predictions_uri).key.rpartition("/")[0]

    @property
    def n_scored(self) -> int:
        """How many rows have a prediction."""
        return self.row_statuses.get(SCORED, 0) if self.row_statuses else self.n_rows


@dataclass(frozen=True, slots=True)
class BatchFile(Record):
    """One file of a batch, in the version that belongs to the batch."""

    sha256: str
    version_id: str | None


@dataclass(frozen=True, slots=True)
class BatchManifest(Record):
    """Written last: a batch with a manifest is complete, and consists of exactly these files.

    `columns` names those of the predictions; `source_sha256` is the digest of the content that was scored;
    `engine` says what scored it. Manifests of releases before 0.3 have none of them.
    """

    summary: BatchSummary
    model_version: str
    model_sha256: str
    source: ObjectRef
    created_at: datetime
    files: Mapping[str, BatchFile]
    columns: PredictionColumns | None = None
    source_sha256: str | None = None
    engine: ScoringEngine | None = None
