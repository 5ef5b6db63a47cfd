"""Rows of one request are scored with the champion of the moment, and handed on to the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from mlops.ledger.batches import ScoredBatch
from mlops.ledger.requests import FILE, batch_id_of, split_request
from mlops.models.errors import FeatureStoreError, ModelNotFoundError, RequestError, RequestTooLargeError
from mlops.models.registered import Champions
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.answer import MAX_ANSWER_BYTES, PredictionAnswer, PredictionRequest
from mlops.models.scoring.scored_table import ScoredTable
from mlops.models.settings.columns import FeatureSettings
from mlops.pipelines.inference_pipeline import InferencePipeline


@dataclass(frozen=True, slots=True)
class Predictor:
    """Answers requests.

    Parameters
    ----------
    champions
        What names the version to score with.
    load
        Returns the pipeline of a version; it is called for each request, so it should keep what it loads.
    send
        Takes a message for the ledger; an answer is returned only after all of them were taken.
    now
        The clock.
    add_features
        Adds the newest values of the features of a service to rows.
    """

    champions: Champions
    load: Callable[[ModelMetadata], InferencePipeline]
    send: Callable[[str], None]
    now: Callable[[], datetime]
    add_features: Callable[[Sequence[Mapping[str, Any]], FeatureSettings], Sequence[Mapping[str, Any]]]

    def predict(self, group: str, request: PredictionRequest, request_id: str) -> PredictionAnswer:
        """Score the rows of a request.

        Raises
        ------
        ModelNotFoundError
            If the group has no champion.
        ArtifactError
            If the champion cannot be loaded.
        RequestError
            If the rows cannot be read, or lack a column.
        RequestTooLargeError
            If the answer has too many bytes.
        """
        champion = self.champions.champion(group)
        if champion is None:
            raise ModelNotFoundError(
                f"The group {group} does not exist or has no model in service; `mlops groups` lists the "
                "groups, and a model is in service after its approval."
            )
        rows = self._with_features(request.rows, champion.settings.features)
        table = self.load(champion).predict(rows, reasons=request.reasons)
        answer = PredictionAnswer(request_id, group, champion.version, tuple(table.documents()))
        if (size := len(json.dumps(json.dumps(answer.to_dict())))) > MAX_ANSWER_BYTES:
            raise RequestTooLargeError(f"The answer would have {size:,} bytes. Send fewer rows at once.")
        if request.record:
            self._record(table, request, answer)
        return answer

    def _with_features(
        self, rows: Sequence[Mapping[str, Any]], settings: FeatureSettings
    ) -> Sequence[Mapping[str, Any]]:
        if settings.service is None:
            return rows
        try:
            return self.add_features(rows, settings)
        except FeatureStoreError as error:
            raise RequestError(str(error)) from error

    def _record(self, table: ScoredTable, request: PredictionRequest, answer: PredictionAnswer) -> None:
        batch = ScoredBatch(
            group=answer.group,
            batch_id=batch_id_of(answer.request_id),
            file=FILE,
            model_version=answer.model_version,
            scored_at=self.now(),
            input_digest=sha256(json.dumps(request.rows, sort_keys=True).encode()).hexdigest(),
        )
        for message in split_request(batch, table):
            self.send(message.to_message())
