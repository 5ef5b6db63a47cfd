"""Records that release 0.1 stored as JSON files: imported into a table, then moved to a backup folder."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

BACKUP_FOLDER = ".backup-0.1"

logger = logging.getLogger(__name__)


def import_once(
    root: Path, find_paths: Callable[[], Iterable[Path]], import_path: Callable[[Path], None]
) -> None:
    """Import files or folders below `root`, and move each to the same place below the backup folder.

    An import that was interrupted continues with the next call, so `import_path` must be idempotent. Of
    several processes one imports and the others wait for it.
    """
    if not any(find_paths()):
        return
    backup = root / BACKUP_FOLDER
    backup.mkdir(exist_ok=True)
    with exclusive_lock(backup / ".lock"):
        paths = sorted(find_paths())
        for path in paths:
            import_path(path)
            target = backup / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    if paths:  # printed to stderr unless the caller has configured logging
        logger.warning("%s: imported the records of release 0.1; its files are now in %s.", root, backup)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold a lock between processes until the end of the block or of the process."""
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
