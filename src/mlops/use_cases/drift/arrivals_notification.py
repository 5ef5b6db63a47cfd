"""Texts and events about files that stopped arriving, and about unusual numbers of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.infrastructure.event_names import (
    ARRIVALS_ALERTED,
    ARRIVALS_RESOLVED,
    ARRIVALS_WARNED,
    DRIFT_RESOLVED,
)
from mlops.models.drift.report import ArrivalProblem, DriftReport
from mlops.monitoring.alert_state import NotificationKind
from mlops.monitoring.report.report_text import arrivals_line

ARRIVAL_EVENTS: Mapping[NotificationKind, str] = {
    "DriftDetected": ARRIVALS_ALERTED,
    "DriftWarned": ARRIVALS_WARNED,
    "DriftResolved": ARRIVALS_RESOLVED,
}
_SUBJECTS: Mapping[ArrivalProblem, str] = {
    "no_file": "No new file to score",
    "few_rows": "Fewer rows to score than usual",
    "many_rows": "More rows to score than usual",
}


def compose_arrivals(
    kind: NotificationKind, report: DriftReport, report_uri: str, link_text: str
) -> tuple[str, str]:
    """Return subject and body of the email about how the files of a group arrive."""
    group, arrivals = report.model_group or "", report.arrivals
    problem = arrivals.problem if arrivals else None
    if kind == DRIFT_RESOLVED:
        subject = "Files to score arrive as usual"
        advice = "Nothing to do. The earlier email about the files of this group is settled."
    else:
        subject = _SUBJECTS[problem] if problem else "Unusual files to score"
        advice = (
            "Look whether the job that delivers the files runs, and whether files were rejected.\n"
            "If it is as it should be, state expected_every_days in [drift] of model.toml (0 = no files are\n"
            "expected); it applies with the next version.\n"
            f"`mlops snooze {group} --days 7` keeps the next emails and the alarm of this group back."
        )
        advice += f"\n\nAcknowledge or snooze this alert here:\n{link_text}" if link_text else ""
    rule = f"Rule: {arrivals.rule}" if arrivals else ""
    facts = "\n".join(filter(None, (arrivals_line(report), rule)))
    return f"{subject}: {group}", f"{facts}\n\n{advice}\n\nThe whole report:\n{report_uri}\n"


def arrivals_detail(report: DriftReport, report_uri: str) -> dict[str, Any]:
    """Return the content of the events about how the files of a group arrive."""
    arrivals = report.arrivals.to_dict() if report.arrivals else {}
    return {
        "group": report.model_group,
        "model_version": report.model_version,
        **arrivals,
        "report_uri": report_uri,
    }
