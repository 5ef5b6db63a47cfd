"""Policy records in a table that no function may write: `POLICY#<group>`, every revision is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops.approval.policy.effective import EffectivePolicy, effective_policy
from mlops.infrastructure.table import Absent, OneOf, Put, Table
from mlops.models.approval import PolicyRecord, StackPolicy
from mlops.models.settings.group import GroupSettings


class PolicyStore:
    """The policy of each group: the current revision, and all of them as the audit log."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, group: str) -> PolicyRecord:
        """Return the current revision; revision 0, with the defaults, when none was stored."""
        item = self._table.get(_partition(group), "CURRENT")
        return PolicyRecord.from_json(item["document"]) if item else PolicyRecord(group)

    def put(self, record: PolicyRecord) -> bool:
        """Store the record as the successor of revision `record.revision - 1`, and keep it in the history.

        Returns False, and stores nothing, when another writer stored that revision first.
        """
        is_next = OneOf("revision", (record.revision - 1,)) if record.revision > 1 else Absent()
        return self._table.write(
            Put(_item(record, "CURRENT"), is_next),
            Put(_item(record, f"REVISION#{record.revision:08d}"), Absent()),
        )

    def history(self, group: str) -> list[PolicyRecord]:
        """Return all revisions, oldest first."""
        items = self._table.query(_partition(group), "REVISION#")
        return [PolicyRecord.from_json(item["document"]) for item in items]


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of all groups: the parameters of the stack, and the record of each group."""

    stack: StackPolicy
    store: PolicyStore

    def of(self, group: str, settings: GroupSettings) -> EffectivePolicy:
        """Return what applies to a group with these settings, as its record is now."""
        return effective_policy(self.stack, self.store.get(group), settings)


def _item(record: PolicyRecord, sort: str) -> dict[str, Any]:
    return {
        "pk": _partition(record.group),
        "sk": sort,
        "revision": record.revision,
        "document": record.to_json(),
    }


def _partition(group: str) -> str:
    return f"POLICY#{group}"
