"""A person is forgotten: the rows with their id are removed from everything that is stored for a group.

First a tombstone is stored, then every store removes its rows, then the tombstone is closed. A run that was
killed is completed by the next one with the same id, or by one for all tombstones; the latter also removes
what came back with a restored backup or a later file.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mlops.models.dataset import Contract
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings
from mlops.use_cases.forgetting.ids import ForgottenIds, forgetting_key, id_digest
from mlops.use_cases.forgetting.personal_data import PersonalData, Removal
from mlops.use_cases.forgetting.tombstones import Tombstone, TombstoneStore


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Forgets persons in the stores of one group, whose settings and contract say which column is the id."""

    group: str
    stores: Sequence[PersonalData]
    tombstones: TombstoneStore
    settings: GroupSettings
    contract: Contract | None

    def forget(
        self, written_id: str, column: str, *, by: str, reason: str, now: datetime
    ) -> Iterator[Removal]:
        """Remove the rows of a person, and yield each place once that is done.

        Raises
        ------
        SettingsError
            If the id is blank, or the reason contains it: the reason is kept.
        """
        key = self._stored_key()
        digest = _digest(written_id, column, key)
        if written_id.strip().casefold() in reason.casefold():
            raise SettingsError("The reason must not contain the id, because it is kept.")
        earlier = self.tombstones.find(self.group, digest)
        tombstone = earlier or Tombstone(self.group, column, digest, by, now, reason)
        self.tombstones.save(replace(tombstone, finished_at=None))
        yield from self._remove((tombstone,), key, now)

    def forget_again(self, now: datetime) -> Iterator[Removal]:
        """Remove the rows of all persons with a tombstone: after a restore, a killed run or later files."""
        for tombstones in self._by_column().values():
            yield from self._remove(tombstones, self._stored_key(), now)

    def preview(self, written_id: str, column: str) -> Iterator[Removal]:
        """Yield what `forget` would remove.

        Raises
        ------
        SettingsError
            If the id is blank.
        """
        key = secrets.token_bytes()  # nothing is stored, not even a key
        digests = {_digest(written_id, column, key)}
        return self._in_stores(ForgottenIds(self.group, column, key, frozenset(digests)), is_final=False)

    def preview_again(self) -> Iterator[Removal]:
        """Yield what `forget_again` would remove."""
        for tombstones in self._by_column().values():
            yield from self._in_stores(self._ids(tombstones, self._stored_key()), is_final=False)

    def id_column(self, requested: str | None) -> str:
        """Return the column in which persons are identified: the requested one, or the only id of the group.

        Raises
        ------
        SettingsError
            If it is not clear which one that is.
        """
        columns = self.settings.id_columns
        if not columns and self.contract is not None:
            columns = tuple(column.name for column in self.contract.columns if column.role == "id")
        if requested or len(columns) == 1:
            return requested or columns[0]
        problem = f"has several id columns ({', '.join(columns)})" if columns else "has no id column"
        raise SettingsError(
            f"The group {self.group} {problem}; name the one that identifies persons with --column NAME."
        )

    def _remove(self, tombstones: Sequence[Tombstone], key: bytes, now: datetime) -> Iterator[Removal]:
        n_files = n_rows = 0
        for removal in self._in_stores(self._ids(tombstones, key), is_final=True):
            n_files, n_rows = n_files + (removal.n_rows > 0), n_rows + removal.n_rows
            yield removal
        for each in tombstones:
            if len(tombstones) == 1:  # of several it is not known whose rows they were
                each = replace(each, n_files=each.n_files + n_files, n_rows=each.n_rows + n_rows)  # noqa: PLW2901
            self.tombstones.save(replace(each, finished_at=now))

    def _ids(self, tombstones: Sequence[Tombstone], key: bytes) -> ForgottenIds:
        digests = frozenset(each.digest for each in tombstones)
        return ForgottenIds(self.group, tombstones[0].column, key, digests)

    def _in_stores(self, ids: ForgottenIds, *, is_final: bool) -> Iterator[Removal]:
        for store in self.stores:
            yield from store.remove(ids, is_final=is_final)

    def _by_column(self) -> dict[str, list[Tombstone]]:
        columns: dict[str, list[Tombstone]] = {}
        for tombstone in self.tombstones.list(self.group):
            columns.setdefault(tombstone.column, []).append(tombstone)
        return columns

    def _stored_key(self) -> bytes:
        return forgetting_key(self.group, self.tombstones.objects, self.tombstones.bucket)


def _digest(written_id: str, column: str, key: bytes) -> str:
    if not written_id.strip():
        raise SettingsError("The id is blank; name the id of a person as the files write it.")
    return id_digest(written_id, column, key)
