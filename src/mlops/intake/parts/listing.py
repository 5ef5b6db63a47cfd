"""Lists the parts that a closing object names, each in exactly one version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.dataset.limits import MIB, Limits
from mlops.dataset.privacy import shown
from mlops.infrastructure.object_store import ObjectStore
from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.folders import MANIFEST_ENDING, closes_folder, folder_of, is_part_name
from mlops.models.dataset import Finding
from mlops.models.errors import DatasetError, ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.record import Record

_ADVICE = "Correct the folder and drop the closing file again; the parts may stay where they are."
_THREADS = 16
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Part(Record):
    """One part in one version; `name` is its key below the folder."""

    index: int
    name: str
    ref: ObjectRef
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The parts in the order of their rows, or why they cannot be used."""

    parts: tuple[Part, ...] = ()
    problems: tuple[Finding, ...] = ()


def list_closed_parts(upload: Upload, objects: ObjectStore, limits: Limits) -> Listing:
    """Return the parts of the folder that an object closes.

    `_SUCCESS` means every file of the folder, in the order of their names; a manifest names the parts and may
    pin their versions. A part without a version is used in its current one.
    """
    try:
        refs = _named_parts(upload, objects, limits)
        return _check_size(_pin(refs, upload, objects), limits)
    except DatasetError as error:
        rule_id = "manifest" if upload.filename.endswith(MANIFEST_ENDING) else "parts"
        return Listing(problems=(Finding(rule_id, "reject", str(error), advice=_ADVICE),))


def parts_in_folder(folder: Path) -> list[Path]:
    """Return the parts in a local folder, in the order of their names.

    Raises
    ------
    DatasetError
        If there are none, or a single manifest in the folder names others than are there.
    """
    manifests = sorted(folder.glob(f"*{MANIFEST_ENDING}"))
    if manifests:
        return [_local(folder, key) for key, _ in manifest_entries(manifests[-1].read_bytes())]
    parts = sorted(path for path in folder.iterdir() if path.is_file() and is_part_name(path.name))
    if not parts:
        raise DatasetError(f"The folder {folder} has no parts.")
    return parts


def manifest_entries(content: bytes) -> list[tuple[str, str | None]]:
    """Return key and version of every part in a manifest.

    A manifest is a JSON list (or an object with such a list as `parts` or `entries`) of keys, or of objects
    with `key` (or `url`) and perhaps `version_id`.

    Raises
    ------
    DatasetError
        If it is not a manifest, names no parts, or names a part twice.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise DatasetError("The manifest is not JSON.") from error
    entries = document.get("parts", document.get("entries")) if isinstance(document, dict) else document
    if not isinstance(entries, list) or not entries:
        raise DatasetError("The manifest names no parts: it must be a JSON list of keys.")
    parts = [_entry(entry) for entry in entries]
    if len({key for key, _ in parts}) < len(parts):
        raise DatasetError("The manifest names a part twice.")
    return parts


def _entry(entry: Any) -> tuple[str, str | None]:
    if isinstance(entry, str):
        return entry, None
    key = entry.get("key", entry.get("url")) if isinstance(entry, dict) else None
    if not isinstance(key, str):
        raise DatasetError("An entry of the manifest is neither a key nor an object with a key.")
    version = entry.get("version_id")
    return key, version if isinstance(version, str) else None


def _local(folder: Path, key: str) -> Path:
    path = folder / key.rsplit("/", 1)[-1]
    if not path.is_file():
        raise DatasetError(f"The manifest names {shown(path.name, 60)}, which is not in the folder.")
    return path


def _named_parts(upload: Upload, objects: ObjectStore, limits: Limits) -> list[ObjectRef]:
    folder = folder_of(upload)
    if upload.filename.endswith(MANIFEST_ENDING):
        entries = manifest_entries(objects.read(upload.ref))
        refs = [ObjectRef(upload.bucket, _key(key, folder, upload), version) for key, version in entries]
    else:
        refs = _in_folder(folder, (facts.ref for facts in objects.list(upload.bucket, folder)))
    if len(refs) > limits.max_parts:
        raise DatasetError(
            f"There are {len(refs):,} parts; the limit is {limits.max_parts:,}. Write fewer and larger ones."
        )
    return refs


def _in_folder(folder: str, refs: Iterable[ObjectRef]) -> list[ObjectRef]:
    names = [(ref.key[len(folder) :], ref) for ref in refs]
    parts = [(name, ref) for name, ref in names if is_part_name(name)]
    deeper = [name for name, _ in parts if "/" in name]
    if deeper:
        raise DatasetError(
            f"There are parts in folders below the one that was closed ({shown(deeper[0], 60)}): the names of"
            " folders are not part of the rows. Write all parts into one folder."
        )
    if not parts:
        raise DatasetError("The folder was closed, but has no parts.")
    return [ref for _, ref in parts]


def _key(entry: str, folder: str, upload: Upload) -> str:
    """Return the key of an entry, which is a whole key, an address, or relative to the manifest's folder."""
    key = entry.removeprefix(f"s3://{upload.bucket}/")
    training = f"{upload.group}/training/"
    key = key if key.startswith(training) else folder + key
    if "://" in key or closes_folder(Upload(upload.bucket, key, None, 0)):
        raise DatasetError(f"The manifest names {shown(entry, 100)}, which is not a part below {training}.")
    return key


def _pin(refs: Sequence[ObjectRef], upload: Upload, objects: ObjectStore) -> list[Part]:
    """Return every part with its version and size; several are requested at once."""
    with ThreadPoolExecutor(_THREADS) as pool:
        facts_of_parts = list(pool.map(lambda ref: _head(ref, objects), refs))
    absent = [ref for ref, facts in zip(refs, facts_of_parts, strict=True) if facts is None]
    if absent:
        names = ", ".join(shown(_name(ref.key, upload), 60) for ref in absent[:_NAMED])
        raise DatasetError(f"{len(absent):,} of the parts do not exist: {names}.")
    return [
        Part(index, _name(facts.ref.key, upload), facts.ref, facts.size_bytes)
        for index, facts in enumerate(facts for facts in facts_of_parts if facts is not None)
    ]


def _head(ref: ObjectRef, objects: ObjectStore) -> Any:
    try:
        return objects.head(ref)
    except ObjectNotFoundError:
        return None


def _name(key: str, upload: Upload) -> str:
    return key.removeprefix(folder_of(upload)).removeprefix(f"{upload.group}/training/")


def _check_size(parts: Sequence[Part], limits: Limits) -> Listing:
    size_bytes = sum(part.size_bytes for part in parts)
    if size_bytes > limits.max_expanded_bytes:
        return Listing(problems=(too_large(size_bytes, limits),))
    return Listing(parts=tuple(parts))


def too_large(size_bytes: int, limits: Limits) -> Finding:
    """Return the finding about parts that are too large together."""
    size, limit = size_bytes // MIB, limits.max_expanded_bytes // MIB
    message = f"The parts are too large together: {size:,} MiB, the limit is {limit:,} MiB."
    return Finding("too_large", "reject", message, advice="Train on fewer rows, or raise MaxUploadBytes.")
