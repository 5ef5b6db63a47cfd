"""The first steps of the validate_parts machine: list the parts of a folder, and survey each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlops.dataset.catalog.acceptance import DatasetStorage, current_contract
from mlops.dataset.limits import Limits
from mlops.dataset.validation.parts.check_agreement import agree
from mlops.dataset.validation.parts.validate_parts import survey_part_file
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.answers.settings_file import read_settings, settings_problem
from mlops.intake.parts.listing import Listing, Part, list_closed_parts
from mlops.intake.parts.request import PartsRequest, write_request
from mlops.models.dataset import Finding
from mlops.models.errors import ObjectNotFoundError, SettingsError
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings

_NO_FEATURES = Finding(
    "features",
    "reject",
    "A table in parts cannot get its features from a feature service.",
    advice="Drop it as one file, or join the features with `mlops features history` and remove [features].",
)


def list_parts(upload: Upload, *, storage: DatasetStorage, limits: Limits) -> dict[str, Any]:
    """Store which parts a closing object names, and how all of them are read.

    Everything that the next steps use is pinned here: versions of the parts, settings, contract.

    Returns
    -------
    dict
        `request` and `parts`: where the two documents are stored; `n_parts`: the number of surveys to make.
    """
    settings, listing = _settings_and_parts(upload, storage, limits)
    contract = current_contract(str(upload.group), storage)
    with TemporaryDirectory() as folder:
        agreement = agree(
            _downloads(listing.parts, storage.objects, Path(folder)),
            settings,
            contract,
            limits=limits,
            size_bytes=sum(part.size_bytes for part in listing.parts),
        )
    request = PartsRequest(
        storage.artifact_bucket,
        upload,
        settings,
        contract,
        limits,
        agreement,
        listing.parts,
        listing.problems,
    )
    items = json.dumps([part.to_dict() for part in listing.parts]).encode()
    storage.objects.write(request.parts_ref, items, "application/json")
    return write_request(request, storage.objects)


def _settings_and_parts(
    upload: Upload, storage: DatasetStorage, limits: Limits
) -> tuple[GroupSettings, Listing]:
    """Return the settings of the group, and the parts; none where the settings do not permit them."""
    try:
        settings = read_settings(upload, storage)
    except SettingsError as error:
        return GroupSettings(), Listing(problems=(settings_problem(upload, error),))
    if settings.features.service is not None:
        return settings, Listing(problems=(_NO_FEATURES,))
    return settings, list_closed_parts(upload, storage.objects, limits)


def survey_part(request_ref: ObjectRef, part: Part, objects: ObjectStore) -> None:
    """Survey one part and store its facts; for a deleted part nothing is stored, and the merge reports it."""
    request = PartsRequest.from_json(objects.read(request_ref))
    with TemporaryDirectory() as folder:
        path, facts = Path(folder) / _local_name(part), Path(folder) / "facts.npz"
        try:
            objects.download(part.ref, path)
        except ObjectNotFoundError:
            return
        survey_part_file(path, part.name, request.table, facts)
        objects.upload(facts, request.facts_ref(part), "application/octet-stream")


def _downloads(parts: tuple[Part, ...], objects: ObjectStore, folder: Path) -> Iterator[Path]:
    for part in parts:
        path = folder / _local_name(part)
        objects.download(part.ref, path)
        yield path


def _local_name(part: Part) -> str:
    """Return a local file name: validation sees only the suffix of a name that a person has chosen."""
    return "part.csv.gz" if part.name.lower().endswith(".gz") else "part.csv"
