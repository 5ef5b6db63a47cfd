"""Requests and offers in a table, one item each: `APPROVAL#<hash>` or `ROLLBACK#<hash>`, of the id."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mlops.infrastructure.table import Absent, Index, OneOf, Put, Table
from mlops.models.approval import ApprovalRequest, RollbackOffer

# A late click still opens a page that explains; the registry's audit log keeps decisions for good.
KEPT_AFTER_EXPIRY = timedelta(days=90)

# Only items with something left to do carry the index's attribute, so that the index stays small.
OPEN_INDEX = Index("OpenIndex", "open_kind")

_SORT_KEY = "REQUEST"


class _Store[R: (ApprovalRequest, RollbackOffer)]:
    """Records of one kind; writes are conditional on the revision that was read."""

    def __init__(self, table: Table, record: type[R]) -> None:
        self._table = table
        self._record: type[R] = record

    def get(self, id_hash: str) -> R | None:
        """Return the record as it is now; None when it does not exist."""
        item = self._table.get(self._partition(id_hash), _SORT_KEY)
        return self._record.from_json(item["document"]) if item else None

    def put(self, record: R) -> bool:
        """Store the record as the successor of revision `record.revision - 1`.

        Returns False, and stores nothing, when another writer stored that revision first.
        """
        item = {
            "pk": self._partition(record.id_hash),
            "sk": _SORT_KEY,
            "revision": record.revision,
            "expires_at_epoch": int((record.expires_at + KEPT_AFTER_EXPIRY).timestamp()),
            "document": record.to_json(),
        }
        if record.is_open:
            item[OPEN_INDEX.attribute] = self._kind
        is_next = OneOf("revision", (record.revision - 1,)) if record.revision > 1 else Absent()
        return self._table.write(Put(item, is_next))

    def open(self) -> Iterator[R]:
        """Yield the records in which something is left to do, each as it is now.

        A record of the last moments may be missing: indexes lag behind.
        """
        for item in self._table.query_index(OPEN_INDEX, self._kind):
            record = self.get(item["pk"].rpartition("#")[2])
            if record is not None and record.is_open:
                yield record

    @property
    def _kind(self) -> str:
        kind: str = self._record.KIND
        return kind.upper()

    def _partition(self, id_hash: str) -> str:
        return f"{self._kind}#{id_hash}"


class RequestStore(_Store[ApprovalRequest]):
    """The requests for approval."""

    def __init__(self, table: Table) -> None:
        super().__init__(table, ApprovalRequest)


class OfferStore(_Store[RollbackOffer]):
    """The offers to roll back."""

    def __init__(self, table: Table) -> None:
        super().__init__(table, RollbackOffer)
