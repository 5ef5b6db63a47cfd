"""Settings that cannot work are refused in a sentence, and no text makes the reader fail in another way."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops.algorithms.selection import check_settings
from mlops.dataset.validation.validate import validate
from mlops.models.errors import SettingsError
from mlops.models.settings.document import line_of
from mlops.models.settings.group import GroupSettings, known_keys

TABLES = {
    "gate": ("roc_auc", "threshold", "min_absolute_change", "higher_is_better"),
    "drift": ("threshold", "alert_threshold", "exclude_columns"),
    "approval": ("required_approvals", "automatic"),
    "search": ("trials", "space", "tuning_job"),
    "format": ("delim", "encoding", "header", "names", "skip", "nullstr", "training", "inference"),
    "classes": ("min_rows", "rare"),
    "threshold": ("metric", "min_recall", "min_precision", "costs", "false_negative"),
    "intervals": ("coverage",),
    "columns": ("kind", "levels", "minimum", "missing_share", "dateformat", "missing"),
    "hyperparameters": ("n_estimators", "class_weight"),
    "date_parts": ("seen_on",),
}


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        GroupSettings.from_toml(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = " + "[" * 100_000 + "]" * 100_000, "characters; the limit"),
        ("x = " + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ("hyperparameters = " + "{a = " * 40 + "1" + "}" * 40, "nested too deeply"),
        ("a" + ".a" * 3_000 + " = 1", "nested too deeply"),
        ("seed = " + "9" * 5_000, "too many digits"),
        ("seed = 1" + "0" * 29, "seed must be a number of at most"),
        ("seed = -1", "seed must be from 0 to 2147483647"),
        ("test_fraction = 0.999", "from 0.001 to 0.9"),
        ("test_fraction = nan", "finite"),
        ("[gate]\nroc_auc = -inf", "gate.roc_auc must be a finite number"),
        ("[drift]\nthreshold = inf", "drift.threshold must be a finite number"),
        ("[columns.age]\nminimum = -inf", "columns.age.minimum must be a finite number"),
        ("[search]\ntrials = 100_000_000", "from 2 to 1000"),
        ("[search.space]\nC = [" + "1, " * 101 + "]", "2 to 100 choices"),
        ("[approval]\nrequired_approvals = 99999", "from 1 to 20"),
        ("[approval]\nrequired_approvals = 1.5", "whole number"),
        ("[approval]\nautomatic = 'no'", "true or false"),
        ("[gate.roc_auc]\nhigher_is_better = 'yes'", "true or false"),
        ("target = '" + "x" * 2_000 + "'", "2,000 characters"),
        ("target = 2026-01-05", "date or time; write it in quotes"),
        ("[hyperparameters]\nC = 2026-01-05T10:00:00Z", "date or time"),
        ("exclude_columns = [" + '"c", ' * 20_000 + "]", "the limit is 100,000"),
        ("[columns." + "k" * 600 + "]\nkind = 'text'", "key of more than 512"),
        ("[date_parts]\n" + "\n".join(f"d{i} = ['month']" for i in range(101)), "101 columns"),
        ("positive_label = ['yes']", "positive_label must be"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_in_a_short_sentence(text: str, message: str) -> None:
    sentence = refused(text)
    assert message in sentence
    assert len(sentence) < 450


@pytest.mark.parametrize(
    ("table", "value"),
    [("n_estimators", 10**9), ("max_depth", 10**6), ("learning_rate", 1e12)],
)
@pytest.mark.parametrize("where", ["hyperparameters", "search.space"])
def test_a_hyperparameter_that_no_machine_could_train_with_is_refused(
    where: str, table: str, value: float
) -> None:
    written = f"[2, {value}]" if where == "search.space" else f"{value}"
    with pytest.raises(SettingsError, match=f"{table} must be at most"):
        check_settings(GroupSettings.from_toml(f"algorithm = 'XGBoost'\n[{where}]\n{table} = {written}\n"))


@pytest.mark.parametrize(
    ("fraction", "n_rows", "is_refused"),
    [(0.9, 60, False), (0.95, 60, True), (0.02, 60, True), (0.02, 400, False)],
)
def test_a_split_that_leaves_too_few_rows_is_refused_before_the_training(
    fraction: float, n_rows: int, is_refused: bool
) -> None:
    rows = [(i * 7 % 31, i * 13 % 17, "yes" if i * i % 5 < 3 else "no") for i in range(n_rows)]
    frame = pd.DataFrame(rows, columns=["age", "doses", "left"])
    report = validate(frame, GroupSettings(target="left", test_fraction=fraction))
    assert ("held_out_rows" in {finding.rule_id for finding in report.findings}) == is_refused


def test_stored_settings_beyond_a_later_limit_stay_readable() -> None:
    document = {"seed": 2**40, "approval": {"required_approvals": 50, "automatic": False}}
    assert GroupSettings.from_dict(document).approval.required_approvals == 50


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('target = "y"\n\nseed = "x"\n', 3),
        ('target = "y"\r\n\r\nseed = "x"\r\n', 3),
        ("[drift]\n# none\nthreshold = 0.1\nthreshhold = 1\n", 4),
        ("[columns.a]\nkind = 'text'\n[columns.'b c']\nkind = 'words'\n", 4),
        ("columns.a.kind = 'words'\n", 1),
        ("\napproval = {automatic = true, required_approvals = 0}\n", 2),
        ("[columns.a]\nminimum = 3\nmaximum = 1\n", 1),
        ('[format]\nskip = 1\n[format.inference]\nskip = "two"\n', 4),
        ('exclude_columns = [\n  "a",\n  3,\n]\n', 1),
    ],
)
def test_the_line_of_a_mistake_is_named(text: str, line: int) -> None:
    assert refused(text).startswith(f"Line {line}: ")


def test_the_line_of_text_that_is_not_toml_is_named() -> None:
    assert "at line 2" in refused('target = "y"\nseed =\n')


def test_the_innermost_table_is_named_for_a_key_that_has_no_line() -> None:
    assert line_of("[a]\n[a.b]\nx = 1\n", ("a", "b", "y")) == 2
    assert line_of("x = 1\n", ("y",)) is None


def toml(value: Any) -> str:
    """Write a value as TOML does, tables as inline tables."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return {math.inf: "inf", -math.inf: "-inf"}.get(
                value, "nan" if math.isnan(value) else repr(value)
            )
        case str():
            return json.dumps(value).replace("\x7f", "\\u007f")
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{json.dumps(k)} = {toml(v)}' for k, v in value.items())}}}"
        case _:
            return str(value)


