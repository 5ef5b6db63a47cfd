"""Column names of a file to score: those that are written otherwise than in the contract are recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops.models.dataset import Contract


def matched_names(
    names: Sequence[str], contract: Contract | None
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return the names as the contract writes them, and for each one that differed how the file wrote it.

    Case, spaces, underscores and other signs do not count: `Patient_ID` is `patient_id`. A name that could be
    two columns, or a column that two names could be, stays as it is.
    """
    expected = set(contract.names) if contract else set()
    absent = _by_form([name for name in expected if name not in names])
    others = _by_form([name for name in names if name and name not in expected])
    taken = {
        others[form][0]: columns[0]
        for form, columns in absent.items()
        if form and len(columns) == 1 and len(others.get(form, ())) == 1
    }
    return tuple(taken.get(name, name) for name in names), {name: old for old, name in taken.items()}


def _by_form(names: Sequence[str]) -> dict[str, list[str]]:
    forms: dict[str, list[str]] = {}
    for name in names:
        form = "".join(character for character in name.casefold() if character.isalnum())
        forms.setdefault(form, []).append(name)
    return forms
