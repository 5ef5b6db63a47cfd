"""The secret key by which a training recognises rows of an earlier one: of a group in a stack, or of a user.

The key of a group is an object of its own in the artifact bucket. Only the training job reads it, as an input
channel, so that it is in no hyperparameter, execution history, log or model.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.objects import ObjectRef

KEY_BYTES = 32
FILE_VARIABLE = "MLOPS_ROW_KEY_FILE"


def group_row_key(group: str, objects: ObjectStore, bucket: str) -> ObjectRef:
    """Return where the key of a group is stored; it is made when it is absent.

    Two that make it at the same moment may use different keys. Then the rows of the one model are not
    recognised, and the comparison says so.
    """
    ref = ObjectRef(bucket, f"row-keys/{group}/key")
    if not objects.exists(ref):
        objects.write(ref, secrets.token_bytes(KEY_BYTES), "application/octet-stream")
    return ref


def user_row_key(variables: Mapping[str, str] = os.environ) -> bytes | None:
    """Return the key of this user, for models on plain files; None where no file can be written.

    The file is the one that `MLOPS_ROW_KEY_FILE` names, else `mlops/row-key` in the folder of the user's
    state. Only the user can read it.
    """
    try:
        path = _user_file(variables)
        if not path.is_file():
            _create(path)
        key = path.read_bytes()
    except (OSError, RuntimeError):  # no home, or one that cannot be written
        return None
    return key if len(key) == KEY_BYTES else None


def _create(path: Path) -> None:
    """Write a new key, whole or not at all; of two processes that do so at once the first one counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _user_file(variables: Mapping[str, str]) -> Path:
    if name := variables.get(FILE_VARIABLE):
        return Path(name)
    state = variables.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "mlops" / "row-key"
