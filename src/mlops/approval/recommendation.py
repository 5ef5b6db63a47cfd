"""The recommendation about a candidate in one line, as page and emails begin with it."""

from __future__ import annotations

from mlops.models.approval import Evidence, ScoreEvidence
from mlops.pages.number_format import counted


def recommend(evidence: Evidence) -> str:
    """Return one sentence: `Passes its gate, but arr_delay gives the answer away.`"""
    if evidence.warning is not None:
        n_more = len(evidence.concerns) - 1
        others = f" (and {counted(n_more, 'further point')})" if n_more else ""
        return f"Passes its gate, but {evidence.warning.clause}{others}."
    clauses = ["it would be the first model in service"]
    if evidence.champion_version is not None:
        clauses = [_against(evidence.champion_version, evidence.deciding_score)]
    clauses += [concern.clause for concern in evidence.concerns]
    return f"Passes its gate; {'; '.join(clauses)}."


def result_in_subject(evidence: Evidence) -> str:
    """Return what the subject of an email says: pass, first model, or a warning and its first reason."""
    said = "First model" if evidence.champion_version is None else "Pass"
    if evidence.warning is None:
        return said
    warning = f"warning: {evidence.warning.label}"
    return f"First model, {warning}" if evidence.champion_version is None else warning.capitalize()


def _against(champion: str, score: ScoreEvidence | None) -> str:
    if score is None or score.difference_interval is None:
        return f"it was not compared with {champion} on the same rows"
    low, high = score.difference_interval
    if low > 0.0:
        return f"it is better than {champion}"
    return (
        f"it is worse than {champion}" if high < 0.0 else f"it is not clearly better or worse than {champion}"
    )
