"""`mlops.train`: a model from a DataFrame, for a notebook or a script."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pandas as pd

from mlops.models.drift.report import DriftReport
from mlops.models.errors import SettingsError
from mlops.models.metrics import metric_definition, metric_value
from mlops.models.output_columns import PREDICTION_COLUMN
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics, TrainingResult
from mlops.monitoring.detect_drift import detect_drift
from mlops.pages.rendering import in_frame
from mlops.pipelines.artifact_files import MANIFEST, MODEL_CARD
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline


def train(
    data: pd.DataFrame | str | Path,
    target: str | None = None,
    *,
    settings: GroupSettings | Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    champion: TrainedModel | str | Path | None = None,
    n_jobs: int | None = None,
) -> TrainedModel:
    """Train a model on a DataFrame or a file, and score it on held-out rows.

    The stages are logged by the logger `mlops` at the level INFO.

    Parameters
    ----------
    data
        The rows with the target, as a DataFrame; or a CSV file.
    target
        The column to predict; by default the one of `settings`, or the last one with a usual name.
    settings
        The settings of `model.toml`, as `GroupSettings` or as a mapping.
    output
        The model directory to write; by default a temporary one, deleted with the returned object.
    champion
        A model to compare with on the same held-out rows.
    n_jobs
        The cores to use, None for all that the process may use. They change no result.

    Raises
    ------
    SettingsError
        If a setting is unknown, the target is not a column, or `output` contains a model already.
    DatasetError, TrainingError
        If nothing can be learned from the rows; the sentence says what to change.
    """
    if isinstance(data, pd.DataFrame) and target is not None and target not in data.columns:
        raise SettingsError(f"The target {target!r} is not a column of the data frame.")
    pipeline = TrainingPipeline(_with_target(settings, target), n_jobs=n_jobs)
    if output is not None and (Path(output) / MANIFEST).exists():
        raise SettingsError(f"{output} contains a model already: name another directory.")
    before = champion.directory if isinstance(champion, TrainedModel) else champion
    directory = Path(mkdtemp(prefix="mlops-model-") if output is None else output)
    try:
        result = pipeline.execute(data, directory, champion_path=before)
    except BaseException:
        if output is None:
            shutil.rmtree(directory, ignore_errors=True)
        raise
    has_numbers = isinstance(data, pd.DataFrame) and pd.api.types.is_numeric_dtype(data[result.target])
    return TrainedModel(result, labels_are_numbers=has_numbers, is_temporary=output is None)


class TrainedModel:
    """A trained model: its result, its scikit-learn pipeline, and the predictions that it makes.

    Parameters
    ----------
    result
        What the training returned.
    labels_are_numbers
        Whether the classes were numbers, so that predictions are numbers as well.
    is_temporary
        Whether the model directory is deleted with this object.
    """

    def __init__(
        self,
        result: TrainingResult,
        *,
        labels_are_numbers: bool = False,
        is_temporary: bool = False,
    ) -> None:
        self.result = result
        self._labels_are_numbers = labels_are_numbers
        self._scorer: InferencePipeline | None = None
        if is_temporary:
            weakref.finalize(self, shutil.rmtree, result.model_path, ignore_errors=True)

    @property
    def directory(self) -> Path:
        """The model directory, with the model card and the statistics of the training rows."""
        return self.result.model_path

    @property
    def metrics(self) -> EvaluationMetrics:
        """The scores on held-out rows."""
        return self.result.metrics

    @property
    def model(self) -> Any:
        """The fitted scikit-learn `Pipeline` of `preprocessing` and `estimator`, read from the directory.

        The file is a skops file. Only types that skops trusts, those of scikit-learn and NumPy, and
        three more are read: `numpy.dtype`, and the trees of scikit-learn's gradient boosting and forests.
        Its features are numbers and categories as `InferencePipeline` prepares them; `predict` prepares rows.

        Raises
        ------
        ArtifactError
            If a file of the directory was changed.
        """
        _, manifest = artifacts.load_model(self.directory)
        return artifacts.load_pipeline(manifest, self.directory)

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Predict rows, with the checks of a file to score.

        Returns
        -------
        DataFrame
            A row for each row, with the same index: ids, `prediction`, a probability for each class or an
            interval, and `row_status`, which says why a row has no prediction.

        Raises
        ------
        DatasetError
            If a column that the model needs is missing, or too many rows cannot be scored.
        """
        if self._scorer is None:
            self._scorer = InferencePipeline(self.directory)
        with TemporaryDirectory(prefix="mlops-predictions-") as directory:
            scored = self._scorer.execute(rows, directory)
            texts = pd.read_csv(scored.predictions_path, dtype=str, keep_default_na=False, na_values=[""])
        numbers = {"row", *scored.columns.numbers}
        if self.result.task == "regression" or self._labels_are_numbers:
            numbers.add(PREDICTION_COLUMN)
        for name in numbers & set(texts.columns):
            texts[name] = _as_numbers(texts[name])
        texts.index = rows.index
        return texts

    def detect_drift(self, rows: pd.DataFrame, *, threshold: float = 0.1) -> DriftReport:
        """Compare rows with the training rows; see `mlops.detect_drift`."""
        return detect_drift(self.result.baseline, rows, threshold=threshold)

    def save(self, directory: str | Path) -> Path:
        """Copy the model directory to a new directory, for `mlops score` or a registry, and return it.

        Raises
        ------
        FileExistsError
            If the directory exists.
        """
        return Path(shutil.copytree(self.directory, directory))

    def __repr__(self) -> str:
        primary = self.metrics.primary_score
        score = f", {metric_definition(primary[0]).label} {metric_value(*primary)}" if primary else ""
        rows = f"{self.result.n_rows_train:,} + {self.result.n_rows_test:,} rows"
        return f"TrainedModel({self.result.algorithm} for {self.result.target}{score}, {rows})"

    def _repr_html_(self) -> str:
        """Return the model card, which a notebook shows."""
        return in_frame((self.directory / MODEL_CARD).read_text(encoding="utf-8"))


def _with_target(
    settings: GroupSettings | Mapping[str, Any] | None, target: str | None
) -> GroupSettings | Mapping[str, Any]:
    if target is None:
        return settings or {}
    document = settings.to_dict() if isinstance(settings, GroupSettings) else dict(settings or {})
    return {**document, "target": target}


def _as_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as numbers; as it was, where a pooled class has a name that is not a number."""
    try:
        return pd.to_numeric(column)
    except ValueError:
        return column
