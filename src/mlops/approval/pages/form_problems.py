"""What is wrong with the form of a decision, in the words that its page shows."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.registry.tags import find_reason_problem


def find_form_problem(form: Mapping[str, str], version: str, *, needs_reason: bool) -> str:
    """Return what is wrong with the version or the reason of a form; empty when both are right."""
    if form.get("version", "").strip() != version:
        return f"Nothing was decided: type the version exactly as {version}."
    reason = form.get("reason", "").strip()
    problem = find_reason_problem(reason, is_required=needs_reason)
    return f"Nothing was decided: {problem}." if problem else ""
