"""The checks of `mlops doctor` on a deployed stack."""

from __future__ import annotations

from mlops.context.stack import StackContext
from mlops.infrastructure.aws.account import cloudformation
from mlops.infrastructure.aws.account.lambda_functions import memory_gb
from mlops.infrastructure.aws.sqs import dead_letter_queues
from mlops.use_cases.champion_versions import parse_libraries, stopped_champions
from mlops.use_cases.doctor.checks import NOTHING_TO_DO, Diagnosis, StackFacts, examine
from mlops.use_cases.doctor.usage import UsageFacts, examine_usage

# the functions that score files, and that answer requests, by the names of the template
_SCORING = (
    *("RunInferenceFunction", "RunInferenceCompiledFunction"),
    *("ListRangesFunction", "ScoreRangeFunction", "ScoreRangeCompiledFunction", "MergeRangesFunction"),
)
_PREDICT = ("PredictFunction", "RecordRequestsFunction")


def examine_stack(stack: str, context: StackContext) -> list[Diagnosis]:
    """Return the diagnoses of a stack: what a person must do, and what it is used for."""
    return [*examine(_facts(stack, context)), *examine_usage(_usage(stack, context))]


def describe(diagnosis: Diagnosis) -> str:
    """Return the line of a diagnosis, with the remedy of a fault."""
    if not diagnosis.is_fault:
        text = "" if diagnosis.message == NOTHING_TO_DO else f": {diagnosis.message}"
        return f"ok     {diagnosis.check}{text}"
    return f"fault  {diagnosis.check}: {diagnosis.message} {diagnosis.remedy}"


def _facts(stack: str, context: StackContext) -> StackFacts:
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
