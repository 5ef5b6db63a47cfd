"""Approval policies for tests: in memory, or as the variables of a function."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.approval.policy.store import Policies, PolicyStore
from mlops.models.approval import StackPolicy
from tests.memory_table import MemoryTable

APPROVERS = ("ada@example.com", "bob@example.com", "eve@example.com")
POLICY_VARIABLES: Mapping[str, str] = {
    "POLICY_TABLE_NAME": "policies",
    "APPROVER_EMAILS": ",".join(APPROVERS),
    "ALLOW_AUTOMATIC_APPROVAL": "off",
    "MINIMUM_APPROVALS": "1",
}


def some_policies(*approvers: str, automatic: bool = False, minimum: int = 1) -> Policies:
    """Policies of a stack with these approvers (default: three), without a record of any group."""
    return Policies(StackPolicy(approvers or APPROVERS, automatic, minimum), PolicyStore(MemoryTable()))
