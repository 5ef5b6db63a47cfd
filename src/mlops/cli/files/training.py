"""`mlops train`: one model on the command line, to a directory or into the registry."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from mlops.cli.commands import COMMANDS
from mlops.cli.exit_codes import ExitCode
from mlops.cli.files.paths import local_path
from mlops.cli.files.progress import showing_progress
from mlops.context.files import FilesContext
from mlops.models.errors import SettingsError, TrainingError
from mlops.models.metrics import metric_definition, metric_interval, metric_value
from mlops.models.registry import ModelMetadata, Status
from mlops.models.settings.group import GroupSettings
from mlops.models.training import GateCheck, TrainingResult

_TO_DIRECTORY = ("champion", "overwrite")


def add_parser(subparsers: Any) -> None:
    """Add the command; it sets `run`, which returns the exit status."""
    train = subparsers.add_parser(
        "train",
        description=f"{COMMANDS['train'].description} With --output it becomes a model directory; with "
        "--register a version of a group on plain files, with dataset, run and comparison with the champion.",
    )
    train.add_argument("file", type=local_path, help="the CSV file, or a directory that contains one")
    target = train.add_mutually_exclusive_group(required=True)
    target.add_argument("--output", type=Path, metavar="DIR", help="the model directory to write")
    target.add_argument(
        "--register", metavar="GROUP", help="register the model as the next version of a group"
    )
    train.add_argument("--settings", type=Path, metavar="model.toml", help="settings of the model group")
    train.add_argument(
        "-j", "--jobs", type=int, metavar="N", help="cores to use (default: all that the process may use)"
    )
    train.add_argument("--json", action="store_true", help="print the whole result, gate included, as JSON")
    directory = train.add_argument_group("with --output")
    directory.add_argument(
        "--overwrite", action="store_true", help="replace the model that the directory contains"
    )
    directory.add_argument(
        "--champion", type=Path, metavar="DIR", help="a model directory to compare with, on the same rows"
    )
    registry = train.add_argument_group("with --register")
    registry.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help="directory of model-registry/, datasets/, experiment-runs/, models/ (default: the current one)",
    )
    train.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train, and print the result; the exit code says whether the gate rejects the model, stderr why.

    Raises
    ------
    SettingsError
        If an option does not go with the place of the model.
    TrainingError
        If the output directory contains a model, without `--overwrite`.
    """
    _check_options(arguments)
    settings = _settings(arguments.settings)
    with showing_progress():
        result, model = _train(arguments, settings)
    print(result.to_json().rstrip() if arguments.json else _describe(result, model))  # noqa: T201
    if all(check.passed for check in _checks(result)):
        return 0
    reasons = " ".join(check.message for check in _checks(result) if not check.passed)
    written = f"{model.version} was registered" if model else "the model was written"
    sys.stderr.write(f"mlops: {written}, but the gate rejects it: {reasons}\n")
    return ExitCode.NOT_PASSED


def _check_options(arguments: argparse.Namespace) -> None:
    if arguments.register is None:
        if arguments.root is not None:
            raise SettingsError("--root goes with --register; the model directory is named by --output.")
        if not arguments.overwrite:
            _check_no_model(arguments.output)
        return
    for name in _TO_DIRECTORY:
        if getattr(arguments, name):
            raise SettingsError(
                f"--{name} goes with --output: with --register each version has a directory of its own, and "
                "is compared with the champion of the group."
            )


def _train(
    arguments: argparse.Namespace, settings: GroupSettings
) -> tuple[TrainingResult, ModelMetadata | None]:
    if arguments.register is not None:
        context = FilesContext(arguments.root or Path())
        training = context.training(arguments.register, settings, n_jobs=arguments.jobs)
        return training.train(arguments.register, arguments.file, settings)
    from mlops.pipelines.training_pipeline import TrainingPipeline

    pipeline = TrainingPipeline(settings, n_jobs=arguments.jobs)
    return pipeline.execute(arguments.file, arguments.output, champion_path=arguments.champion), None


def _check_no_model(output: Path) -> None:
    from mlops.pipelines.artifact_files import MANIFEST

    if (output / MANIFEST).exists():
        raise TrainingError(
            f"{output} contains a model already: name another directory, or replace it with --overwrite."
        )


def _settings(path: Path | None) -> GroupSettings:
    if path is None:
        return GroupSettings()
    if not path.is_file():
        raise SettingsError(f"The settings file {path} does not exist.")
    return GroupSettings.from_toml(path.read_text(encoding="utf-8"))


def _checks(result: TrainingResult) -> tuple[GateCheck, ...]:
    return result.gate.checks if result.gate else ()


def _describe(result: TrainingResult, model: ModelMetadata | None) -> str:
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
    return "\n".join([*lines, *_where(result, model)])


def _where(result: TrainingResult, model: ModelMetadata | None) -> list[str]:
    """Say where the model is, and what to do next with a version."""
    lines = [f"Model: {result.model_path}"]
    if model is None:
        return lines
    group, version = model.model_group, model.version
    lines.append(f"Registered: {group} {version}, {model.status}")
    if model.status is Status.REGISTERED:
        lines += [f"Next: mlops {verb} {group} {version} --reason TEXT" for verb in ("approve", "promote")]
    return lines
