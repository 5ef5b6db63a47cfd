"""The recommendation about a candidate in one line, as page and emails begin with it."""

from __future__ import annotations

from mlops.models.approval import Evidence, ScoreEvidence


def recommend(evidence: Evidence) -> str:
    """Return one sentence: `Passes its gate, but arr_delay gives the answer away.`"""
    if evidence.concerns:
        n_more = len(evidence.concerns) - 1
        others = f" (and {n_more} further {'point' if n_more == 1 else 'points'})" if n_more else ""
        return f"Passes its gate, but {evidence.concerns[0].clause}{others}."
    if evidence.champion_version is None:
        return "Passes its gate; it would be the first model in service."
    return f"Passes its gate; {_against(evidence.champion_version, evidence.deciding_score)}."


def result_in_subject(evidence: Evidence) -> str:
    """Return what the subject of an email says: pass, first model, or a warning and of what."""
    said = "First model" if evidence.champion_version is None else "Pass"
    if not evidence.concerns:
        return said
    warning = f"warning: {evidence.concerns[0].label}"
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
