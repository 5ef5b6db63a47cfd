"""The default policy of a topic gets the condition that it has on AWS."""

import json
from typing import Any

from ministack.services import sns

from local.emulator import wrap

_DEFAULT_SID = "__default_statement_ID"


def install() -> None:
    """Complete the default policy after each creation."""
    wrap("sns._create_topic", _completing)
    for verb in ("create", "update"):
        wrap(f"provisioners._RESOURCE_HANDLERS[AWS::SNS::Topic][{verb}]", _completing)


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
