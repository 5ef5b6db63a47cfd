"""Definitions: what is refused, what becomes a new version, and what of a stored view may change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mlops.feature_store.definitions import (
    Entity,
    FeatureService,
    FeatureView,
    FeatureViewProjection,
    Field,
    OnDemandFeatureView,
    ValueType,
)
from mlops.feature_store.definitions.definition_file import read_definitions
from mlops.feature_store.definitions.on_demand import plain_source
from mlops.feature_store.registry.applying import commit
from mlops.models.errors import FeatureStoreError
from tests.unit.feature_store.conftest import NOW, PATIENT, a_view, day, write_csv

PYTHON = '''
from datetime import timedelta
from mlops.feature_store.definitions import *

patient = Entity("patient", join_keys=["patient_id"])
vitals = FeatureView(name="vitals", entities=[patient], ttl=timedelta(days=30), owner="cardiology",
                     schema=[Field("bmi", ValueType.FLOAT64)], source=FileSource(timestamp_field="at"))

@on_demand_feature_view(sources=[vitals, RequestSource([Field("height", ValueType.FLOAT64)])],
                        schema=[Field("mass", ValueType.FLOAT64)])
def body(row):
    """Kilograms."""
    return {"mass": row["bmi"] * row["height"] ** 2}  # metres

adherence_v1 = FeatureService("adherence_v1", features=[vitals[["bmi"]], body])
'''
TOML = '''
[[entity]]
name = "patient"
join_keys = ["patient_id"]

[[feature_view]]
name = "vitals"
entities = ["patient"]
ttl_seconds = 2592000
owner = "cardiology"
schema = {bmi = "Float64"}
source = {timestamp_field = "at"}

[[on_demand_feature_view]]
name = "body"
sources = ["vitals"]
request = {height = "Float64"}
schema = {mass = "Float64"}
code = """
def body(row):
    'Kilograms.'
    return {'mass': row['bmi'] * row['height'] ** 2}