TEXTS = st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc")), max_size=12)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    TEXTS,
    st.sampled_from(
        ["number", "category", "month", "utf-8", "hex", "\0", ";", "binary", "drop", "2026-01-05"]
    ),
    st.dates(),
    st.datetimes(),
    st.times(),
)
KEYS = st.one_of(
    st.sampled_from(sorted({*known_keys(), *(k for keys in TABLES.values() for k in keys)})), TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A document with known keys in the right places, most of them with a value of a wrong type."""
    document: dict[str, Any] = draw(st.dictionaries(KEYS, VALUES, max_size=3))
    for name in draw(st.lists(st.sampled_from(sorted(TABLES)), max_size=3, unique=True)):
        table = draw(st.dictionaries(st.sampled_from(TABLES[name]), VALUES, max_size=3))
        is_nested = name in ("columns", "gate", "search") and draw(st.booleans())
        document[name] = {draw(KEYS): table} if is_nested else table
    return document


@pytest.mark.property
@settings(max_examples=400, deadline=None)
@given(documents())
@example({"gate": {"roc_auc": 10**400}})
@example({"search": {"space": {"C": [{}, 1]}}})
@example({"format": {"training": {"training": {}}}})
def test_no_document_is_refused_in_another_way_than_by_a_settings_error(document: dict[str, Any]) -> None:
    text = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in document.items())
    try:
        read = GroupSettings.from_toml(text)
        check_settings(read)
    except SettingsError:
        return
    assert GroupSettings.from_dict(json.loads(json.dumps(read.to_dict(), allow_nan=False))) == read
    assert read.test_fraction <= 0.9


@pytest.mark.property
@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_no_text_is_refused_in_another_way_than_by_a_settings_error(text: str) -> None:
    with suppress(SettingsError):
        GroupSettings.from_toml(text)
