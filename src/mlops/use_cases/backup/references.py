"""References in what a stack stores: to its buckets, its objects' versions and its state machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.infrastructure.table import Item, document_attributes, document_of
from mlops.models.intake.uploads import UploadRecord

_DOCUMENTS = ("document", "document_zlib")
_VERSION_KEYS = ("version_id", "artifact_version_id")


def version_ids(item: Item) -> Iterator[str]:
    """Yield the versions of objects that the document of an item names."""
    if any(name in item for name in _DOCUMENTS):
        yield from _version_ids(json.loads(document_of(item)))


def _version_ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key in _VERSION_KEYS and isinstance(part, str):
                yield part
            yield from _version_ids(part)
    elif isinstance(value, list):
        for part in value:
            yield from _version_ids(part)


def is_undecided_upload(item: Item) -> bool:
    """Whether an item is the record of an upload about which intake has not decided."""
    is_upload = item["pk"].startswith("GROUP#") and item["sk"].startswith("UPLOAD#")
    return is_upload and UploadRecord.from_json(item["document"]).is_undecided


@dataclass(frozen=True, slots=True)
class References:
    """What is called otherwise in the stack into which a backup is restored.

    `names` are buckets and ARNs; a text is changed when it is such a name, or begins with it as an address of
    S3 or an ARN does. `versions` are versions of objects; these have no meaning but as a whole.
    """

    names: Mapping[str, str]
    versions: Mapping[str, str]

    def renewed(self, value: Any) -> Any:
        """Return a JSON value with the new references."""
        if isinstance(value, str):
            return self._renewed_text(value)
        if isinstance(value, Mapping):
            return {key: self.renewed(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.renewed(part) for part in value]
        return value

    def renewed_json(self, text: str | bytes) -> str | None:
        """Return a JSON document with the new references; None when it has none of the old ones."""
        document = json.loads(text)
        renewed = self.renewed(document)
        return None if renewed == document else json.dumps(renewed, indent=2, ensure_ascii=False) + "\n"

    def renewed_item(self, item: Item) -> Item:
        """Return an item whose attributes and document have the new references."""
        renewed: dict[str, Any] = {
            name: value if name in _DOCUMENTS else self.renewed(value) for name, value in item.items()
        }
        document = self.renewed_json(document_of(item)) if set(_DOCUMENTS) & set(item) else None
        if document is not None:
            renewed |= {"document": document} if "document" in item else document_attributes(document)
        return renewed

    def _renewed_text(self, text: str) -> str:
        if text in self.versions:
            return self.versions[text]
        for old, new in self.names.items():
            if text == old:
                return new
            for start, replacement in ((f"s3://{old}/", f"s3://{new}/"), (f"{old}:", f"{new}:")):
                if text.startswith(start):
                    return f"{replacement}{text.removeprefix(start)}"
        return text
