"""Model archives (`model.tar.gz`): packed alike every time, unpacked with distrust."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, cast

from mlops.dataset.form.compressing import reproducible_gzip
from mlops.models.errors import ArtifactError

MAX_MEMBERS = 1_000
MAX_UNPACKED_BYTES = 4 * 1024**3
MAX_RATIO = 200  # models compress to between a half and a thirtieth
MIN_LIMIT_BYTES = 64 * 1024**2  # so much may come of any archive, however small it is
_BLOCK_BYTES = 1024 * 1024


def sha256_of(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def pack(directory: Path, archive: Path) -> None:
    """Write the files of a directory as tar.gz; the same files give the same bytes."""
    with (
        archive.open("wb") as raw,
        reproducible_gzip(raw) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        for path in sorted(entry for entry in directory.rglob("*") if entry.is_file()):
            tar.add(path, arcname=path.relative_to(directory).as_posix(), filter=_without_origin)


def unpack(archive: Path, directory: Path, *, max_bytes: int = MAX_UNPACKED_BYTES) -> None:
    """Unpack regular files and folders, and nothing else, into a directory.

    Raises
    ------
    ArtifactError
        If the archive is damaged, or a member is a link or a device, leaves the directory, occurs twice, or
        the members are too many or too large. Everything is checked before the first file is written. An
        archive that expands to more than `MAX_RATIO` times its size is refused where it does so.
    """
    try:
        with gzip.open(archive) as expanded:
            stream = _Limited(expanded, max(MIN_LIMIT_BYTES, MAX_RATIO * archive.stat().st_size))
            with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as tar:
                for member, relative in _check_members(tar, max_bytes):
                    _write(tar, member, directory / relative)
    except ArtifactError:
        raise
    except Exception as error:  # whatever the readers of gzip and tar make of bytes that are none of theirs
        raise ArtifactError(
            f"The archive {archive.name} is damaged or cannot be unpacked: {error}"
        ) from error


class _Limited:
    """The expanded bytes of an archive, which end with an error when they are too many."""

    def __init__(self, stream: gzip.GzipFile, limit_bytes: int) -> None:
        self._stream, self._limit_bytes = stream, limit_bytes

    def read(self, size: int = -1) -> bytes:
        self._check(self._stream.tell() + max(size, 0))
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check(offset)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position > self._limit_bytes:
            raise ArtifactError(f"The archive expands to more than {MAX_RATIO} times its size.")


def _check_members(tar: tarfile.TarFile, max_bytes: int) -> list[tuple[tarfile.TarInfo, PurePosixPath]]:
    checked: list[tuple[tarfile.TarInfo, PurePosixPath]] = []
    seen: set[str] = set()
    unpacked_bytes = 0
    for member in tar:
        relative = PurePosixPath(member.name)
        if member.issparse() or not (member.isreg() or member.isdir()):
            raise ArtifactError(f"The archive contains {member.name!r}, which is not a regular file.")
        if relative.is_absolute() or ".." in relative.parts or "\\" in member.name or "\0" in member.name:
            raise ArtifactError(f"The archive contains {member.name!r}, which is outside of it.")
        if member.isdir():
            continue
        folded = str(relative).casefold()
        if folded in seen:
            raise ArtifactError(f"The archive contains {member.name!r} twice.")
        seen.add(folded)
        if member.size < 0:
            raise ArtifactError(f"The archive contains {member.name!r} with a size below 0.")
        unpacked_bytes += member.size
        if unpacked_bytes > max_bytes or len(seen) > MAX_MEMBERS:
            raise ArtifactError(f"The archive unpacks to more than {max_bytes} bytes or {MAX_MEMBERS} files.")
        checked.append((member, relative))
    return checked


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise ArtifactError(f"The archive contains {member.name!r}, which is not a regular file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as target:
        while block := source.read(_BLOCK_BYTES):
            target.write(block)


def _without_origin(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
    member.mode = 0o644
    return member
