"""The records of retrainings in the registry's table.

Items of a group share the partition `GROUP#<group>`: `RETRAINING#<id>` for each retraining, and
`RETRAININGS`, which refers to the newest one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mlops.infrastructure.table import Absent, OneOf, Put, Table
from mlops.models.intake.retraining import Retraining


@dataclass(frozen=True, slots=True)
class RetrainingStore:
    """The retrainings of all groups."""

    table: Table

    def add(self, retraining: Retraining, after: Retraining | None) -> bool:
        """Store a new retraining as the newest one; False when `after` is not the newest any more."""
        head = {"pk": _partition(retraining.group), "sk": "RETRAININGS", "newest": retraining.retraining_id}
        condition = OneOf("newest", (after.retraining_id,)) if after else Absent()
        return self.table.write(Put(head, condition), Put(_item(retraining), Absent()))

    def save(self, retraining: Retraining, **changes: Any) -> Retraining:
        """Store changes of a retraining; when another run changed it meanwhile, return what that stored."""
        changed = replace(retraining, revision=retraining.revision + 1, **changes)
        if self.table.write(Put(_item(changed), OneOf("revision", (retraining.revision,)))):
            return changed
        return self.find(retraining.group, retraining.retraining_id) or retraining

    def find(self, group: str, retraining_id: str) -> Retraining | None:
        """Return a retraining; None when there is none of that id."""
        item = self.table.get(_partition(group), f"RETRAINING#{retraining_id}")
        return Retraining.from_json(item["document"]) if item else None

    def newest(self, group: str) -> Retraining | None:
        """Return the newest retraining of a group; None before the first."""
        head = self.table.get(_partition(group), "RETRAININGS")
        return self.find(group, head["newest"]) if head else None


def retraining_id_at(now: datetime, champion: str) -> str:
    """Return the id of a retraining that is made now; ids sort by time."""
    return f"{now:%Y%m%dT%H%M%S%f}-{champion}"


def _item(retraining: Retraining) -> dict[str, Any]:
    return {
        "pk": _partition(retraining.group),
        "sk": f"RETRAINING#{retraining.retraining_id}",
        "revision": retraining.revision,
        "document": retraining.to_json(),
    }


def _partition(group: str) -> str:
    return f"GROUP#{group}"
