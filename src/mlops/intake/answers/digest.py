"""The digest of a group: one email about the unused files that got no email of their own."""

from __future__ import annotations

from collections import defaultdict

from mlops.dataset.catalog.versions import DatasetVersions
from mlops.infrastructure.notifications import Notifier
from mlops.models.intake.uploads import UploadRecord

_MAX_BYTES = 200_000  # SNS takes 256 KiB


class Digests:
    """Collects uploads that wait for a digest, then sends one email for each group."""

    def __init__(self) -> None:
        self._records: dict[str, list[UploadRecord]] = defaultdict(list)

    def add(self, record: UploadRecord) -> None:
        """Add an upload with an entry for a digest."""
        if record.digest is not None:
            self._records[record.digest.group].append(record)

    def send(self, versions: DatasetVersions, notifier: Notifier) -> int:
        """Send the digests and return how many; an upload is marked after its digest was sent.

        A run that is killed in between leaves the others for the next digest, so none is lost.
        """
        for group, records in sorted(self._records.items()):
            lines = [record.digest.line for record in records if record.digest]
            notifier.send_email(*compose_digest(group, lines), group=group)
            for record in records:
                versions.save_upload(record.changed(digest=None))
        return len(self._records)


def compose_digest(group: str, lines: list[str]) -> tuple[str, str]:
    """Return subject and body of a digest; lines that an email has no room for are counted."""
    parts, n_bytes = [], 0
    for line in lines:
        n_bytes += len(line.encode()) + 3
        if n_bytes > _MAX_BYTES:
            break
        parts.append(f"- {line}")
    if len(parts) < len(lines):
        parts.append(f"- and {len(lines) - len(parts):,} more; `mlops datasets list --ignored` lists all.")
    body = (
        f"{len(lines):,} files were not used, and there were too many for an email each:\n\n"
        + "\n".join(parts)
        + "\n\nThe files are where you put them. Drop those that you need again in the right place.\n"
    )
    return f"[{group}] {len(lines):,} files were not used", body