"""

[[feature_service]]
name = "adherence_v1"
features = ["vitals:bmi", "body"]
'''


def a_file(folder: Path, text: str, name: str = "features.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_python_and_toml_define_the_same(store, tmp_path):
    store.apply(read_definitions(a_file(tmp_path, PYTHON)))
    planned = store.plan(read_definitions(a_file(tmp_path, TOML, "features.toml")))
    assert planned.differences == ()


def test_a_change_makes_a_new_version_of_what_it_touches_and_of_what_uses_it(store, tmp_path):
    store.apply(read_definitions(a_file(tmp_path, PYTHON)))
    planned = store.apply(read_definitions(a_file(tmp_path, PYTHON.replace("days=30", "days=10"))))
    assert {each.name: each.version for each in planned.versions} == {
        "vitals": 2,
        "body": 2,
        "adherence_v1": 2,
    }
    assert planned.differences[:2] == ("feature view vitals: version 2", "  ttl: 2592000.0 -> 864000.0")
    assert store.definitions().view("vitals", 1).ttl == timedelta(days=30)
    assert [
        (change.revision, change.by, len(change.versions)) for change in store.definition_store.audit()
    ] == [
        (1, "ana", 3),
        (2, "ana", 3),
    ]


def test_a_service_reads_the_versions_that_it_was_applied_with(store):
    store.apply([a_view(ttl=timedelta(days=1)), FeatureService("s", [FeatureViewProjection("vitals")])])
    store.apply([a_view(ttl=timedelta(days=9))])
    assert store.get_historical_features("SELECT 1", "s").selected.views[0].ttl == timedelta(days=1)
    assert store.get_historical_features("SELECT 1", "vitals").selected.views[0].ttl == timedelta(days=9)


def test_the_same_file_again_stores_nothing(store, tmp_path):
    definitions = read_definitions(a_file(tmp_path, PYTHON))
    store.apply(definitions)
    assert store.apply(definitions).render() == "Everything is as it was applied before."
    assert len(store.definition_store.audit()) == 1


def test_of_two_people_who_apply_at_once_the_second_is_refused(store):
    first, second = store.plan([a_view("vitals")]), store.plan([a_view("visits")])
    commit(store.definition_store, first, by="ana", now=NOW)
    with pytest.raises(FeatureStoreError, match="apply the file again"):
        commit(store.definition_store, second, by="bo", now=NOW)
    assert list(store.definitions().current) == ["vitals"]


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (a_view("Vital signs"), "'Vital signs' cannot be a name"),
        (a_view(event_timestamp=ValueType.INT64), "cannot have a column event_timestamp"),
        (a_view(patient_id=ValueType.STRING), "has the column patient_id 2 times"),
        (a_view(bmi=ValueType.INT64, BMI=ValueType.INT64), "has the column bmi 2 times"),
        (a_view(at=ValueType.INT64), "at of vitals is a time of the row"),
        (a_view(created="at"), "must differ from its timestamp field"),
        (a_view(ttl=timedelta(0)), "whole seconds above 0"),
        (FeatureView("vitals", (), (Field("bmi", ValueType.FLOAT64),)), "needs an entity"),
        (FeatureView("vitals", (PATIENT,), ()), "needs a feature"),
        (a_view(bmi="Float46"), "'Float46' is not a type of features. Did you mean"),
        (replace(a_view(), online="no"), "online of vitals cannot be 'no'"),
        (replace(a_view(), owner=3), "owner of vitals cannot be 3"),
        (replace(a_view(), entities=(Entity("p", (3,)),)), "join_keys of entities of vitals cannot be 3"),
        (FeatureService("s", ["vitals"]), "s has a value of another type"),
        (FeatureService("s", [FeatureViewProjection("vitas")]), "unknown view 'vitas'. Did you mean"),
        (FeatureService("s", [FeatureViewProjection("vitals", ("bmj",))]), "Did you mean 'bmi'"),
        (FeatureService("s", []), "needs features"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_and_nothing_of_the_file_is_stored(store, definition, message):
    store.apply([a_view("vitals")])
    with pytest.raises(FeatureStoreError, match=message.replace("(", r"\(")):
        store.apply([a_view("visits"), definition])
    assert list(store.definitions().current) == ["vitals"]


def test_with_values_the_types_and_keys_of_a_view_are_fixed(store, tmp_path):
    store.apply([a_view()])
    store.apply([a_view(bmi=ValueType.STRING)])
    store.apply([a_view()])
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{"patient_id": "A", "at": day(1), "bmi": 20.5}]))
    with pytest.raises(FeatureStoreError, match="was Float64 in version 1 and is String now"):
        store.apply([a_view(bmi=ValueType.STRING)])
    added = a_view(pulse=ValueType.INT64)
    assert store.apply([added]).versions[0].version == 4


def test_a_type_that_was_replaced_before_there_were_values_is_forgotten(store, clock, tmp_path):
    store.apply([a_view(bmi=ValueType.STRING)])
    store.apply([a_view()])
    clock.now += timedelta(minutes=1)
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{"patient_id": "A", "at": day(1), "bmi": 20.5}]))
    assert store.apply([a_view(ttl=timedelta(days=1))]).versions[0].version == 3
    store.apply([a_view(pulse=ValueType.INT64)])
    with pytest.raises(FeatureStoreError, match="was Float64 in version 2 and is String now") as raised:
        store.apply([a_view(bmi=ValueType.STRING)])
    assert str(raised.value).count("Values are stored") == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import os", "Import"),
        ("return open('x')", "uses open"),
        ("return {'a': ().__class__}", "uses __class__"),
        ("return {'a': '{0.real}'.format(row)}", "uses format"),
        ("return {'a': now()}", "uses now"),
        ("global x", "Global"),
        ("g = (1 for _ in [1])\n    return {'a': g}", "GeneratorExp"),
        ("return {'a': row.gi_frame.f_back.f_builtins}", "uses gi_frame|uses f_builtins|uses f_back"),
    ],
)
def test_a_function_of_more_than_its_row_is_refused(body, message):
    with pytest.raises(FeatureStoreError, match=message):
        plain_source(f"def f(row):\n    {body}\n")


def test_the_stored_source_is_what_runs_and_its_digest_ignores_comments():
    one = plain_source("def f(row):\n    return {'a': row['b'] + 1}\n")
    other = plain_source("def f(row) -> dict:  # note\n    return {  'a':row['b']+1 }\n")
    view = OnDemandFeatureView("f", (), (), (Field("a", ValueType.INT64),), one)
    assert one == other
    assert view.run({"b": 2}) == {"a": 3}
    with pytest.raises(FeatureStoreError, match="failed with TypeError"):
        view.run({"b": None})


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("x = 1", "features.py", "defines no FeatureView"),
        ("1 / 0", "features.py", "failed in line 1 with ZeroDivisionError"),
        ("[[feature_vew]]\nname = 'x'", "features.toml", "Did you mean 'feature_view'"),
        ("[[feature_view]]\nname = 'x'\nttl = 3", "features.toml", "unknown key 'ttl'"),
        ("[[feature_view]]\nname = 'x'", "features.toml", "needs entities"),
        ("[feature_view]\nname = 'x'", "features.toml", "two brackets"),
        ("[[feature_view", "features.toml", "features.toml is not valid TOML"),
        (
            TOML.replace("2592000", "1e300"),
            "features.toml",
            "ttl_seconds of vitals must be a number of seconds",
        ),
        (
            TOML.replace("2592000", "'x'"),
            "features.toml",
            "ttl_seconds of vitals must be a number of seconds",
        ),
        (
            TOML.replace('["patient"]', '"patient"'),
            "features.toml",
            "entities of vitals must be a list of names",
        ),
        (
            TOML.replace('["patient_id"]', '"patient_id"'),
            "features.toml",
            "join_keys of patient must be a list",
        ),
        (
            TOML.replace("[[entity]]", "[[feature_view]]"),
            "features.toml",
            "[[feature_view]] has the unknown key",
        ),
        ("\nraise SystemExit(3)", "features.py", "features.py failed in line 2 with SystemExit: 3"),
        ("", "features.yaml", "must be a Python file"),
    ],
)
def test_a_file_of_definitions_that_cannot_be_read_says_why(tmp_path, text, name, message):
    with pytest.raises(FeatureStoreError) as raised:
        read_definitions(a_file(tmp_path, text, name))
    assert message in str(raised.value)
