"""Rules on one part of a table that comes in several."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.dataset.form.delimiters import DELIMITERS
from mlops.dataset.privacy import shown
from mlops.dataset.validation.rule import RuleFinding, plural, rule
from mlops.dataset.validation.survey.survey import Survey

_ADVICE = "Write all parts with the same header, in the same order and with the same delimiter."


@rule("part_header", "A part has another header, or another delimiter, than the first one.", stage="header")
def part_header(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a part whose columns are not those of the others."""
    agreed, dialect = survey.agreed, survey.dialect
    if agreed is None or dialect is None or survey.names == agreed.names:
        return
    lines = (dialect.header_line,)
    if len(survey.names) == 1 and len(agreed.names) > 1:
        delimiter = DELIMITERS.get(agreed.delimiter, "other character")
        message = f"Cut at every {delimiter}, as the first part is, its header has one column only."
        yield RuleFinding("reject", message, lines=lines, advice=_ADVICE)
        return
    yield RuleFinding("reject", _difference(survey.names, agreed.names), lines=lines, advice=_ADVICE)


def _difference(names: tuple[str, ...], agreed: tuple[str, ...]) -> str:
    absent = [shown(name) for name in agreed if name not in names]
    extra = [shown(name) for name in names if name not in agreed]
    differences = [
        f"{what} {', '.join(these[:5])}" for what, these in (("without", absent), ("with", extra)) if these
    ]
    if differences:
        return f"The header is another one than in the first part: {', '.join(differences)}."
    if len(names) != len(agreed):
        return f"The header has {plural(len(names), 'column')}, that of the first part {len(agreed)}."
    return "The header has the columns of the first part in another order."
