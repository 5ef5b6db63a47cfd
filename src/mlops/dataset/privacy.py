"""What must not be shown: personal data in cells, control characters and endless text in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

from mlops.models.dataset import Contract
from mlops.models.errors import MlopsError, StepError

_PERSONAL_NAMES = re.compile(
    r"(?:^|_)(?:ssn|social_security(?:_(?:no|number|nr))?|e_?mail(?:_?address)?|(?:tele?)?phone(?:_?(?:no|number))?|tel|telefon|mobile(?:_?number)?"
    r"|passport(?:_?(?:no|number))?|iban|credit_?card(?:_?number)?|first_?name|last_?name|sur_?name|full_?name"
    r"|patient_?name|street(?:_?address)?|home_?address|national_?id|tax_?id)$"
)
_PROTECTED_TRAITS = re.compile(
    r"(?:^|_)(?:race|ethnic(?:ity)?(?:_group)?|gender|sex|religion|nationality|disab(?:ility|led)|sexual_orientation"
    r"|skin_colou?r|marital(?:_status)?|pregnan(?:t|cy)|political_party|union_member(?:ship)?)$"
)
_PERSONAL_VALUES = {
    "e-mail addresses": re.compile(r"\s*[^@\s,;]{1,64}@[^@\s,;]+\.[A-Za-z]{2,}\s*"),
    "social security numbers": re.compile(r"\s*\d{3}-\d{2}-\d{4}\s*"),
    "telephone numbers": re.compile(
        r"\s*(?:(?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}"
        r"|(?:\+|00)[1-9](?:[ ./()-]{0,2}\d){8,14})\s*"
    ),
    "bank account numbers": re.compile(r"\s*[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\s*"),
    "payment card numbers": re.compile(r"\s*\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}\s*"),
}
_UNSAFE_PARTS = re.compile(r"@|\d{3}-\d{2}-\d{4}|\d{7,}")
_MAX_SHOWN = 40
_MAX_NAME = 512


def shown(text: str, limit: int = _MAX_SHOWN) -> str:
    """Return the text fit for a message: one line, printable, at most `limit` characters."""
    cut = text[: limit - 3] + "..." if len(text) > limit else text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in cut
    )


def name_in_report(name: str) -> str:
    """Return a column's name as it is, but for names that no table may have: a report stays small."""
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."


def safe_examples(values: Iterable[str]) -> tuple[str, ...]:
    """Return at most three values fit for a report: short, printable, nothing that looks personal."""
    fit = (shown(value, 24) for value in values if len(value) <= 40 and not _UNSAFE_PARTS.search(value))
    return tuple(dict.fromkeys(fit))[:3]


def is_accepted_before(column: str, contract: Contract | None) -> bool:
    """Whether a file with this column was accepted before; that settings state its kind is not consent.

    Nor was anything of the kind accepted in a column whose few levels the contract lists.
    """
    learned = (contract.learned or contract.columns) if contract and contract.is_learned else ()
    return any(each.name == column and each.levels is None for each in learned)


def personal_by_values(column: str, kind: str) -> str:
    """Return the sentence about a column whose values are of a `personal_kind`."""
    return f"Column {shown(column)} holds personal data (PII): most values look like {kind}."


def personal_by_name(column: str) -> str:
    """Return the sentence about a column of which `names_a_person` holds."""
    return f"Column {shown(column)} seems to hold personal data (PII), going by its name."


def names_a_person(column: str) -> bool:
    """Tell whether the name of a column announces personal data."""
    return bool(_PERSONAL_NAMES.search(_words(column)))


def names_a_protected_trait(column: str) -> bool:
    """Tell whether the name of a column announces a trait by which the law forbids to discriminate.

    Age is not among them: most models of people have it, and a warning that always comes is not read.
    """
    return bool(_PROTECTED_TRAITS.search(_words(column)))


def _words(column: str) -> str:
    """Return a name in small letters, its words apart by `_`."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    return re.sub(r"[^a-z]+", "_", name.lower()).strip("_")


def personal_kind(values: Iterable[str]) -> str | None:
    """Say which kind of personal data most of the values look like, or None."""
    # longer cells are prose; they are also what a hostile file would slow the patterns down with
    present = [value[:100] for value in values if value.strip()]
    max_others = len(present) - max(3, 0.5 * len(present))
    if max_others < 0:
        return None
    return next(
        (kind for kind in _PERSONAL_VALUES if _count_others(kind, present, max_others) <= max_others), None
    )


def _count_others(kind: str, values: Sequence[str], limit: float) -> int:
    """Return how many values are not of a kind, or the first number above the limit."""
    n_others, pattern = 0, _PERSONAL_VALUES[kind]
    for value in values:
        if not (pattern.fullmatch(value) and _is_plausible(kind, value)):
            n_others += 1
            if n_others > limit:
                break  # as for most columns
    return n_others


def _is_plausible(kind: str, value: str) -> bool:
    """Card numbers carry a check digit (Luhn); without it long ids would be taken for cards."""
    if kind != "payment card numbers":
        return True
    digits = [int(character) for character in reversed(value) if character.isdigit()]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


@contextmanager
def keeping_cells_out() -> Iterator[None]:
    """Let no message of a library through, because it may quote cells; its kind and its place are enough.

    Raises
    ------
    StepError
        Instead of any error that is neither ours nor one of files and services.
    """
    try:
        yield
    except (MlopsError, OSError):
        raise
    except Exception as error:  # noqa: BLE001  whatever a library raises
        ours = [frame for frame in extract_tb(error.__traceback__) if "mlops" in Path(frame.filename).parts]
        place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
        raise StepError(
            f"Reading the data failed, by a fault of ours: {type(error).__name__} at {place}."
        ) from None
