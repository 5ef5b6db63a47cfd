"""The target of a schedule is called only when its role allows it, with the context attributes filled in."""

import logging
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import new_uuid

from local.authorization import decide
from local.emulator import wrap

logger = logging.getLogger("local.schedule_role")
ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "states": "states:StartExecution",
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "events": "events:PutEvents",
}


def install() -> None:
    """Evaluate the role before each call of a schedule."""
    wrap("eventbridge._invoke_target", _as_scheduled)


def with_context_attributes(text: str, schedule: dict[str, Any], fired_at: datetime) -> str:
    """Return a target's input with the context attributes of EventBridge Scheduler filled in."""
    attributes = {
        "schedule-arn": schedule.get("Arn", ""),
        "scheduled-time": fired_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": new_uuid(),
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def _as_scheduled(original: Any) -> Any:
    def invoke(
        target: dict[str, Any], event: dict[str, Any], rule: Any, *arguments: Any, **keywords: Any
    ) -> Any:
        if event.get("Source") == "aws.scheduler" and "ScheduleExpression" in (rule or {}):
            action = ACTIONS.get(str(target["Arn"]).split(":")[2])
            if action is not None:
                decision = decide(target["RoleArn"], "scheduler.amazonaws.com", action, target["Arn"])
                if not decision.allowed:
                    logger.warning("The schedule %s was not allowed: %s", rule.get("Name"), decision.message)
                    return None
            filled = with_context_attributes(target.get("Input") or "", rule, datetime.now(UTC))
            target = {**target, "Input": filled} if filled else target
        return original(target, event, rule, *arguments, **keywords)

    return invoke
