"""The records of trainings in the registry's table: every attempt, its failure, and which are open.

Items of a group share the partition `GROUP#<group>`: `TRAINING#<id>` is the first attempt of a training,
`TRAINING#<id>#<attempt>` a later one, `FAILURE#<id>#<attempt>` says that an attempt failed. An item of the
partition `TRAININGS`, by the day of the start, refers to each attempt until it is closed. Where a policy
limits the trainings of a day, `TRAININGS_OF#<day>` names those that took a place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.infrastructure.contention import Backoff
from mlops.infrastructure.table import Absent, OneOf, Put, SetAttribute, Table
from mlops.models.errors import RegistryConflictError, TrainingError
from mlops.models.intake.trainings import TrainingFailure, TrainingRecord

_OPEN = "TRAININGS"


@dataclass(frozen=True, slots=True)
class TrainingRecords:
    """Attempts and failures of all groups. Each is written once; a repeated write changes nothing."""

    table: Table

    def start(self, training: TrainingRecord) -> TrainingRecord:
        """Record that an attempt is started, and return what is recorded of this attempt.

        Of several writers one wins, and all get its record.
        """
        item = {
            "pk": _partition(training.group),
            "sk": _attempt_key(training),
            "document": training.to_json(),
        }
        reference = {
            "pk": _OPEN,
            "sk": _open_key(training),
            "group": training.group,
            "attempt_key": _attempt_key(training),
        }
        if self.table.write(Put(item, Absent()), Put(reference)):
            return training
        return self._attempt(training.group, item["sk"])

    def take_place(self, training: TrainingRecord, limit: int) -> bool:
        """Take one of the places that a group has on the day of an attempt; False when all are taken.

        However many writers ask at the same time, no more than `limit` attempts get one. An attempt that has
        a place keeps it; those that were started without one count as well.

        Raises
        ------
        RegistryConflictError
            If every try met another writer.
        """
        return Backoff().run(lambda: self._try_to_take_place(training, limit))

    def _try_to_take_place(self, training: TrainingRecord, limit: int) -> bool:
        partition, sort = _partition(training.group), f"TRAININGS_OF#{training.started_at:%Y-%m-%d}"
        of_group = f"{training.started_at:%Y-%m-%d}#{training.group}#"
        started = {reference["sk"] for reference in self.table.query(_OPEN, of_group)}
        item = self.table.get(partition, sort)
        places = started.union(item["places"] if item else ())
        if _open_key(training) in places or len(places) >= limit:
            return _open_key(training) in places
        revision = item["revision"] if item else 0
        following = {"pk": partition, "sk": sort, "revision": revision + 1}
        following["places"] = sorted({*places, _open_key(training)})
        if not self.table.write(Put(following, OneOf("revision", (revision,)) if item else Absent())):
            raise RegistryConflictError("Another training of the group takes a place.")
        return True

    def latest(self, group: str, training_id: str) -> TrainingRecord | None:
        """Return the last attempt of a training; None when there is none."""
        later = self.table.query(_partition(group), f"TRAINING#{training_id}#", newest_first=True)
        item = next(later, None) or self.table.get(_partition(group), f"TRAINING#{training_id}")
        return TrainingRecord.from_json(item["document"]) if item else None

    def failure_of(self, training: TrainingRecord) -> TrainingFailure | None:
        """Return why an attempt failed; None when it did not."""
        return self.failure(training.group, training.training_id, training.attempt)

    def fail(self, failure: TrainingFailure) -> bool:
        """Record that an attempt failed; return False, without a change, when that was recorded before."""
        key = _failure_key(failure.training_id, failure.attempt)
        item = {"pk": _partition(failure.group), "sk": key, "document": failure.to_json()}
        return self.table.write(Put(item, Absent()))

    def failure(self, group: str, training_id: str, attempt: int) -> TrainingFailure | None:
        """Return why an attempt failed; None when it did not."""
        item = self.table.get(_partition(group), _failure_key(training_id, attempt))
        return TrainingFailure.from_json(item["document"]) if item else None

    def failed(self, group: str) -> list[TrainingFailure]:
        """Return the failed attempts of a group that were not followed by another one, oldest first."""
        items = self.table.query(_partition(group), "FAILURE#")
        failures = {f.training_id: f for f in (TrainingFailure.from_json(i["document"]) for i in items)}
        last = [f for f in failures.values() if self._is_last(f)]
        return sorted(last, key=lambda failure: failure.failed_at)

    def open(self, now: datetime, *, days: int) -> Iterator[TrainingRecord]:
        """Yield the attempts of the last days that are not closed, those of the earliest day first."""
        for age in range(days, -1, -1):
            for reference in self.table.query(_OPEN, f"{now - timedelta(days=age):%Y-%m-%d}#"):
                if not reference.get("is_closed"):
                    yield self._attempt(reference["group"], reference["attempt_key"])

    def close(self, training: TrainingRecord) -> None:
        """Record that nothing is left to watch: the attempt has ended."""
        self.table.write(SetAttribute(_OPEN, _open_key(training), "is_closed", value=True))

    def _attempt(self, group: str, key: str) -> TrainingRecord:
        item = self.table.get(_partition(group), key)
        if item is None:
            raise TrainingError(f"The record {key} of {group} does not exist.")
        return TrainingRecord.from_json(item["document"])

    def _is_last(self, failure: TrainingFailure) -> bool:
        latest = self.latest(failure.group, failure.training_id)
        return latest is None or latest.attempt == failure.attempt


def _partition(group: str) -> str:
    return f"GROUP#{group}"


def _attempt_key(training: TrainingRecord) -> str:
    ending = "" if training.attempt == 1 else f"#{training.attempt:04d}"
    return f"TRAINING#{training.training_id}{ending}"


def _failure_key(training_id: str, attempt: int) -> str:
    return f"FAILURE#{training_id}#{attempt:04d}"


def _open_key(training: TrainingRecord) -> str:
    return f"{training.started_at:%Y-%m-%d}#{training.group}#{training.training_id}#{training.attempt:04d}"
