"""Folders of parts: which objects are parts, and which object marks a folder as complete."""

from __future__ import annotations

from mlops.infrastructure.upload_events import Upload
from mlops.intake.placement.names import why_ignored_name

SUCCESS_FILE = "_SUCCESS"
MANIFEST_ENDING = ".manifest.json"


def is_in_folder(upload: Upload) -> bool:
    """Whether a training file is in a separate folder: then it is a part, or closes the folder."""
    return upload.purpose == "training" and upload.key.count("/") > 2


def closes_folder(upload: Upload) -> bool:
    """Whether the object marks its folder as complete."""
    return is_in_folder(upload) and is_closing_name(upload.filename)


def folder_of(upload: Upload) -> str:
    """Return the prefix of the folder of an object, with its final slash."""
    return upload.key[: len(upload.key) - len(upload.filename)]


def is_closing_name(name: str) -> bool:
    """Whether a file of that name closes a folder."""
    return name == SUCCESS_FILE or name.endswith(MANIFEST_ENDING)


def is_part_name(name: str) -> bool:
    """Whether an object of a closed folder is a part, by its key below the folder.

    Files of tools begin with `_` or `.`, or have a name that is ignored everywhere.
    """
    last = name.rsplit("/", 1)[-1]
    is_of_a_tool = last.startswith(("_", ".")) or why_ignored_name(name) is not None
    return bool(last) and not is_of_a_tool and not is_closing_name(last)
