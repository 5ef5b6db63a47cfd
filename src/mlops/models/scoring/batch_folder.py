"""Where the files of a scored batch are stored: in a folder that says what was scored, and when it came."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_SUFFIXES = re.compile(r"(\.[A-Za-z0-9]{1,8})?(\.gz)?$")
_MAX_NAME = 40
_SHORT_ID = 12


def batch_folder(group: str, batch_id: str, file_name: str, received_on: date) -> str:
    """Return the key of the folder, without a slash at the end.

    Parameters
    ----------
    batch_id
        The id of the upload, 32 hex digits; its first 12 tell apart files of one name.
    file_name
        The name of the dropped file; cut and folded to ASCII.
    received_on
        The day on which the file came, so that a repeated run finds the same folder.
    """
    return f"predictions/{group}/{received_on.isoformat()}/{_folded(file_name)}-{batch_id[:_SHORT_ID]}"


def folder_without_name(group: str, batch_id: str) -> str:
    """Return the folder of a batch whose request does not name one: those of releases before 0.3."""
    return f"predictions/{group}/{batch_id}"


def _folded(file_name: str) -> str:
    plain = unicodedata.normalize("NFKD", file_name).encode("ascii", "ignore").decode()
    words = _OTHER.sub("-", _SUFFIXES.sub("", plain)).strip("-.")
    return words[:_MAX_NAME].rstrip("-.") or "file"
