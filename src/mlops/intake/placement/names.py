"""Names of objects that are never data: of unfinished transfers, operating systems, checksums and notes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import cache


@dataclass(frozen=True, slots=True)
class IgnoredName:
    """Names that are ignored; `patterns` are for the last part of a key in small letters, `*` is any text."""

    reason: str
    why: str
    patterns: tuple[str, ...]


IGNORED_NAMES = (
    IgnoredName(
        "hidden_file",
        "names that begin with a dot are for programs, such as .DS_Store, .gitkeep or ._x",
        (".*",),
    ),
    IgnoredName(
        "unfinished_transfer",
        "a browser, an upload or a program has not finished this file; the finished one has another name",
        (
            *("*.part", "*.partial", "*.crdownload", "*.download", "*.opdownload", "*.filepart", "*.aria2"),
            *("*.tmp", "*.temp", "*.inprogress", "*.incomplete", "*.uploading", "*._copying_"),
            *("*.gstmp", "*.!ut", "*.unfinished"),
        ),
    ),
    IgnoredName(
        "lock_or_backup",
        "an office program or an editor made it beside the file that is open, and removes it again",
        ("~$*", "*~", "*.swp", "*.swo", "*.swx", "*.bak", "*.lock", "*.lck", "#*#"),
    ),
    IgnoredName(
        "system_file",
        "an operating system or a storage program keeps its own data in it",
        (
            *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "*.lnk", "icon\r"),
            *("_committed_*", "_started_*", "_metadata", "_common_metadata", "*.crc"),
        ),
    ),
    IgnoredName(
        "checksum_or_signature",
        "it has the checksum or the signature of another file",
        (
            *("*.md5", "*.md5sum", "*.sha[0-9]*", "md5sums*", "sha[0-9]*sums*"),
            *("*.sfv", "*.asc", "*.sig", "checksums", "checksum", "checksums.txt", "checksum.txt"),
        ),
    ),
    IgnoredName(
        "notes",
        "it is a text for people about the files beside it",
        ("readme", "readme[._-]*", "license", "license.txt", "licence", "licence.txt", "*.md"),
    ),
)
# folders whose whole content is of a system or of an unfinished write, like that of hidden folders
IGNORED_FOLDERS = frozenset(("__macosx", "_temporary", "$recycle.bin", "system volume information", "@eadir"))
IGNORED_BECAUSE = {entry.reason: entry.why for entry in IGNORED_NAMES}


def why_ignored_name(key: str) -> str | None:
    """Return the reason for which an object of that key is ignored by name; None when it is not."""
    *folders, name = key.split("/")
    if any(folder.lower() in IGNORED_FOLDERS or _is_hidden(folder) for folder in folders):
        return "system_file"
    return next((entry.reason for entry in IGNORED_NAMES if _pattern(entry).fullmatch(name.lower())), None)


def _is_hidden(folder: str) -> bool:
    return folder.startswith(".") and folder not in (".", "..")


@cache
def _pattern(entry: IgnoredName) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in entry.patterns))
