"""Uploads of groups with `[features]`: the values of a feature service are joined to their rows once.

The joined table and its record are stored like those of a conversion, with the record last. The record names
the version of the service, so that a repeated run continues with the same values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.conversion.table_file import CONVERTED_TABLE, Conversion, TableFile
from mlops.feature_store.definitions.views import EVENT_TIME
from mlops.feature_store.joined_files import JoinedFile
from mlops.feature_store.online.reading import FieldStatus
from mlops.feature_store.store import FeatureStore
from mlops.intake.conversion import RECORD, StoredConversion
from mlops.intake.decisions import Attempt
from mlops.models.dataset import Finding, ValidationReport
from mlops.models.errors import FeatureStoreError, ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.settings.columns import ColumnSettings, FeatureSettings
from mlops.models.settings.group import GroupSettings

_RULE = "features"

type Join = Callable[[FeatureStore, Path, Path, FeatureSettings], JoinedFile]


@dataclass(frozen=True, slots=True)
class JoinedUpload(Record):
    """The table of an upload with its features; `features` names the version of the service.

    `numbers` are the features with fractions: a file in which all are whole teaches nothing else.
    """

    features: FeatureSettings
    stored: StoredConversion
    numbers: tuple[str, ...]

    def settings_from(self, settings: GroupSettings) -> GroupSettings:
        """Return the settings to train with: the version of the service, and what its types state.

        Rows are split by their time, and files to score do not need it.
        """
        kinds = {name: ColumnSettings(kind="number") for name in self.numbers}
        return replace(
            settings,
            features=self.features,
            time_column=event_time_of(settings),
            columns={**kinds, **settings.columns},
        )


def event_time_of(settings: GroupSettings) -> str:
    """Return the column with the time of a training row."""
    return settings.features.time_column or settings.time_column or EVENT_TIME


def join_as_of(attempt: Attempt, table: TableFile, settings: GroupSettings) -> JoinedUpload:
    """Join the features of a training file as of the times of its rows.

    Raises
    ------
    FeatureStoreError
        If the service does not exist, or the file cannot be joined.
    """
    time_column = event_time_of(settings)

    def join(store: FeatureStore, path: Path, target: Path, features: FeatureSettings) -> JoinedFile:
        return store.join_as_of(path, target, features, time_column)

    return _joined(attempt, table, settings.features, join, _describe_as_of)


def join_online(attempt: Attempt, table: TableFile, settings: GroupSettings) -> JoinedUpload:
    """Join the newest values of features to the rows of a file to score.

    Raises
    ------
    FeatureStoreError
        As `join_as_of`; also if no row has a value.
    """

    def join(store: FeatureStore, path: Path, target: Path, features: FeatureSettings) -> JoinedFile:
        return store.join_online(path, target, features)

    return _joined(attempt, table, settings.features, join, _describe_online)


def refusal(attempt: Attempt, error: FeatureStoreError) -> ValidationReport:
    """Return the report of a file whose features cannot be joined."""
    finding = Finding(_RULE, "reject", str(error), advice="Correct it, then drop the file again.")
    upload = attempt.upload
    return ValidationReport("reject", (finding,), 0, 0, "", upload.size_bytes, str(upload.purpose))


def _joined(
    attempt: Attempt,
    table: TableFile,
    settings: FeatureSettings,
    join: Join,
    describe: Callable[[JoinedFile, FeatureSettings], Finding],
) -> JoinedUpload:
    ports = attempt.ports
    try:
        return JoinedUpload.from_json(ports.objects.read(_place(attempt, RECORD)))
    except ObjectNotFoundError:
        pass
    pinned = ports.features.pinned(settings)
    with TemporaryDirectory() as folder:
        target = Path(folder) / CONVERTED_TABLE
        joined = join(ports.features, table.path, target, pinned)
        findings = (*(table.conversion.findings if table.conversion else ()), describe(joined, pinned))
        with target.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
        own = table.conversion.text_columns if table.conversion else ()
        columns = (*own, *joined.text_columns)
        conversion = Conversion("csv", digest, target.stat().st_size, findings, 1, columns)
        content = ports.objects.upload(target, _place(attempt, CONVERTED_TABLE), "text/csv")
    upload = JoinedUpload(pinned, StoredConversion(conversion, content), joined.number_columns)
    ports.objects.write(_place(attempt, RECORD), upload.to_json().encode(), "application/json")
    return upload


def _place(attempt: Attempt, name: str) -> ObjectRef:
    upload = attempt.upload
    folder = f"converted/{upload.group}/{upload.upload_id}/features"
    return ObjectRef(attempt.ports.artifact_bucket, f"{folder}/{name}")


def _describe_as_of(joined: JoinedFile, features: FeatureSettings) -> Finding:
    n_missing, n_values = joined.statuses[FieldStatus.NOT_FOUND], sum(joined.statuses.values())
    message = (
        f"Features were read from {features.title}, as of the time of each row: {n_missing:,} of "
        f"{n_values:,} values are missing."
    )
    return Finding(_RULE, "info", message)


def _describe_online(joined: JoinedFile, features: FeatureSettings) -> Finding:
    n_present, n_values = joined.statuses.get(FieldStatus.PRESENT, 0), sum(joined.statuses.values())
    if n_values and not n_present:
        raise FeatureStoreError(
            f"No row has a value of {features.title} in the online store. Check the ids, and copy the values "
            "with `mlops features materialize`."
        )
    n_old, n_unknown = (
        joined.statuses.get(status, 0) for status in (FieldStatus.OUTSIDE_MAX_AGE, FieldStatus.NOT_FOUND)
    )
    message = (
        f"Features were read from {features.title}, the newest values: of {n_values:,} values {n_unknown:,} "
        f"were not found and {n_old:,} are older than their view allows."
    )
    return Finding(_RULE, "warn" if n_old or n_unknown else "info", message)
