"""Scoring: one table and one model directory in, predictions and a drift report out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import pandas as pd

from mlops.dataset.validation.row_ranges import RowRange, read_range
from mlops.models.errors import RequestError
from mlops.models.scoring.result import InferenceResult
from mlops.models.scoring.scored_table import ScoredTable
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.described_model import UNREGISTERED, DescribedModel
from mlops.pipelines.scoring.batch_rows import BatchTerms, RowScorer
from mlops.pipelines.scoring.predictions_file import scored_table, writing_predictions
from mlops.pipelines.scoring.ranges import RangePlan, ScoredRange
from mlops.pipelines.scoring.reasons import Explainer
from mlops.pipelines.scoring.request_rows import Row, frame_of_rows
from mlops.pipelines.scoring.row_status import columns_of_model
from mlops.pipelines.scoring.rows_to_score import open_rows, with_dates
from mlops.pipelines.scoring.scored_rows import score_pieces

REASONS_OF_A_REQUEST = 3


class InferencePipeline:
    """Scores files with one model, which is loaded once.

    Parameters
    ----------
    model_path
        The model directory; its digests and library versions are checked before it is loaded.
    baseline_path
        The baseline to compare the inputs with; by default the one in the model directory.
    model_version
        What to write beside each prediction; a model that was never registered is "unregistered".

    Attributes
    ----------
    described
        What the directory says of the model: how files are read for it, and the reports about their rows.

    Raises
    ------
    ArtifactError
        If the model must not or cannot be loaded.
    DriftError
        If a baseline is named that cannot be read.
    """

    def __init__(
        self,
        model_path: str | Path,
        baseline_path: str | Path | None = None,
        *,
        model_version: str = UNREGISTERED,
    ) -> None:
        self.described = DescribedModel.read(Path(model_path), baseline_path, version=model_version)
        self._model = self.described.load()

    @property
    def version(self) -> str:
        """What is written beside each prediction."""
        return self.described.version

    def execute(
        self,
        input_path: str | Path | pd.DataFrame,
        output_path: str | Path,
        *,
        model_group: str | None = None,
        settings: GroupSettings | None = None,
        now: datetime | None = None,
    ) -> InferenceResult:
        """Score the rows of a table; a file in pieces, so that memory does not grow with it.

        Writes into `output_path`: `predictions.csv` (a row for each row of the file, in its order, see
        `PredictionColumns`; `predictions.csv.gz` where `[output] compression` or the file is gzip),
        `data_quality.json`, and with a baseline `batch_profile.json`,
        `drift_report.json` and `drift_report.html`. A row with a cell that cannot be read, or without a value
        that must not be missing, has no prediction; its status says why. Quality and drift count all rows.

        Parameters
        ----------
        input_path
            A CSV, a directory that contains one, or a frame; the target column may be absent.
        output_path
            A directory; made when absent.
        model_group
            The group to name in the drift report; by default the one that the model was trained for.
        settings
            `scoring` and `output` of these settings count; by default of those of the training.
        now
            The time to write into the drift report.

        Raises
        ------
        DatasetError
            If the file cannot be read, has no rows, lacks a column that the model needs, or has too many rows
            that cannot be scored (`[scoring] max_bad_share`).
        """
        described = self.described
        terms = described.terms(settings)
        rows = open_rows(input_path, terms, described.schema)
        batch = described.batch_terms(terms.settings, rows)
        scorer = self._scorer(batch)
        with writing_predictions(batch.predictions_in(output_path)) as predictions:
            counts, read = rows.read(lambda pieces: scorer.score(pieces, predictions))
            counts.bad_rows.refuse_too_many(batch.settings.scoring, batch.name)
        return described.report(batch.after(read), counts, Path(output_path), model_group, now)

    def score_range(
        self, plan: RangePlan, row_range: RowRange, input_path: Path, output_path: Path
    ) -> ScoredRange:
        """Score the rows of a range; whether too many of them cannot be scored is decided by the merge.

        Parameters
        ----------
        input_path
            A file that contains the bytes of the range and nothing else.
        output_path
            The file to write the predictions of the range to.
        """
        rows = with_dates(read_range(input_path, row_range, plan.reading), self.described.schema)
        return ScoredRange(output_path, self._scorer(plan.terms).score(rows, output_path))

    def predict(self, rows: Sequence[Row] | Path, *, reasons: bool = False) -> ScoredTable:
        """Score rows that fit into memory; each one has a status, however many cannot be scored.

        Parameters
        ----------
        rows
            Values by column: texts, numbers, truth values; None, or no entry, where a value is missing. Or
            the path of a small file with the rows.
        reasons
            Whether the columns that moved each prediction most are named: as many as the settings of the
            training state, else three.

        Raises
        ------
        RequestError
            If no row names a column that the model needs, a value is none of these, or the model cannot give
            reasons.
        DatasetError
            If the file cannot be scored.
        """
        explainer = self._request_explainer if reasons else None
        if reasons and explainer is None:
            raise RequestError("This model cannot give reasons; send the request without them.")
        described, schema = self.described, self.described.schema
        trained = described.manifest.settings
        output = replace(trained.output, keep_columns=(), reasons=explainer.n_reasons if explainer else 0)
        terms = described.terms(replace(trained, output=output))
        source = rows if isinstance(rows, Path) else frame_of_rows(rows, terms, columns_of_model(schema))
        opened = open_rows(source, terms, schema)
        model, contract = self._model, described.contract
        scored, _ = opened.read(lambda pieces: list(score_pieces(pieces, model, contract, explainer)))
        return scored_table(scored, described.columns(terms.settings, opened), described.version)

    @cached_property
    def _request_explainer(self) -> Explainer | None:
        """What gives the reasons for requests; of a forest it takes long to make."""
        stated = self.described.manifest.settings.output.reasons
        return Explainer.of(self._model, stated or REASONS_OF_A_REQUEST)

    def _scorer(self, batch: BatchTerms) -> RowScorer:
        described, n_reasons = self.described, batch.settings.output.reasons
        explainer = Explainer.of(self._model, n_reasons) if n_reasons else None
        contract, baseline = described.contract, described.baseline
        return RowScorer(self._model, described.version, contract, baseline, batch, explainer)
