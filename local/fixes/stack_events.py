"""A change of a stack's status is published as an event, as rules on the creation of a stack expect it."""

import json
from typing import Any

from ministack.services import eventbridge

from local.emulator import wrap

_STACK = "AWS::CloudFormation::Stack"


def install() -> None:
    """Publish each status that is recorded of a stack itself."""
    wrap("stacks._add_event", _publishing)


def _publishing(original: Any) -> Any:
    def add_event(*arguments: Any, **keywords: Any) -> Any:
        recorded = original(*arguments, **keywords)
        stack_id, stack_name, logical_id, resource_type, status, *_ = arguments
        if resource_type == _STACK and logical_id == stack_name:
            detail = {"stack-id": stack_id, "status-details": {"status": status, "status-reason": ""}}
            entry = {
                "Source": "aws.cloudformation",
                "DetailType": "CloudFormation Stack Status Change",
                "Detail": json.dumps(detail),
                "Resources": [stack_id],
            }
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
        return recorded

    return add_event
