"""Check that a tag may become a release, and print its notes.

    python .ci/release_notes.py v0.2.0    check the tag, and print the notes
    python .ci/release_notes.py --tag     print the tag of the current version

The tag is `v` and the version of the package, and CHANGELOG.md has a dated section of that version, which is
printed without its heading. Otherwise one sentence on stderr says what is missing, and the exit code is 1.
Uses the standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
_HEADING = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
_DATED = re.compile(r"(?P<version>\d+\.\d+\.\d+) \(\d{4}-\d{2}-\d{2}\)")


def package_version(source: str) -> str:
    """Return the version that the text of `mlops/__init__.py` sets."""
    match = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    if match is None:
        raise ValueError("src/mlops/__init__.py sets no __version__")
    return match.group(1)


def release_notes(tag: str, version: str, changelog: str) -> str:
    """Return the section of the changelog that belongs to a tag.

    Raises
    ------
    ValueError
        If the tag is not that of the version, or the changelog has no dated section of it.
    """
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but the package has the version {version}")
    headings = list(_HEADING.finditer(changelog))
    ends = [heading.start() for heading in headings[1:]] + [len(changelog)]
    for heading, end in zip(headings, ends, strict=True):
        dated = _DATED.fullmatch(heading["title"])
        if dated and dated["version"] == version:
            return changelog[heading.end() : end].strip()
    raise ValueError(f"CHANGELOG.md has no section '## {version} (YYYY-MM-DD)'")


def main(arguments: list[str]) -> int:
    """Print the notes of the tag, or say why it cannot be released."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python .ci/release_notes.py TAG | --tag\n")
        return 2
    source = (REPOSITORY / "src" / "mlops" / "__init__.py").read_text(encoding="utf-8")
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    try:
        version = package_version(source)
        is_question = arguments[0] == "--tag"
        answer = f"v{version}" if is_question else release_notes(arguments[0], version, changelog)
        sys.stdout.write(answer + "\n")
    except ValueError as error:
        sys.stderr.write(f"No release: {error}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
