"""The approval policies of a deployed stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlops.approval.policy.store import Policies, PolicyStore
from mlops.infrastructure import environment
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.models.approval import StackPolicy


@dataclass(frozen=True, slots=True)
class _PolicySettings:
    """The variables that are read; addresses are separated by commas, empty ones do not count.

    `allow_automatic_approval` is `on` or `off`.
    """

    policy_table_name: str
    approver_emails: str
    allow_automatic_approval: str
    minimum_approvals: int


def policies_of_stack(variables: Mapping[str, str]) -> Policies:
    """Return the policies: the parameters of the stack, and the record of each group."""
    settings = environment.read(_PolicySettings, variables)
    stack = StackPolicy(
        tuple(filter(None, settings.approver_emails.split(","))),
        settings.allow_automatic_approval == "on",
        settings.minimum_approvals,
    )
    return Policies(stack, policies_of_table(settings.policy_table_name))


def policies_of_table(table_name: str) -> PolicyStore:
    """Return the policy records of all groups."""
    return PolicyStore(DynamoDBTable(table_name))
