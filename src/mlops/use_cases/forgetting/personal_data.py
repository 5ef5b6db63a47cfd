"""The port for stores with rows of persons, and such a store of tables below a prefix of a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Protocol

from mlops.dataset.erasure.table_file import RemovedRows, RowSearch, local_name, remove_rows
from mlops.infrastructure.object_store import ObjectStore, is_newest
from mlops.models.dataset import Contract
from mlops.models.errors import DatasetError, ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.settings.group import GroupSettings
from mlops.use_cases.forgetting.ids import ForgottenIds

Action = Literal["rewritten", "deleted", "not searched"]


@dataclass(frozen=True, slots=True)
class Removal(Record):
    """What is done with one version of an object, and how many rows of the person are in it."""

    store: str
    uri: str
    version_id: str | None
    action: Action
    n_rows: int = 0
    problem: str = ""


class PersonalData(Protocol):
    """A store that can remove the rows of persons."""

    def remove(self, ids: ForgottenIds, *, is_final: bool) -> Iterator[Removal]:
        """Yield what is removed, each place once it is done; without `is_final` nothing is changed.

        A run that was killed is completed by another one, which finds what is left.
        """


type KeepRest = Callable[[ObjectRef, Path, int], None]

WAITED = "it was not read yet: upload the file again, without the rows of the person"


@dataclass(frozen=True, slots=True)
class TableObjects:
    """The tables below a prefix, in every version.

    The newest version is written again by `keep_rest`, which gets its address, the file without the rows and
    the number of these; then it is deleted, as every older version with such rows is. Without `keep_rest` it
    is only deleted, and so are, before it, the objects `beside` it that refer to its content. `column_in`
    says what a column of the group is called in an object, `waits` whether a version is still to be read:
    `keep_older` writes the rest of an older one, and what cannot be written is a problem that is told.
    """

    name: str
    objects: ObjectStore
    bucket: str
    prefix: str
    settings: GroupSettings
    contract: Contract | None
    is_table: Callable[[str], bool]
    keep_rest: KeepRest | None = None
    beside: tuple[str, ...] = ()
    column_in: Callable[[ObjectRef, str], str] | None = None
    waits: Callable[[ObjectRef], bool] | None = None
    keep_older: KeepRest | None = None

    def remove(self, ids: ForgottenIds, *, is_final: bool) -> Iterator[Removal]:
        """Yield what is removed; a version that someone else deletes meanwhile is left out."""
        search = RowSearch(ids.column, ids.contains, self.settings, self.contract)
        # listed before anything is written, so that no new version is searched
        for facts in list(self.objects.list_history(self.bucket, self.prefix)):
            if facts.size_bytes and self.is_table(facts.ref.key):
                yield from self._remove_from(facts.ref, search, is_final=is_final)

    def _remove_from(self, ref: ObjectRef, search: RowSearch, *, is_final: bool) -> Iterator[Removal]:
        if self.column_in is not None:
            search = replace(search, column=self.column_in(ref, search.column))
        with TemporaryDirectory() as folder:
            source, rest = Path(folder) / local_name(_filename(ref)), Path(folder) / "rest"
            try:
                self.objects.download(ref, source)
                removed = remove_rows(source, rest, search)
            except ObjectNotFoundError:
                return
            except DatasetError as error:
                yield Removal(self.name, ref.uri, ref.version_id, "not searched", problem=str(error))
                return
            if removed.n_rows:
                waits = self.waits is not None and self.waits(ref)
                action = self._replace(ref, rest, removed, waits=waits, is_final=is_final)
                problem = WAITED if waits and action == "deleted" else ""
                yield Removal(self.name, ref.uri, ref.version_id, action, removed.n_rows, problem)

    def _replace(
        self, ref: ObjectRef, rest: Path, removed: RemovedRows, *, waits: bool, is_final: bool
    ) -> Action:
        keep_rest = self.keep_rest if is_newest(ref, self.objects) else self.keep_older if waits else None
        keep_rest = None if removed.is_converted else keep_rest
        if is_final:
            if keep_rest is not None:
                keep_rest(ref, rest, removed.n_rows)
            for name in self.beside:
                delete_history(ObjectRef(ref.bucket, beside(ref.key, name)), self.objects)
            self.objects.delete(ref)
        return "deleted" if keep_rest is None else "rewritten"


def beside(key: str, name: str) -> str:
    """Return the key of another object in the same folder."""
    return "/".join([*key.split("/")[:-1], name])


def delete_history(ref: ObjectRef, objects: ObjectStore) -> None:
    """Delete every version of an object."""
    for facts in list(objects.list_history(ref.bucket, ref.key)):
        if facts.ref.key == ref.key:
            objects.delete(facts.ref)


def _filename(ref: ObjectRef) -> str:
    return ref.key.rsplit("/", 1)[-1]
