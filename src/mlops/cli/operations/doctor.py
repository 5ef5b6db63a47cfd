"""`mlops doctor`: what a person must do for a stack to work."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_command, context_of, write_output
from mlops.cli.exit_codes import ExitCode
from mlops.context.stack import StackContext
from mlops.models.errors import SettingsError

if TYPE_CHECKING:
    from mlops.use_cases.doctor.checks import Diagnosis, StackFacts
    from mlops.use_cases.doctor.usage import UsageFacts

# the functions that score files, and that answer requests, by the names of the template
_SCORING = (
    *("RunInferenceFunction", "RunInferenceCompiledFunction"),
    *("ListRangesFunction", "ScoreRangeFunction", "ScoreRangeCompiledFunction", "MergeRangesFunction"),
)
_PREDICT = ("PredictFunction", "RecordRequestsFunction")


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "doctor", _examine)
    parser.set_defaults(run=_run)


def _run(parsed: argparse.Namespace) -> int:
    """Print the diagnoses and return the exit code: 1 when something needs a person."""
    document, text = _examine(parsed, context_of(parsed))
    write_output(parsed, document, text)
    return ExitCode.NOT_PASSED if any(entry["is_fault"] for entry in document) else ExitCode.OK


def _examine(parsed: argparse.Namespace, context: object) -> tuple[list[dict[str, Any]], str]:
    if not isinstance(context, StackContext):
        raise SettingsError("Plain files need no doctor; name a stack with --stack.")
    from mlops.use_cases.doctor.checks import examine  # noqa: PLC0415  brings boto3
    from mlops.use_cases.doctor.usage import examine_usage  # noqa: PLC0415

    diagnoses = [*examine(_facts(parsed.stack, context)), *examine_usage(_usage(parsed.stack, context))]
    return [diagnosis.to_dict() for diagnosis in diagnoses], "\n".join(map(_line, diagnoses))


def _facts(stack: str, context: StackContext) -> StackFacts:
    from mlops.infrastructure.aws.account import cloudformation  # noqa: PLC0415
    from mlops.infrastructure.aws.sqs import dead_letter_queues  # noqa: PLC0415
    from mlops.use_cases.champion_versions import parse_libraries, stopped_champions  # noqa: PLC0415
    from mlops.use_cases.doctor.checks import StackFacts  # noqa: PLC0415

    libraries = parse_libraries(cloudformation.stack_output(stack, "ScoringLibraries"))
    machines = cloudformation.stack_resources(stack, "AWS::StepFunctions::StateMachine")
    return StackFacts(
        topic_arns=[context.variable("APPROVAL_TOPIC_ARN"), context.variable("NOTIFICATION_TOPIC_ARN")],
        dead_letter_queues=dead_letter_queues(stack),
        state_machine_arns=list(machines.values()),
        approval_timeout_seconds=int(cloudformation.stack_parameter(stack, "ApprovalTimeoutSeconds")),
        training_instance_type=cloudformation.stack_parameter(stack, "TrainingInstanceType"),
        now=context.now(),
        stopped_champions=lambda: stopped_champions(context.registry, context.objects, libraries),
    )


def _usage(stack: str, context: StackContext) -> UsageFacts:
    from mlops.infrastructure.aws.account import cloudformation  # noqa: PLC0415
    from mlops.infrastructure.aws.account.lambda_functions import memory_gb  # noqa: PLC0415
    from mlops.use_cases.doctor.usage import UsageFacts  # noqa: PLC0415

    functions = cloudformation.stack_resources(stack, "AWS::Lambda::Function")
    scoring, predict = (
        {functions[name]: memory_gb(functions[name]) for name in names if name in functions}
        for names in (_SCORING, _PREDICT)
    )
    return UsageFacts(
        buckets={"data": context.data_bucket, "artifact": context.artifact_bucket},
        objects=context.objects,
        metrics_namespace=context.variable("METRICS_NAMESPACE"),
        scoring_gb=scoring,
        predict_gb=predict,
        monthly_budget_usd=float(cloudformation.stack_parameter(stack, "MonthlyBudgetUsd") or 0),
        now=context.now(),
    )


def _line(diagnosis: Diagnosis) -> str:
    from mlops.use_cases.doctor.checks import NOTHING_TO_DO  # noqa: PLC0415

    if not diagnosis.is_fault:
        text = "" if diagnosis.message == NOTHING_TO_DO else f": {diagnosis.message}"
        return f"ok     {diagnosis.check}{text}"
    return f"fault  {diagnosis.check}: {diagnosis.message} {diagnosis.remedy}"
