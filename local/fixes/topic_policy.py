"""The policy that a new SNS topic has.

AWS: its statement allows everybody, under the condition that `AWS:SourceOwner` is the account; no call of an
IAM role carries that key, so a role needs a statement of its own.
MiniStack 1.5.33: leaves the condition out, so that every role of the account may publish, and a missing
`sns:Publish` is not noticed.
Here: the condition is added to topics that still have the default policy.
"""

import json
from typing import Any

from ministack.services import sns
from ministack.services.cloudformation import provisioners

from local.emulator import wrap

_DEFAULT_SID = "__default_statement_ID"


def install() -> None:
    """Complete the default policy after each creation."""
    wrap(sns, "_create_topic", _completing)
    wrap(provisioners, "_sns_create", _completing)
    provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]["create"] = provisioners._sns_create


def with_owner_condition(policy: str, owner: str) -> str:
    """Return a topic policy whose default statement, if it has one, is bound to the owner."""
    document = json.loads(policy)
    for statement in document.get("Statement", []):
        if statement.get("Sid") == _DEFAULT_SID:
            statement.setdefault("Condition", {"StringEquals": {"AWS:SourceOwner": owner}})
    return json.dumps(document)


def _completing(original: Any) -> Any:
    def create(*arguments: Any, **keywords: Any) -> Any:
        answer = original(*arguments, **keywords)
        for topic in sns._topics.values():
            attributes = topic["attributes"]
            if _DEFAULT_SID in attributes.get("Policy", ""):
                attributes["Policy"] = with_owner_condition(attributes["Policy"], attributes["Owner"])
        return answer

    return create
