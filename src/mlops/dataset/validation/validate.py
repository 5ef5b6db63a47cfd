"""Validation: survey a file, apply the rules, give a verdict."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mlops.dataset.conversion.convert import as_table_file
from mlops.dataset.conversion.table_file import TableFile
from mlops.dataset.conversion.workbook import SheetChoice
from mlops.dataset.limits import Limits
from mlops.dataset.privacy import keeping_cells_out, name_in_report
from mlops.dataset.validation.contracts import contract_of, written
from mlops.dataset.validation.rule import Stage, findings_by_stage
from mlops.dataset.validation.rules import RULES
from mlops.dataset.validation.survey.gathering import start_survey
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.target import task_of
from mlops.infrastructure.upload_events import Purpose
from mlops.models.dataset import ColumnSummary, Contract, FileFormat, Finding, ValidationReport, Verdict
from mlops.models.errors import DatasetError
from mlops.models.settings.group import GroupSettings

# rules about single cells, whose rows are not scored
_UNREADABLE_CELLS = frozenset(("type_mismatch", "non_finite"))
_NOT_SCORED = "These rows get no prediction; correct the cells and drop the file again to score them."
_SEVERITY_ORDER = {"reject": 0, "warn": 1, "info": 2}


def validate(
    path: str | os.PathLike[str] | pd.DataFrame,
    settings: GroupSettings | Mapping[str, Any] | None = None,
    contract: Contract | Mapping[str, Any] | None = None,
    *,
    purpose: Purpose = "training",
    limits: Limits | None = None,
) -> ValidationReport:
    """Check a file of data and say whether it can be used.

    Parameters
    ----------
    path
        The file: CSV in any delimiter and common encoding, also gzip-compressed, or what is converted to it
        (Parquet, JSON, Excel, zip, zstandard). A frame is checked as the file that pandas writes of it.
    settings, contract
        The settings of the model group, or the same as a config dict, and what the group's files look like;
        without a contract rules of thumb apply.
    purpose
        `training` also checks target, classes and number of rows.

    Returns
    -------
    ValidationReport
        `verdict` is `accept`, `warn` (usable, read the findings) or `reject`. Bad content is a verdict, never
        an exception, and the same file always gets the same report.

    Raises
    ------
    DatasetError
        If the file does not exist.
    MissingPackageError
        If the format of the file needs the extra `formats`, which is not installed.
    """
    if isinstance(path, pd.DataFrame):
        with written(path) as copy:
            return validate(copy, settings, contract, purpose=purpose, limits=limits)
    stated = _settings(settings)
    expected = Contract.from_dict(contract, strict=True) if isinstance(contract, Mapping) else contract
    return _validate_file(Path(path), stated, expected, purpose=purpose, limits=limits or Limits())


def _validate_file(
    file: Path, settings: GroupSettings, contract: Contract | None, *, purpose: Purpose, limits: Limits
) -> ValidationReport:
    if not file.is_file():
        raise DatasetError(f"There is no file {file}.")
    with as_table_file(file, SheetChoice.of(settings.format.of(purpose)), limits) as table:
        return validate_table_file(table, settings, contract, purpose=purpose, limits=limits)


def validate_table_file(
    table: TableFile, settings: GroupSettings, contract: Contract | None, *, purpose: Purpose, limits: Limits
) -> ValidationReport:
    """Check a file that is CSV, or was converted to it, as `validate` does."""
    if table.conversion is not None and table.conversion.is_refused:
        return table.conversion.rejection(purpose)
    survey = start_survey(
        table.path, settings, contract, purpose=purpose, limits=limits, conversion=table.conversion
    ).completed()
    return report_on(survey)


@keeping_cells_out()
def report_on(survey: Survey) -> ValidationReport:
    """Apply the rules as far as the survey got, and up to the stage that refuses; worst findings first."""
    before = survey.conversion.findings if survey.conversion else ()
    return report_with(survey, [*before, *findings_by_stage(RULES.values(), survey, reached(survey))])


def report_with(survey: Survey, findings: list[Finding]) -> ValidationReport:
    """Return the report of a survey with these findings, the worst first."""
    if not survey.is_training:
        findings = [_at_scoring(finding, survey) for finding in findings]
    findings = sorted(findings, key=lambda finding: _SEVERITY_ORDER[finding.severity])
    target = survey.target_column
    n_unlabelled = target.n_missing if target is not None and survey.is_training else 0
    return ValidationReport(
        verdict=verdict_of(findings),
        findings=tuple(findings),
        n_rows=survey.n_rows - n_unlabelled,
        n_columns=len(survey.names),
        sha256=survey.inspection.sha256,
        size_bytes=survey.inspection.size_bytes,
        purpose=survey.purpose,
        target=name_in_report(survey.target) if survey.is_training and survey.target else None,
        task=task_of(survey) if survey.is_training else None,
        format=_format(survey),
        columns=tuple(_summaries(survey)),
        contract=contract_of(survey),
    )


def _at_scoring(finding: Finding, survey: Survey) -> Finding:
    """Return a finding as it counts for a file to score: a few rows with unreadable cells refuse no file."""
    is_refused = finding.severity == "reject" and finding.rule_id in _UNREADABLE_CELLS
    n_bad = finding.count or survey.n_rows
    if not is_refused or survey.settings.scoring.refuses(n_bad, survey.n_rows):
        return finding
    return replace(finding, severity="warn", advice=_NOT_SCORED)


def _settings(settings: GroupSettings | Mapping[str, Any] | None) -> GroupSettings:
    if isinstance(settings, GroupSettings):
        return settings
    return GroupSettings.from_config(settings or {})


def reached(survey: Survey) -> set[Stage]:
    """Return the stages whose rules make sense for what could be read."""
    stages: set[Stage] = {"file"}
    if survey.dialect is not None:
        stages |= {"header", "names"}
    if survey.columns:
        stages |= {"records", "rows"}
    return stages


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict on a file with these findings: that of the worst."""
    severities = {finding.severity for finding in findings}
    if "reject" in severities:
        return "reject"
    return "warn" if "warn" in severities else "accept"


def _format(survey: Survey) -> FileFormat | None:
    if survey.dialect is None:
        return None
    inspection, dialect = survey.inspection, survey.dialect
    return FileFormat(
        encoding=inspection.encoding,
        has_bom=inspection.has_bom,
        compression=inspection.compression,
        delimiter=dialect.delimiter,
        decimal=dialect.decimal,
        line_ending=inspection.line_ending,
        header_line=dialect.header_line,
        converted_from=survey.conversion.source_format if survey.conversion else None,
        quote=dialect.quote,
        comment=dialect.comment,
        escape=dialect.escape,
        has_header=dialect.has_header,
        names=survey.form.names or (),
    )


def _summaries(survey: Survey) -> list[ColumnSummary]:
    summaries = []
    for column in survey.columns:
        role = survey.role_of(column)
        is_number = column.has_range and not survey.is_id(column)
        summaries.append(
            ColumnSummary(
                name=column.name,
                kind=column.kind,
                role=role,
                n_missing=column.n_missing,
                minimum=column.range.minimum if is_number else None,
                maximum=column.range.maximum if is_number else None,
                n_levels=None if column.is_numeric else column.n_levels,
                missing_tokens={} if role == "id" else dict(column.tokens),
            )
        )
    return summaries
