"""The rules of validation, by theme. Importing this package fills the table in `registry.RULES`."""

from mlops.dataset.validation.rule import RULES, Rule, rule
from mlops.dataset.validation.rules import (
    file,
    form,
    header,
    index_columns,
    leakage,
    other_rows,
    parts,
    settings,
    structure,
    target,
    training,
)
from mlops.dataset.validation.rules.content import (
    duplicates,
    lookalikes,
    missing,
    notations,
    personal,
    ranges,
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
    "index_columns",
    "leakage",
    "lookalikes",
    "missing",
    "notations",
    "other_rows",
    "parts",
    "personal",
    "ranges",
    "rule",
    "settings",
    "structure",
    "target",
    "text",
    "training",
    "types",
]
