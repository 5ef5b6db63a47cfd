"""Why a file cannot be converted: raised inside of this package, a finding outside of it."""

from __future__ import annotations

from mlops.models.dataset import Finding

SAVE_AS = "Save the table as CSV (UTF-8, comma-separated) and drop it again."


class RefusalError(Exception):
    """Ends the conversion of a file; `finding` says what is wrong and what to do."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def refused(
    rule_id: str, message: str, *, advice: str = SAVE_AS, column: str | None = None, line: int | None = None
) -> RefusalError:
    """Return the error to raise for a file that cannot be used."""
    lines = () if line is None else (line,)
    return RefusalError(Finding(rule_id, "reject", message, column=column, lines=lines, advice=advice))


def damaged(what: str) -> RefusalError:
    """Return the error for a file that cannot be read to its end."""
    message = f"The file cannot be read to its end: {what}."
    return refused("truncated", message, advice="Write and upload the file again.")


def too_large(excess: str) -> RefusalError:
    """Return the error for a file that is larger than the limits, or expands to more than they allow."""
    advice = "Split the file, or upload it uncompressed as CSV when it is honest data."
    return refused("too_large", f"The file is too large: {excess}.", advice=advice)


def not_a_table(container: str, advice: str = SAVE_AS) -> RefusalError:
    """Return the error for a file that is something else than a table."""
    return refused(
        "wrong_container", f"The file is {container}, not a table that can be read.", advice=advice
    )
