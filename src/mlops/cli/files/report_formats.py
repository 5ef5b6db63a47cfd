"""Reports of validation as text for people, as JSON, and in the formats that CI systems show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree

from mlops.dataset.limits import Limits
from mlops.dataset.privacy import shown
from mlops.models.dataset import Finding, Severity, ValidationReport

# the path of a file as it was named on the command line, and the report about it
type FileReport = tuple[str, ValidationReport]

_SIGNS: Mapping[Severity, str] = {"reject": "x", "warn": "!", "info": "-"}
_GITHUB_LEVELS: Mapping[Severity, str] = {"reject": "error", "warn": "warning", "info": "notice"}
_MAX_NAME = 100


def _as_text(reports: Sequence[FileReport]) -> str:
    return "\n".join(line for path, report in reports for line in _report_lines(path, report))


def _report_lines(path: str, report: ValidationReport) -> Iterator[str]:
    yield _verdict_line(path, report)
    for finding in report.findings:
        yield from _finding_lines(finding)


def _verdict_line(path: str, report: ValidationReport) -> str:
    name = shown(Path(path).name, _MAX_NAME)
    return f"{name}: {report.verdict} ({report.n_rows:,} rows, {report.n_columns:,} columns)"


def _finding_lines(finding: Finding) -> list[str]:
    lines = [f"  {_SIGNS[finding.severity]} {finding.message} [{finding.rule_id}]"]
    if len(finding.lines) > Limits().max_lines:
        lines.append(f"      lines: {', '.join(map(str, finding.lines))}")
    if finding.examples:
        lines.append(f"      for example: {', '.join(finding.examples)}")
    if finding.advice:
        lines.append(f"      {finding.advice}")
    if finding.accept_with:
        lines.append("      Or accept it on purpose, with these lines in model.toml:")
        lines += [f"        {line}" for line in finding.accept_with.splitlines()]
    return lines


def _as_json(reports: Sequence[FileReport]) -> str:
    """Return the report of one file, which is a contract for the next one; a list of several files."""
    if len(reports) == 1:
        return reports[0][1].to_json().rstrip("\n")
    documents = [{"file": path, **report.to_dict()} for path, report in reports]
    return json.dumps(documents, indent=2, ensure_ascii=False)


def _as_github(reports: Sequence[FileReport]) -> str:
    """Return workflow commands: GitHub shows each finding at its line of the file."""
    lines: list[str] = []
    for path, report in reports:
        lines += [_verdict_line(path, report), *(_annotation(path, each) for each in report.findings)]
    return "\n".join(lines)


def _annotation(path: str, finding: Finding) -> str:
    place = {"file": str(Path(path, *finding.parts[:1]))}
    if finding.lines:
        place["line"] = str(finding.lines[0])
    place["title"] = finding.rule_id
    properties = ",".join(
        f"{name}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in place.items()
    )
    text = "\n".join(filter(None, (finding.message, finding.advice, finding.accept_with)))
    return f"::{_GITHUB_LEVELS[finding.severity]} {properties}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return _printable(text).replace("%", "%25").replace("\n", "%0A")


def _as_junit(reports: Sequence[FileReport]) -> str:
    """Return JUnit's XML: one test case for each file, which fails when the file is rejected."""
    n_rejected = sum(report.verdict == "reject" for _, report in reports)
    suite = ElementTree.Element(
        "testsuite", name="mlops validate", tests=str(len(reports)), failures=str(n_rejected)
    )
    for path, report in reports:
        case = ElementTree.SubElement(suite, "testcase", classname="mlops.validate", name=_printable(path))
        text = _printable("\n".join(_report_lines(path, report)))
        for finding in report.of_severity("reject")[:1]:
            ElementTree.SubElement(
                case, "failure", type=finding.rule_id, message=_printable(finding.message)
            ).text = text
        ElementTree.SubElement(case, "system-out").text = text
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=False)


def _printable(text: str) -> str:
    """Return the text with what neither XML nor a terminal can show as escapes."""
    return "\n".join(shown(line, len(line)) for line in text.splitlines())


FORMATS: Mapping[str, Callable[[Sequence[FileReport]], str]] = MappingProxyType(
    {"text": _as_text, "json": _as_json, "github": _as_github, "junit": _as_junit}
)
