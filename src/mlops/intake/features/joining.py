"""Uploads of groups with `[features]`: the values of a feature service are joined to their rows once.

The joined table and its record are stored like those of a conversion, with the record last. The record names
the version of the service, so that a repeated run continues with the same values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.conversion.plain_csv import PlainCsv, plain_csv
from mlops.dataset.conversion.table_file import CONVERTED_TABLE, Conversion, TableFile
from mlops.feature_store.definitions.views import EVENT_TIME
from mlops.feature_store.joined_files import JoinedFile
from mlops.feature_store.online.reading import FieldStatus
from mlops.intake.conversion import RECORD, StoredConversion
from mlops.intake.decisions import Attempt
from mlops.models.dataset import Finding
from mlops.models.errors import FeatureStoreError, ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record
from mlops.models.settings.columns import ColumnSettings, FeatureSettings
from mlops.models.settings.group import GroupSettings

RULE = "features"


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


def find_joined(attempt: Attempt) -> JoinedUpload | None:
    """Return the table that an earlier run has joined, None before its end."""
    try:
        return JoinedUpload.from_json(attempt.ports.objects.read(_place(attempt, RECORD)))
    except ObjectNotFoundError:
        return None


def join_features(attempt: Attempt, table: TableFile, settings: GroupSettings) -> JoinedUpload | None:
    """Join features to an upload: to a training file as of the times of its rows, else the newest values.

    Returns
    -------
    JoinedUpload or None
        None for a file that is not a table; validation says why.

    Raises
    ------
    FeatureStoreError
        If the service does not exist, the file cannot be joined, or no row of a file to score has a value.
    """
    store, is_training = attempt.ports.features, attempt.upload.purpose == "training"
    features = store.pinned(settings.features)
    stated = settings.format.of("training" if is_training else "inference")
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        rows = plain_csv(table, folder / "rows.csv", stated, limits=attempt.limits)
        if rows is None:
            return None
        target = folder / CONVERTED_TABLE
        if is_training:
            joined = store.join_as_of(rows, target, features, event_time_of(settings))
            finding = _describe_as_of(joined, features)
        else:
            joined = store.join_online(rows, target, features)
            finding = _describe_online(joined, features)
        conversion = _conversion(table.conversion, rows, joined, finding, target)
        content = attempt.ports.objects.upload(target, _place(attempt, CONVERTED_TABLE), "text/csv")
    upload = JoinedUpload(features, StoredConversion(conversion, content), joined.number_columns)
    attempt.ports.objects.write(_place(attempt, RECORD), upload.to_json().encode(), "application/json")
    return upload


def _conversion(
    before: Conversion | None, rows: PlainCsv, joined: JoinedFile, finding: Finding, target: Path
) -> Conversion:
    """Return what is known of the joined table, beside what was known of the file."""
    with target.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    findings, texts = (before.findings, before.text_columns) if before else ((), ())
    texts = (*texts, *joined.text_columns)
    size_bytes = target.stat().st_size
    return Conversion("csv", digest, size_bytes, (*findings, finding), rows.first_line, texts)


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
    return Finding(RULE, "info", message)


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
    return Finding(RULE, "warn" if n_old or n_unknown else "info", message)
