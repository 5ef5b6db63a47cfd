"""What the names of columns announce: an id, the target, a date. The only place that decides by names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from mlops.models.dataset import Contract
from mlops.models.settings.group import GroupSettings

TARGET_NAMES = ("target", "label")

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # `patientId`, `PatientID`
_NO_LETTERS = re.compile(r"[\W_]+")
_ID_WORDS = frozenset(("id", "ids", "uuid", "guid", "mrn", "key", "idx", "rowid", "rownum"))
# what ids are of; written in one word with `id` only these are ids: `paid`, `grid` and `covid` are not
_ENTITIES = (
    "account|admission|applicant|booking|case|client|customer|device|employee|encounter|episode|household|"
    "invoice|item|member|order|participant|passenger|patient|person|physician|prescription|product|"
    "provider|record|row|sample|session|student|study|subject|transaction|user|visit"
)
_ENTITY_ID = re.compile(rf"(?:{_ENTITIES})(?:id|uuid|guid|key|idx)")
_ENTITY_NUMBER = re.compile(
    rf"(?:.* )?(?:{_ENTITIES}|policy|claim|contract|ticket|receipt|reference|ref|serial|file|card|loan|phone)"
    r"(?: ?(?:number|no|nr|num|code))?s?"
)
# `index` alone counts rows; after another word it is a measure, as in `body_mass_index`
_ROW_NUMBER = re.compile(
    r"(?:(?:row|record|line|case|obs|df) )?index|(?:row|record|line) (?:number|no|nr|num)"
)
# by pandas, by R; and what readr makes of a column without a name
_EXPORTED_INDEX = re.compile(r"(?:unnamed(?: \d+)*|level \d+|row ?names?)?")
_NAME_BY_READR = re.compile(r"\.{3}\d+")
# what is almost never predicted: moments, remarks, numbers of rows
_NEVER_A_TARGET = re.compile(
    r"(?:.* )?(?:(?:date|time)stamp|date ?time|date|created|updated|modified|(?:created|updated|modified) at|"
    r"comments?|remarks?|notes?|free ?text|description)|(?:lfd )?nr"
)
_DATE_NAME = re.compile(r"(?:^|.* )(?:date|datetime|day|dob|visit|time|timestamp|ts|epoch|at)")
_VERSION_NAME = re.compile(r"(?:.* )?(?:version|ver|release|build|firmware|section|chapter|clause)")
_CODE_NAME = re.compile(
    r"(?:.* )?(?:codes?|zip|zip ?code|post(?:al)? ?code|plz|postnr|naics|sic|nace|fips|ean|gtin|upc|isbn|sku|"
    r"barcode)"
)
# Releases before 0.2 read the first column of such a name as text. Frozen: it decides who is held out.
_READ_AS_TEXT_BEFORE = re.compile(r"(?:^|.*[_ .])(?:id|uuid|guid|mrn)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedRoles:
    """Target and ids by settings, contract or names, before any value was looked at.

    `ids` make up the identity of a row. An assumed id is one only if its values almost never repeat.
    """

    target: str | None = None
    is_target_assumed: bool = False
    ids: tuple[str, ...] = ()
    are_ids_assumed: bool = False


def named_roles(names: Sequence[str], settings: GroupSettings, contract: Contract | None) -> NamedRoles:
    """Return which column is the target and which are ids: stated, else in the contract, else by name."""
    stated = settings.target or (contract.target if contract else None)
    target = stated or _assumed_target(names)
    ids = settings.id_columns
    if not ids and contract is not None:
        ids = tuple(column.name for column in contract.columns if column.role == "id")
    named = (target, settings.time_column)
    assumed = (
        () if ids else tuple(name for name in names if name not in named and name and is_id_name(name))[:1]
    )
    present = tuple(name for name in ids or assumed if name in names)
    return NamedRoles(target, is_target_assumed=stated is None, ids=present, are_ids_assumed=bool(assumed))


@lru_cache(maxsize=8192)
def is_id_name(name: str) -> bool:
    """Whether the name is one of an id: `patient_id`, `PatientId`, `mrn`, `row_key`, `index`, `Unnamed: 0`.

    A name alone does not make an id: the values must almost never repeat, too.
    """
    words = _words(name)
    if not words or is_index_name(name) or _ROW_NUMBER.fullmatch(words):
        return True
    last = words.rsplit(" ", 1)[-1]
    return last in _ID_WORDS or bool(_ENTITY_ID.fullmatch(last))


def is_index_name(name: str) -> bool:
    """Whether programs give this name to an exported index: `Unnamed: 0`, `level_0`, `rownames`, `...1`."""
    return bool(name) and bool(_EXPORTED_INDEX.fullmatch(_words(name)) or _NAME_BY_READR.fullmatch(name))


def announces_entity(name: str) -> bool:
    """Whether the name is one of a thing that has a number: `account`, `policy_no`, `InvoiceNumber`.

    Such a number may as well be an amount or a count (`visit`, `case`), so the name alone makes no id.
    """
    return bool(_ENTITY_NUMBER.fullmatch(_words(name)))


def announces_date(name: str) -> bool:
    """Whether the name is one of a date or a time: `visit_date`, `dob`, `createdAt`."""
    return bool(_DATE_NAME.fullmatch(_words(name)))


def announces_code(name: str) -> bool:
    """Whether the name is one of a code, whose digits are no amount: `zip`, `postal_code`, `naics`."""
    return bool(_CODE_NAME.fullmatch(_words(name)))


def announces_version(name: str) -> bool:
    """Whether the name is one of a version or a section, which `1.9` and `1.10` tell apart."""
    return bool(_VERSION_NAME.fullmatch(_words(name)))


def first_id_before(names: Sequence[str], target: str | None) -> str | None:
    """Return the column that releases before 0.2 took for the id and read as text; None for none."""
    return next((name for name in names if name != target and _READ_AS_TEXT_BEFORE.fullmatch(name)), None)


def _assumed_target(names: Sequence[str]) -> str | None:
    lowered = {name.lower(): name for name in reversed(names) if name}
    named = next((lowered[name] for name in TARGET_NAMES if name in lowered), None)
    candidates = [name for name in reversed(names) if name and not is_id_name(name)]
    likely = (name for name in candidates if not _NEVER_A_TARGET.fullmatch(_words(name)))
    return named or next(likely, None) or next(iter(candidates), None)


def _words(name: str) -> str:
    """Return the words of a name in lower case, one space between them."""
    return _NO_LETTERS.sub(" ", _WORD_START.sub(" ", name)).strip().lower()
