"""The rules of validation, by theme. Importing this package fills the table in `registry.RULES`."""

from mlops.dataset.rules import (
    duplicates,
    file,
    header,
    leakage,
    lookalikes,
    missing,
    parts,
    personal,
    ranges,
    settings,
    structure,
    target,
    text,
    types,
)
from mlops.dataset.rules.registry import RULES, Rule, rule

__all__ = [
    "RULES",
    "Rule",
    "duplicates",
    "file",
    "header",
    "leakage",
    "lookalikes",
    "missing",
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
