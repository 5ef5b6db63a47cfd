"""Small secrets under a KMS key, each bound to what it belongs to."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from mlops.infrastructure.aws.clients import client


def encrypt(text: str, key_arn: str, context: Mapping[str, str], *, kms: Any = None) -> str:
    """Return the text encrypted, in base64; at most 4,096 bytes, which is KMS's limit.

    `context` is authenticated: only who names the same context can decrypt.
    """
    answer = (kms or client("kms")).encrypt(
        KeyId=key_arn, Plaintext=text.encode(), EncryptionContext=dict(context)
    )
    return base64.b64encode(answer["CiphertextBlob"]).decode()


def decrypt(ciphertext: str, key_arn: str, context: Mapping[str, str], *, kms: Any = None) -> str:
    """Return the text that was passed to `encrypt` with the same key and context."""
    answer = (kms or client("kms")).decrypt(
        KeyId=key_arn, CiphertextBlob=base64.b64decode(ciphertext), EncryptionContext=dict(context)
    )
    plaintext: bytes = answer["Plaintext"]
    return plaintext.decode()
