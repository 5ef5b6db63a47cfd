"""The rules of validation, by theme. Importing this package fills the table in `registry.RULES`."""

from mlops.dataset.validation.rule import RULES, Rule, rule
from mlops.dataset.validation.rules import (
    duplicates,
    file,
    form,
    header,
    leakage,
    lookalikes,
    missing,
    notations,
    parts,
    personal,
    ranges,
    settings,
    structure,
    target,
    text,
    types,
)

__all__ = [
    "RULES",
    "Rule",
    "duplicates",
    "file",
    "form",
    "header",
    "leakage",
    "lookalikes",
    "missing",
    "notations",
    "parts",
    "personal",
    "ranges",
    "rule",
    "settings",
    "structure",
    "target",
    "text",
    "types",
]
