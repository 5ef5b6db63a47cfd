"""`mlops train` and `mlops score`: the pipelines on the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mlops.cli.commands import COMMANDS
from mlops.cli.exit_codes import ExitCode
from mlops.cli.files.paths import local_path
from mlops.context.files import FilesContext
from mlops.infrastructure.clock import utc_now
from mlops.models.errors import SettingsError, TrainingError
from mlops.models.metrics import metric_definition, metric_interval, metric_value
from mlops.models.scoring.result import InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.models.training import GateCheck, TrainingResult
from mlops.monitoring.report.report_text import verdict_line


def add_parser(subparsers: Any) -> None:
    """Add the two commands; each sets `run`, which returns the exit status."""
    train = subparsers.add_parser("train", description=COMMANDS["train"].description)
    train.add_argument("file", type=local_path, help="the CSV file, or a directory that contains one")
    train.add_argument("--output", type=Path, required=True, help="the model directory to write")
    train.add_argument("--overwrite", action="store_true", help="replace the model that --output contains")
    train.add_argument("--settings", type=Path, help="settings of the model group, a model.toml")
    train.add_argument("--champion", type=Path, help="a model directory to compare with, on the same rows")
    train.add_argument("--json", action="store_true", help="print the whole result, gate included, as JSON")
    train.set_defaults(run=run_train)
    score = subparsers.add_parser("score", description=COMMANDS["score"].description)
    score.add_argument("model", type=local_path, help="the model directory")
    score.add_argument("file", type=local_path, help="the CSV file, or a directory that contains one")
    score.add_argument(
        "--output", type=Path, required=True, help="the directory to write predictions and reports to"
    )
    score.add_argument("--json", action="store_true", help="print the whole result as JSON")
    ledger = score.add_argument_group("ledger", "Both together also record the predictions.")
    ledger.add_argument("--root", type=Path, metavar="DIR", help="directory of model-registry/ and ledger/")
    ledger.add_argument("--group", help="a group of that registry")
    score.set_defaults(run=run_score)


def run_train(arguments: argparse.Namespace) -> int:
    """Train, and print the result; the exit code says whether the gate rejects the model, stderr why.

    Raises
    ------
    TrainingError
        If the output directory contains a model, without `--overwrite`.
    """
    from mlops.pipelines.training_pipeline import TrainingPipeline  # noqa: PLC0415  imports scikit-learn

    if not arguments.overwrite:
        _check_no_model(arguments.output)
    settings = _settings(arguments.settings)
    pipeline = TrainingPipeline(settings)
    result = pipeline.execute(arguments.file, arguments.output, champion_path=arguments.champion)
    print(result.to_json().rstrip() if arguments.json else _describe_training(result))  # noqa: T201
    if all(check.passed for check in _checks(result)):
        return 0
    reasons = " ".join(check.message for check in _checks(result) if not check.passed)
    sys.stderr.write(f"mlops: the model was written, but the gate rejects it: {reasons}\n")
    return ExitCode.NOT_PASSED


def run_score(arguments: argparse.Namespace) -> int:
    """Score, and print where the predictions are and whether the inputs have drifted."""
    from mlops.pipelines.inference_pipeline import UNREGISTERED, InferencePipeline  # noqa: PLC0415

    context = _context_of_ledger(arguments)
    version = _registered_version(arguments, context) if context else None
    pipeline = InferencePipeline(arguments.model, model_version=version or UNREGISTERED)
    result = pipeline.execute(arguments.file, arguments.output)
    if context is not None:
        _record(result, arguments, context)
    print(result.to_json() if arguments.json else _describe_scoring(result))  # noqa: T201
    return 0


def _check_no_model(output: Path) -> None:
    from mlops.pipelines.artifacts.artifacts import MANIFEST  # noqa: PLC0415

    if (output / MANIFEST).exists():
        raise TrainingError(
            f"{output} contains a model already: name another directory, or replace it with --overwrite."
        )


def _context_of_ledger(arguments: argparse.Namespace) -> FilesContext | None:
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
    return context


def _registered_version(arguments: argparse.Namespace, context: FilesContext) -> str | None:
    """Return the newest version of the group with the bytes of this model; None where there is none."""
    from mlops.registry.artifacts import describe_artifact  # noqa: PLC0415

    digest = describe_artifact(str(arguments.model)).sha256
    models = context.registry.list_models(arguments.group)
    return next((model.version for model in reversed(models) if model.artifact.sha256 == digest), None)


def _record(result: InferenceResult, arguments: argparse.Namespace, context: FilesContext) -> None:
    from mlops.dataset.validation.reading import find_table  # noqa: PLC0415
    from mlops.use_cases.record_predictions import record_scoring  # noqa: PLC0415

    record_scoring(result, find_table(arguments.file), arguments.group, context.ledger, utc_now())


def _settings(path: Path | None) -> GroupSettings:
    if path is None:
        return GroupSettings()
    if not path.is_file():
        raise SettingsError(f"The settings file {path} does not exist.")
    return GroupSettings.from_toml(path.read_text(encoding="utf-8"))


def _checks(result: TrainingResult) -> tuple[GateCheck, ...]:
    return result.gate.checks if result.gate else ()


def _describe_training(result: TrainingResult) -> str:
    metrics = result.metrics
    lines = [
        f"{result.algorithm} for {result.target} ({result.task}), {len(result.features)} features; "
        f"{result.n_rows_train:,} rows to train on, {result.n_rows_test:,} held out {result.split}.",
        "",
        f"{'score':<52}{'value':>12}  {'95 % interval':<26}{'dummy':>12}",
    ]
    for name, value in metrics.values().items():
        interval = metric_interval(name, metrics.intervals.get(name, (value, value)))
        dummy = metric_value(name, metrics.dummy[name]) if name in metrics.dummy else ""
        label = metric_definition(name).label
        lines.append(f"{label:<52}{metric_value(name, value):>12}  {interval:<26}{dummy:>12}")
    if (error := metrics.expected_calibration_error) is not None:
        lines.append(f"{'Expected calibration error (lower is better)':<52}{error:>12.4f}")
    lines += ["", *(f"Left out: {name} ({reason})." for name, reason in result.dropped_columns.items())]
    lines += [f"Warning: {warning}" for warning in result.warnings]
    lines += [
        f"Gate, {'passed' if check.passed else 'not passed'}: {check.message}" for check in _checks(result)
    ]
    return "\n".join([*lines, f"Model: {result.model_path}"])


def _describe_scoring(result: InferenceResult) -> str:
    n_scored, n_bad = result.data_quality.n_scored, result.n_rows - result.data_quality.n_scored
    more = f", {n_bad:,} without a prediction" if n_bad else ""
    lines = [f"{n_scored:,} rows scored{more}: {result.predictions_path}"]
    lines += [f"Finding: {finding}" for finding in result.data_quality.findings]
    if result.drift_report is not None:
        drift = result.drift_report
        lines.append(f"Drift: {verdict_line(drift)}")
        lines += [f"  {drift.predictions[name].description}" for name in drift.predictions_with_drift]
        lines += [f"  {drift.features[name].description}" for name in drift.features_with_drift]
    return "\n".join(lines)
