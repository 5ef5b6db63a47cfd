"""Ids of forgotten persons as keyed digests: they can be recognised, and not be read.

The key of a group is an object of its own in the artifact bucket. No function or job reads it.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import dataclass

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import SettingsError
from mlops.models.objects import ObjectRef
from mlops.pages.spreadsheet import without_formula
from mlops.use_cases.forgetting.tombstones import FORGOTTEN

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class ForgottenIds:
    """The digests of ids in one column of a group, and the key that they were made with."""

    group: str
    column: str
    key: bytes
    digests: frozenset[str]

    def contains(self, written_id: str) -> bool:
        """Whether an id, as a file writes it, is one of them.

        Predictions have an apostrophe before ids that a spreadsheet would run.
        """
        if written_id.startswith("'") and without_formula(written_id[1:]) == written_id:
            return self.contains(written_id[1:])
        return id_digest(written_id, self.column, self.key) in self.digests


def id_digest(written_id: str, column: str, key: bytes) -> str:
    """Return the digest of an id: HMAC-SHA256, 64 hex digits.

    The id is compared as text: `007` is not `7`, and case counts. Spaces around it do not, nor whether an
    accent is written as one character or as two.
    """
    text = unicodedata.normalize("NFC", written_id.strip())
    return hmac.digest(key, f"{column}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()


def forgetting_key(group: str, objects: ObjectStore, bucket: str) -> bytes:
    """Return the key of a group; it is made when it is absent.

    Raises
    ------
    SettingsError
        If what is stored there is not a key.
    """
    ref = ObjectRef(bucket, f"{FORGOTTEN}{group}/key")
    if not objects.exists(ref):
        objects.write(ref, secrets.token_bytes(_KEY_BYTES), "application/octet-stream")
    key = objects.read(ref)
    if len(key) != _KEY_BYTES:
        raise SettingsError(f"{ref.uri} is not a key; restore its first version.")
    return key
