"""Files that appear whole or not at all, and last through a power cut."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DRAFT_PREFIX = ".draft-"


def write_whole(path: Path, content: bytes) -> None:
    """Put the content in place of what is there; a reader sees the one or the other, never a part."""
    with draft(path.parent) as unfinished:
        write_durably(unfinished, content)
        unfinished.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def write_durably(path: Path, content: bytes) -> None:
    """Write the content and wait until the disk has it."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """Give a name of one's own in the folder, and leave nothing under it."""
    number, name = tempfile.mkstemp(prefix=_DRAFT_PREFIX, dir=folder)
    os.close(number)
    unfinished = Path(name)
    unfinished.chmod(0o644)  # mkstemp makes it private, what is kept is for the team
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def is_draft(path: Path) -> bool:
    """Tell whether the file is what a writer that died has left behind."""
    return path.name.startswith(_DRAFT_PREFIX)
