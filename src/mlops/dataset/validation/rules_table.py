"""The table of all rules for the documentation.

python -m mlops.dataset.validation.rules_table > docs/reference/validation-rules.md
"""

from __future__ import annotations

import sys
from itertools import groupby

from mlops.dataset.validation.rule import Rule
from mlops.dataset.validation.rules import RULES

_STAGES = {
    "file": "always",
    "header": "when the file is text with a header",
    "records": "when it could be read as a table",
    "names": "when the form of the table is right",
    "rows": "when the columns are those that are expected, too",
}
BEFORE_READING = {
    "settings": "`model.toml` of the group cannot be read or says something impossible.",
    "parts": "A closed folder has no parts, too many, parts in folders below, or parts that were deleted.",
    "manifest": "A manifest cannot be read, or names something that is not a part.",
    "policy": "`model.toml` asks for less than the approval policy of the stack or the group requires.",
    "training_limit": "A training file found no day on which its group had a training left.",
    "features": "The features of a file cannot be read from the feature store; or says what was read.",
    "feature_values": "A file of features does not fit the definition of its view.",
    "no_champion": "A file to score was dropped for a group without a model in service.",
}
AT_CONVERSION = {
    "archive": ("A zip archive has no table, more than one, a password or unsafe names.", "reject"),
    "broken_json": ("A line of a JSON file, or an element of its array, is not a complete object.", "reject"),
    "converted": ("The file was of another format; says what its line numbers mean.", "info, warn"),
    "nested_columns": ("A column of a Parquet or JSON file has lists, objects or binary data.", "reject"),
    "sheet": (
        "A workbook has several sheets with cells, or not the one that is stated.",
        "info, warn, reject",
    ),
}
IN_LABELS = {
    "future_labels": ("An outcome has a time that is not yet.", "reject"),
    "label_batches": ("A row names a batch that is not in the ledger, or several.", "reject"),
    "label_columns": (
        "There is no outcome, or nothing that says which prediction a row belongs to.",
        "reject",
    ),
    "label_numbers": ("An outcome is not a number, and the target is.", "reject"),
    "label_rows": ("A row number is not one of the batch.", "reject"),
    "label_times": ("The time of an outcome cannot be read.", "reject"),
    "labels_left_out": ("Rows without an outcome or an id were left out.", "info, warn"),
    "no_labels": ("No row has an id and an outcome.", "reject"),
    "unknown_classes": ("An outcome is of a class that the model does not know.", "reject"),
}
_INTRODUCTION = """\
# Validation rules

Every finding of `mlops validate` and every email about a rejected file names one of these rules. This page is
generated from the rules themselves; a test keeps it current.

A finding is `reject` (the file is not used), `warn` (it is used, and the report says what to look at) or
`info`.
"""


def render_rules_table() -> str:
    """Return the page in Markdown: one section per subject, one line per rule."""
    ordered = sorted(RULES.values(), key=lambda rule: (_subject(rule), rule.rule_id))
    sections = [_section(subject, list(rules)) for subject, rules in groupby(ordered, _subject)]
    refused = [f"| `{rule_id}` | {why} | reject |" for rule_id, why in BEFORE_READING.items()]
    upload = [
        "## Uploads",
        "",
        "Before a dropped file is read:",
        "",
        "| rule | when | severity |",
        "|---|---|---|",
    ]
    converted = [f"| `{rule_id}` | {what} | {does} |" for rule_id, (what, does) in AT_CONVERSION.items()]
    formats = [
        "",
        "## Formats",
        "",
        "When a file of another format than CSV is converted (`empty_file`, `encoding`, `preamble`,"
        " `too_large`, `truncated` and `wrong_container` may be found there as well):",
        "",
        "| rule | when | severity |",
        "|---|---|---|",
    ]
    labels = [
        "",
        "## Labels",
        "",
        "A file of labels is used as a whole or not at all:",
        "",
        "| rule | when | severity |",
        "|---|---|---|",
        *(f"| `{rule_id}` | {what} | {does} |" for rule_id, (what, does) in IN_LABELS.items()),
    ]
    return "\n".join([_INTRODUCTION, *sections, *upload, *refused, *formats, *converted, *labels, ""])


def _section(subject: str, rules: list[Rule]) -> str:
    lines = [f"## {subject}", "", "| rule | finds | does | checked |", "|---|---|---|---|"]
    lines += [
        f"| `{rule.rule_id}` | {_cell(rule.title)} | {_cell(_first_line(rule))} | {_STAGES[rule.stage]} |"
        for rule in rules
    ]
    return "\n".join([*lines, ""])


def _subject(rule: Rule) -> str:
    return rule.check.__module__.rsplit(".", 1)[-1].replace("_", " ").capitalize()


def _first_line(rule: Rule) -> str:
    return (rule.check.__doc__ or "").strip().splitlines()[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render_rules_table())
