"""What a person must do for a deployed stack to work: each check looks at one thing, and says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.infrastructure.aws.account.lambda_functions import concurrency_limit
from mlops.infrastructure.aws.account.logs import groups_kept_forever
from mlops.infrastructure.aws.account.service_quotas import quota_value
from mlops.infrastructure.aws.clients import aws_errors
from mlops.infrastructure.aws.sns import email_subscriptions
from mlops.infrastructure.aws.sqs import count_letters
from mlops.infrastructure.aws.stepfunctions import running_executions
from mlops.models.record import Record
from mlops.use_cases.champion_versions import StoppedChampion

# The state machine of parts surveys up to 40 parts at once; the pages and the intake need some as well.
MIN_CONCURRENCY = 50
# A job may run or wait for two days, a search for seven.
_WORK = timedelta(days=10)
NOTHING_TO_DO = "Nothing to do."
_REQUEST = "Request an increase in the Service Quotas console."


@dataclass(frozen=True, slots=True)
class StackFacts:
    """What the checks need to know of a stack: its resources, two of its parameters, and the time.

    `stopped_champions` looks for champions that its layers cannot load.
    """

    topic_arns: Sequence[str]
    dead_letter_queues: Mapping[str, str]
    state_machine_arns: Sequence[str]
    approval_timeout_seconds: int
    training_instance_type: str
    now: datetime
    stopped_champions: Callable[[], Iterable[StoppedChampion]] = tuple


@dataclass(frozen=True, slots=True)
class Diagnosis(Record):
    """The result of one check; a fault has the `remedy` that a person applies."""

    check: str
    is_fault: bool
    message: str
    remedy: str = ""


def examine(facts: StackFacts) -> list[Diagnosis]:
    """Run every check."""
    return [diagnosis for check in CHECKS for diagnosis in run_check(check, facts)]


def run_check(name: str, facts: StackFacts) -> list[Diagnosis]:
    """Return the faults that one of `CHECKS` finds, or that there is none."""
    faults = (
        Diagnosis(name, is_fault=True, message=message, remedy=remedy)
        for message, remedy in CHECKS[name](facts)
    )
    return unless_refused(name, faults) or [Diagnosis(name, is_fault=False, message=NOTHING_TO_DO)]


def unless_refused(name: str, diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Return what a check finds, or a fault of its own when AWS refuses it, so that the others go on."""
    try:
        return list(diagnoses)
    except aws_errors() as error:
        return [Diagnosis(name, is_fault=True, message=f"Not checked: {error}", remedy="Check it yourself.")]


def _subscriptions(facts: StackFacts) -> Iterator[tuple[str, str]]:
    for topic in facts.topic_arns:
        subscriptions = email_subscriptions(topic)
        name = topic.rpartition(":")[2]
        if not subscriptions:
            yield (
                f"No one has subscribed to {name}.",
                f"aws sns subscribe --topic-arn {topic} --protocol email ...",
            )
        for subscription in subscriptions:
            if not subscription.is_confirmed:
                message = f"{subscription.address} has not confirmed the subscription to {name}."
                yield message, "Use `mlops confirm URL` with the link in the email."
            elif not subscription.is_protected:
                message = f"A link in an email ends the subscription of {subscription.address} to {name}."
                yield message, "Subscribe again and use `mlops confirm URL`, if a mail scanner opens links."


def _dead_letters(facts: StackFacts) -> Iterator[tuple[str, str]]:
    for name, url in facts.dead_letter_queues.items():
        if n_letters := count_letters(url):
            yield f"{n_letters} in {name}.", f"Read the log of the function, then `mlops replay {name}`."


def _executions(facts: StackFacts) -> Iterator[tuple[str, str]]:
    latest = facts.now - timedelta(seconds=facts.approval_timeout_seconds) - _WORK
    for state_machine in facts.state_machine_arns:
        for arn, started_at in running_executions(state_machine):
            if started_at < latest:
                yield (
                    f"{arn} runs since {started_at:%Y-%m-%d}.",
                    f"aws stepfunctions stop-execution --execution-arn {arn}",
                )


def _job_quotas(facts: StackFacts) -> Iterator[tuple[str, str]]:
    for use in ("training job", "processing job"):
        name = f"{facts.training_instance_type} for {use} usage"
        if not quota_value("sagemaker", name):
            yield f"The SageMaker quota {name!r} is 0 or is not listed.", _REQUEST


def _concurrency(_: StackFacts) -> Iterator[tuple[str, str]]:
    if (limit := concurrency_limit()) < MIN_CONCURRENCY:
        yield f"At most {limit} functions run at once; folders of parts need {MIN_CONCURRENCY}.", _REQUEST


def _log_retention(_: StackFacts) -> Iterator[tuple[str, str]]:
    for group in groups_kept_forever("/aws/sagemaker/"):
        command = f"aws logs put-retention-policy --log-group-name {group} --retention-in-days 90"
        yield f"{group} is kept for ever.", command


def _champions(facts: StackFacts) -> Iterator[tuple[str, str]]:
    for stopped in facts.stopped_champions():
        yield (
            f"{stopped.group} {stopped.version} does not score: it was made with {stopped.problem}.",
            f"`mlops retrain {stopped.group}`, or deploy the release before.",
        )


CHECKS: Mapping[str, Callable[[StackFacts], Iterator[tuple[str, str]]]] = {
    "subscriptions": _subscriptions,
    "dead letters": _dead_letters,
    "executions": _executions,
    "quotas of jobs": _job_quotas,
    "concurrency": _concurrency,
    "log retention": _log_retention,
    "champions": _champions,
}
