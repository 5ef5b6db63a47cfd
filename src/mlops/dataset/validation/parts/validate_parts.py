"""Validates a table that comes in parts: each part for itself, then all of them as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.dataset.limits import Limits
from mlops.dataset.validation.parts.check_agreement import agree, corrected
from mlops.dataset.validation.parts.joining import joined_mark, text_of_part, write_joined
from mlops.dataset.validation.parts.part_facts import (
    PartFacts,
    merged_all,
    read_facts,
    survey_of,
    write_facts,
)
from mlops.dataset.validation.parts.part_rules import report_on_parts
from mlops.dataset.validation.survey.agreement import Agreement
from mlops.dataset.validation.survey.expectations import expected_contract
from mlops.dataset.validation.survey.gathering import assign_roles, start_survey
from mlops.dataset.validation.survey.spill import Spill
from mlops.dataset.validation.survey.survey import Survey
from mlops.infrastructure.upload_events import Purpose
from mlops.models.dataset import Contract, Finding, ValidationReport
from mlops.models.errors import DatasetError
from mlops.models.settings.format import FileFormatSettings
from mlops.models.settings.group import GroupSettings


@dataclass(frozen=True, slots=True)
class PartedTable:
    """What is the same for all parts of a table; without an agreement none of them could be read."""

    settings: GroupSettings
    contract: Contract | None
    limits: Limits
    agreement: Agreement | None
    purpose: Purpose = "training"

    @property
    def form(self) -> FileFormatSettings:
        """What the settings state about how the parts are written."""
        return self.settings.format.of(self.purpose)


@dataclass(frozen=True, slots=True)
class Merge:
    """All parts put together."""

    parts: tuple[PartFacts, ...]
    whole: Survey

    @property
    def correction(self) -> Agreement | None:
        """How the parts must be read once more, None when they were read well."""
        return corrected(self.whole.agreed, self.whole) if self.whole.agreed and self.whole.columns else None

    def report(self, others: Sequence[Finding] = ()) -> ValidationReport:
        """Judge the table by the same rules as a single file."""
        findings = list(others)
        if not others and all(part.is_empty for part in self.parts):
            message = "All parts are empty: none of them holds a byte."
            findings.append(Finding("empty_file", "reject", message, advice="Export the table again."))
        return report_on_parts(self.whole, [(part.name, part.findings) for part in self.parts], findings)


def survey_part_file(path: Path, name: str, table: PartedTable, facts: Path) -> None:
    """Survey one part and write its facts to a file; bad content is a fact, never an exception."""
    survey = start_survey(
        path,
        table.settings,
        table.contract,
        purpose=table.purpose,
        limits=table.limits,
        agreed=table.agreement,
    ).completed()
    write_facts(survey, name, facts)


def merge_facts(facts: Sequence[Path], table: PartedTable) -> Merge:
    """Merge the facts of all parts in their order; the rows are compared only where ids repeat."""
    merge = _merged(facts, table, with_rows=False)
    keys = merge.whole.keys
    if keys is not None and (not merge.whole.id_names or keys.must_compare_rows):
        merge = _merged(facts, table, with_rows=True)
    return merge


def validate_parts(
    parts: Sequence[Path],
    settings: GroupSettings | None = None,
    contract: Contract | None = None,
    *,
    purpose: Purpose = "training",
    limits: Limits | None = None,
) -> ValidationReport:
    """Check files that are parts of one table and say whether the table can be used.

    Parameters
    ----------
    parts
        The files in the order of their rows, each with the header.
    settings, contract, purpose, limits
        As for `validate`.

    Returns
    -------
    ValidationReport
        As `validate` gives for the file that holds the rows of all parts; findings also name the part. Its
        digest and size are those of that file.

    Raises
    ------
    DatasetError
        If no parts are given.
    """
    if not parts:
        raise DatasetError("No parts were given to validate.")
    stated, bounds = settings or GroupSettings(), limits or Limits()
    size_bytes = sum(path.stat().st_size for path in parts)
    agreement = agree(parts, stated, contract, limits=bounds, size_bytes=size_bytes)
    table = PartedTable(stated, contract, bounds, agreement, purpose)
    merge = _read(parts, table)
    if merge.correction is not None:
        merge = _read(parts, replace(table, agreement=merge.correction))
    return with_content(merge.report(), *_joined_content(parts, merge, table))


def _joined_content(parts: Sequence[Path], merge: Merge, table: PartedTable) -> tuple[str, int]:
    """Return digest and size of the file that holds the rows of all parts."""
    texts = (
        text
        for path, skipped, part in zip(parts, skipped_bytes(merge.parts), merge.parts, strict=True)
        if part.is_table
        for text in text_of_part(path, part.inspection, skipped)
    )
    with TemporaryDirectory() as folder:
        return write_joined(texts, Path(folder) / "joined.csv", mark=joined_mark(table.form))


def skipped_bytes(parts: Sequence[PartFacts]) -> list[int]:
    """Return how much of the beginning of each part is not in the joined file: later headers."""
    first = next((position for position, part in enumerate(parts) if part.is_table), None)
    return [
        0 if position == first or part.dialect is None else part.dialect.skipped_bytes
        for position, part in enumerate(parts)
    ]


def with_content(report: ValidationReport, sha256: str, size_bytes: int) -> ValidationReport:
    """Return the report with the identity of the bytes that it speaks of."""
    learned = report.contract and replace(report.contract, learned_from=sha256)
    return replace(report, sha256=sha256, size_bytes=size_bytes, contract=learned)


def _read(parts: Sequence[Path], table: PartedTable) -> Merge:
    with TemporaryDirectory() as folder:
        facts = [Path(folder) / f"{position}.npz" for position in range(len(parts))]
        for path, target in zip(parts, facts, strict=True):
            survey_part_file(path, path.name, table, target)
        return merge_facts(facts, table)


def _merged(facts: Sequence[Path], table: PartedTable, *, with_rows: bool) -> Merge:
    read = [read_facts(path, with_rows=with_rows) for path in facts]
    parts = tuple(part for part in read if not part.is_empty) or tuple(read)
    blank = Survey(
        parts[0].inspection,
        table.purpose,
        table.settings,
        table.limits,
        expected_contract(table.contract, table.settings, table.purpose),
        form=table.form,
        agreed=table.agreement,
    )
    spill = Spill()
    surveys = [survey_of(part, blank, spill) for part in parts if part.is_table]
    return Merge(tuple(read), merged_all(surveys) if surveys else _unread(parts, blank))


def _unread(parts: Sequence[PartFacts], blank: Survey) -> Survey:
    """Return what is known of a table of which no row could be read."""
    blank.dialect = next((part.dialect for part in parts if part.dialect is not None), None)
    if blank.dialect is not None and blank.agreed is not None:
        blank.names = blank.agreed.names
        assign_roles(blank)
    return blank
