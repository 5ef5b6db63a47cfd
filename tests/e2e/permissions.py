"""What the roles of the deployed application were allowed and denied, by the names of the template."""

from __future__ import annotations

import re

from local.stack import DeployedStack
from tests.e2e.faults import ABSENT_TABLE
from tests.infrastructure import template as t

# On AWS, SNS uses the topic's key in the name of the publisher, Lambda writes dead letters in the name of
# the function, and EventBridge Scheduler encrypts them in the name of the schedule; local topics, queues and
# secrets are not encrypted, and local dead letters need no permission.
UNSEEN = {
    *("EncryptMails", "EncryptFailedEvents", "EncryptMessages", "DecryptMessages"),
    *("KeepDeadLetters", "EncryptDeadLetters", "ReadEncryptedKeys"),
}


def role_of(owner: str) -> str:
    """The logical id of a role by that of its function, state machine or of itself.

    A function for compiled models has the policy of the other one (a test of the template), so what is seen
    of either counts for both.
    """
    return (owner if owner.endswith("Role") else f"{owner}Role").replace("CompiledFunction", "Function")


def statements_of(*owners: str) -> set[tuple[str, str]]:
    """(Role, Sid) of the statements of these owners."""
    return {(role_of(owner), statement["Sid"]) for owner, statement in t.statements() if owner in owners}


def declared_statements() -> set[tuple[str, str]]:
    """(Role, Sid) of every statement of a role, by logical id; a managed policy is attached to people."""
    people = t.resources("AWS::IAM::ManagedPolicy")
    return {(role_of(owner), statement["Sid"]) for owner, statement in t.statements() if owner not in people}


def logical_role(role: str | None) -> str | None:
    """The logical id in a role's generated name."""
    actual = re.fullmatch(r"mlops-local-(\w+)-\w+", role or "")
    return actual.group(1) if actual else None


def decisive_statements(stack: DeployedStack) -> set[tuple[str, str]]:
    """(Role, Sid) of the statements without which something that was allowed would have been denied."""
    return {
        (role_of(role), d["statements"][0]["sid"])
        for d in stack.cloud.iam_decisions()
        if d["allowed"] and len(d["statements"]) == 1 and (role := logical_role(d["role"]))
    }


def readers_of_models(stack: DeployedStack, group: str) -> set[str]:
    """The functions that have read a model of the group."""
    roles = {
        logical_role(d["role"]) or ""
        for d in stack.cloud.iam_decisions()
        if d["action"].startswith("s3:GetObject") and f"/training/{group}/" in d["resource"]
    }
    return {role.removesuffix("FunctionRole") for role in roles if role.endswith("FunctionRole")}


def denied_actions(stack: DeployedStack) -> set[tuple[str, str, str]]:
    """Role, action and resource of everything that a role of the template was denied."""
    return {
        (role, d["action"], d["resource"])
        for d in stack.cloud.iam_decisions()
        if not d["allowed"]
        and (role := logical_role(d["role"]))
        and not d["resource"].endswith(f"/{ABSENT_TABLE}")
        # a test calls the predict API with the role of a function that may not
        and d["action"] != "execute-api:Invoke"
    }
