"""`mlops score`: score a file with a model directory, or with the champion of a group on plain files."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.cli.commands import COMMANDS
from mlops.cli.files.paths import local_path
from mlops.cli.files.progress import begin_stage, showing_progress
from mlops.context.files import FilesContext
from mlops.infrastructure.clock import utc_now
from mlops.models.errors import ArtifactError, SettingsError
from mlops.models.scoring.result import InferenceResult
from mlops.monitoring.report.report_text import changes_of_reasons, verdict_line

if TYPE_CHECKING:  # imports scikit-learn
    from mlops.pipelines.inference_pipeline import InferencePipeline


def add_parser(subparsers: Any) -> None:
    """Add the command; it sets `run`, which returns the exit status."""
    score = subparsers.add_parser(
        "score",
        description=f"{COMMANDS['score'].description} Predictions of a group are recorded in its ledger.",
    )
    score.add_argument(
        "model", type=local_path, help="the model directory, or a group on plain files: its champion"
    )
    score.add_argument("file", type=local_path, help="the CSV file, or a directory that contains one")
    score.add_argument(
        "--output", type=Path, required=True, help="the directory to write predictions and reports to"
    )
    score.add_argument("--json", action="store_true", help="print the whole result as JSON")
    ledger = score.add_argument_group(
        "ledger", "With a model directory, both together also record the predictions."
    )
    ledger.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help="directory of model-registry/ and ledger/; with a group the default is the current one",
    )
    ledger.add_argument("--group", help="a group of that registry")
    score.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Score, and print where the predictions are and whether the inputs have drifted."""
    with showing_progress():
        begin_stage("Load the model")
        pipeline, recording = _model(arguments)
        begin_stage("Score the rows")
        result = pipeline.execute(arguments.file, arguments.output)
    if recording is not None:
        _record(result, arguments.file, recording)
    print(result.to_json() if arguments.json else _describe(result))  # noqa: T201
    return 0


@dataclass(frozen=True, slots=True)
class _Recording:
    """The group, and the plain files with the ledger, that predictions are recorded for."""

    group: str
    context: FilesContext


def _model(arguments: argparse.Namespace) -> tuple[InferencePipeline, _Recording | None]:
    """Load the model; it is a group when there is no such file and the name has no separator.

    Raises
    ------
    ArtifactError
        If it is neither a model nor a group, or the champion is not what was registered.
    """
    from mlops.pipelines.described_model import UNREGISTERED
    from mlops.pipelines.inference_pipeline import InferencePipeline

    if not arguments.model.exists() and arguments.model.parts == (arguments.model.name,):
        return _champion(arguments)
    recording = _recording(arguments)
    version = _registered_version(arguments, recording) if recording else None
    return InferencePipeline(arguments.model, model_version=version or UNREGISTERED), recording


def _champion(arguments: argparse.Namespace) -> tuple[InferencePipeline, _Recording]:
    from mlops.use_cases.predict.local import load_registered

    group, context = arguments.model.name, FilesContext(arguments.root or Path())
    if arguments.group not in (None, group):
        raise SettingsError(f"The model is the champion of {group}: leave --group out.")
    if group not in context.registry.groups():
        raise ArtifactError(f"{group} is not a model directory. {context.registry.missing_group(group)}")
    champion = context.registry.find_model(group, "champion")
    return load_registered(champion.artifact, champion.version), _Recording(group, context)


def _recording(arguments: argparse.Namespace) -> _Recording | None:
    """Return where the predictions are recorded, None without `--root` and `--group`.

    Raises
    ------
    SettingsError
        If one of the two is missing.
    ModelNotFoundError
        If the registry has no such group.
    """
    if arguments.root is None and arguments.group is None:
        return None
    if arguments.root is None or arguments.group is None:
        raise SettingsError("To record predictions, name both --root and --group.")
    context = FilesContext(arguments.root)
    if arguments.group not in context.registry.groups():
        raise context.registry.missing_group(arguments.group)
    return _Recording(arguments.group, context)


def _registered_version(arguments: argparse.Namespace, recording: _Recording) -> str | None:
    """Return the newest version of the group with the bytes of this model; None where there is none."""
    from mlops.registry.artifacts import describe_artifact

    digest = describe_artifact(str(arguments.model)).sha256
    models = recording.context.registry.list_models(recording.group)
    return next((model.version for model in reversed(models) if model.artifact.sha256 == digest), None)


def _record(result: InferenceResult, file: Path, recording: _Recording) -> None:
    from mlops.dataset.validation.reading import find_table
    from mlops.use_cases.record_predictions import record_scoring

    record_scoring(result, find_table(file), recording.group, recording.context.ledger, utc_now())


def _describe(result: InferenceResult) -> str:
    n_scored, n_bad = result.data_quality.n_scored, result.n_rows - result.data_quality.n_scored
    more = f", {n_bad:,} without a prediction" if n_bad else ""
    lines = [f"{n_scored:,} rows scored{more}: {result.predictions_path}"]
    lines += [f"Finding: {finding}" for finding in result.data_quality.findings]
    if result.drift_report is not None:
        drift = result.drift_report
        lines.append(f"Drift: {verdict_line(drift)}")
        lines += [f"  {drift.predictions[name].description}" for name in drift.predictions_with_drift]
        lines += [f"  {drift.features[name].description}" for name in drift.features_with_drift]
        lines += [f"  {change}" for change in changes_of_reasons(drift)]
    return "\n".join(lines)
