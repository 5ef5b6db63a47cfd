"""Scoring of one large file in ranges of its rows: list them, score each one, merge the results."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.dataset.limits import MIB
from mlops.dataset.validation.row_ranges import RowRange
from mlops.infrastructure.object_store import ObjectStore, in_parallel
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.scoring.batch import REQUEST, BatchSummary
from mlops.pipelines.artifacts.archive import sha256_of
from mlops.pipelines.scoring.batch_rows import RowCounts
from mlops.pipelines.scoring.ranges import RangePlan, ScoredRange
from mlops.use_cases.model_cache import ModelCache
from mlops.use_cases.score_batch import Batch, Notifier, ScoringRequest, local_name
from mlops.use_cases.scoring_cost import CostMeter, total

RANGE_BYTES = 64 * MIB


@dataclass(frozen=True, slots=True)
class RangesRequest(Record):
    """What the steps that score one file in ranges share.

    `source_sha256` is the digest of the file, `cost_usd` what reading it cost.
    """

    bucket: str
    scoring: ScoringRequest
    plan: RangePlan
    source_sha256: str
    cost_usd: float | None = None

    @property
    def ref(self) -> ObjectRef:
        """Where this request is stored."""
        return self._ref(REQUEST)

    @property
    def ranges_ref(self) -> ObjectRef:
        """Where the list of the ranges is stored."""
        return self._ref("ranges.json")

    def predictions_ref(self, row_range: RowRange) -> ObjectRef:
        """Where the predictions of a range are stored."""
        return self._ref(f"ranges/{row_range.index:05d}.csv")

    def counts_ref(self, row_range: RowRange) -> ObjectRef:
        """Where the counts of a range are stored."""
        return self._ref(f"ranges/{row_range.index:05d}.json")

    def cost_ref(self, row_range: RowRange) -> ObjectRef:
        """Where the cost of a range is stored."""
        return self._ref(f"ranges/{row_range.index:05d}.cost.json")

    def _ref(self, name: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"parts/{self.scoring.group}/{self.scoring.batch_id}/{name}")


def list_ranges(
    request: ScoringRequest,
    objects: ObjectStore,
    *,
    artifact_bucket: str,
    models: ModelCache,
    meter: CostMeter,
) -> dict[str, Any]:
    """Read the whole file, and store how its rows are read and into which ranges they are cut.

    Returns
    -------
    dict
        `n_ranges`, and `request` and `ranges`: where the two documents are stored. Only `n_ranges`, which is
        then 0, when the file must be scored at once: it has no rows, or is not plain UTF-8 text.

    Raises
    ------
    DatasetError
        If the file cannot be scored.
    ArtifactError
        If the model is not the registered one.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / local_name(request)
        model = models.description(request.model, objects)
        objects.download(request.source, source)
        plan = model.plan_ranges(source, RANGE_BYTES, settings=request.settings)
        digest = sha256_of(source)
    if plan is None:
        return {"n_ranges": 0}
    listed = RangesRequest(artifact_bucket, request, plan, digest, meter.read())
    items = json.dumps([each.to_dict() for each in plan.ranges]).encode()
    objects.write(listed.ranges_ref, items, "application/json")
    objects.write(listed.ref, listed.to_json().encode(), "application/json")
    return {
        "n_ranges": len(plan.ranges),
        "request": {"bucket": listed.ref.bucket, "key": listed.ref.key},
        "ranges": {"bucket": listed.ranges_ref.bucket, "key": listed.ranges_ref.key},
    }


def score_range(
    request_ref: ObjectRef, row_range: RowRange, objects: ObjectStore, *, models: ModelCache, meter: CostMeter
) -> int:
    """Score the rows of one range, and store its predictions and then its counts; return how many rows.

    A range that is scored again is stored again, with equal bytes but those of its cost.
    """
    request = RangesRequest.from_json(objects.read(request_ref))
    with tempfile.TemporaryDirectory() as scratch:
        source, predictions = Path(scratch) / "range.csv", Path(scratch) / "predictions.csv"
        pipeline = models.pipeline(request.scoring.model, objects)
        objects.download_range(request.scoring.source, source, row_range.start_byte, row_range.stop_byte)
        scored = pipeline.score_range(request.plan, row_range, source, predictions)
        objects.upload(predictions, request.predictions_ref(row_range), "text/csv; charset=utf-8")
    counts = scored.counts.to_json().encode()
    objects.write(request.cost_ref(row_range), json.dumps(meter.read()).encode(), "application/json")
    objects.write(request.counts_ref(row_range), counts, "application/json")
    return scored.counts.quality.n_rows


def merge_ranges(
    request_ref: ObjectRef,
    objects: ObjectStore,
    *,
    models: ModelCache,
    notify: Notifier,
    now: datetime,
    meter: CostMeter,
) -> BatchSummary:
    """Store the results of all ranges as those of one file; a batch that is complete is not stored again.

    Raises
    ------
    DatasetError
        If too many rows of the file cannot be scored.
    """
    request = RangesRequest.from_json(objects.read(request_ref))
    batch = Batch(request.scoring, objects, request.bucket, notify, now)
    if batch.is_complete:
        return batch.repeat()
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "output"
        model = models.description(request.scoring.model, objects)
        ranges = _downloads(request, objects, Path(scratch) / "range.csv")
        group = request.scoring.group
        result = model.merge_ranges(request.plan, ranges, output, model_group=group, now=now)
        return batch.finish(
            result,
            output,
            source_sha256=request.source_sha256,
            engine="map",
            cost=lambda: total([request.cost_usd, *_costs(request, objects), meter.read()]),
        )


def _costs(request: RangesRequest, objects: ObjectStore) -> Iterator[float | None]:
    """Return what each range cost; None of one that a release before 0.3 has scored."""

    def read(row_range: RowRange) -> float | None:
        try:
            cost: float | None = json.loads(objects.read(request.cost_ref(row_range)))
        except ObjectNotFoundError:
            return None
        return cost

    return in_parallel(read, request.plan.ranges)


def _downloads(request: RangesRequest, objects: ObjectStore, path: Path) -> Iterator[ScoredRange]:
    """Yield the scored ranges in the order of the file; one at a time is on the disk."""
    for row_range in request.plan.ranges:
        objects.download(request.predictions_ref(row_range), path)
        counts = RowCounts.from_json(objects.read(request.counts_ref(row_range)))
        yield ScoredRange(path, counts)
