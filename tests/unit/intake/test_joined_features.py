"""Groups with `[features]`: files with ids are joined with the features of a service, once."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from mlops.feature_store.definitions import Entity, FeatureService, FeatureView, Field, ValueType
from mlops.models.objects import Artifact, ObjectRef
from mlops.models.registry import ModelMetadata, Status
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics
from tests.unit.dataset.intake_world import LATER, NOW, Killed, World

VITALS = FeatureView(
    "vitals",
    (Entity("patient_id"),),
    (Field("bmi", ValueType.FLOAT64), Field("city", ValueType.STRING)),
)
SERVICE = FeatureService("adherence_v1", [VITALS])
TOML = 'target = "adherent"\nid_columns = ["patient_id"]\n[features]\nservice = "adherence_v1"\n'
N = 120


def a_time(days: float) -> str:
    return (NOW - timedelta(days=100 - days)).isoformat()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A group whose patients have a value on day 10, and another one on day 50."""
    world = World(tmp_path)
    world.features.apply([VITALS, SERVICE])
    lines = [
        f"P{i},{a_time(day)},{20 + i * 37 % 60 + day / 10},{'abc'[i * 7 % 3]}"
        for i in range(N)
        for day in (10, 50)
    ]
    path = tmp_path / "values.csv"
    path.write_text("\n".join(["patient_id,event_timestamp,bmi,city", *lines]) + "\n", encoding="utf-8")
    world.features.ingest("vitals", path)
    world.drop("g/model.toml", TOML)
    return world


def training_file(day: float = 20) -> str:
    """Ids, times and targets of the patients; the times differ by seconds."""
    rows = [
        f"P{i},{(datetime.fromisoformat(a_time(day)) + timedelta(seconds=i)).isoformat()},"
        f"{'yes' if (i * i + i // 3) % 5 < 3 else 'no'}"
        for i in range(N)
    ]
    return "\n".join(["patient_id,event_timestamp,adherent", *rows]) + "\n"


def table_of(world: World, ref: dict[str, Any]) -> list[dict[str, str]]:
    content = world.objects.read(ObjectRef.from_dict(ref)).decode()
    return list(csv.DictReader(StringIO(content)))


def test_a_training_file_gets_its_features_as_of_the_times_of_its_rows(world: World) -> None:
    received = world.receive(world.drop("g/training/march.csv", training_file()))
    assert (received.outcome, received.n_rows) == ("accepted", N), world.notifier.emails
    (document,) = world.executions.training.values()
    assert document["settings"]["features"]["version"] == 1
    assert document["settings"]["time_column"] == "event_timestamp"
    rows = table_of(world, document["dataset"])
    assert list(rows[0]) == ["patient_id", "event_timestamp", "adherent", "bmi", "city"]
    assert [row["bmi"] for row in rows[:3]] == ["21.0", "58.0", "35.0"]  # those of day 10
    dataset = world.versions.find_dataset("g", document["dataset_id"])
    assert dataset is not None
    assert dataset.feature_service == "adherence_v1, version 1"
    assert {name: str(kind) for name, kind in dataset.columns.items()}["bmi"] == "number"


def test_the_form_that_model_toml_states_is_that_of_the_file(world: World) -> None:
    world.drop("g/model.toml", f'{TOML}[format]\ndelim = ";"\nencoding = "cp1251"\ndecimal_separator = ","\n')
    header, *rows = training_file().replace(",", ";").splitlines()
    doses = [f"{number / 8:.3f}".replace(".", ",") for number in range(N)]
    lines = [f"{header};доза", *map(";".join, zip(rows, doses, strict=True))]
    content = "\n".join(lines) + "\n"
    received = world.receive(world.drop("g/training/march.csv", content.encode("cp1251")))
    assert received.outcome == "accepted", world.notifier.emails
    (document,) = world.executions.training.values()
    rows = table_of(world, document["dataset"])
    assert [row["доза"] for row in rows[:3]] == ["0.000", "0.125", "0.250"]
    assert [row["bmi"] for row in rows[:3]] == ["21.0", "58.0", "35.0"]


def test_no_value_of_the_future_is_learned_from(world: World) -> None:
    for day, expected in ((5, ""), (49, "21.0"), (51, "25.0")):
        upload = world.drop(f"g/training/{day}.csv", training_file(day))
        world.receive(upload)
        joined = ObjectRef("artifacts", f"converted/g/{upload.upload_id}/features/converted.csv")
        assert table_of(world, joined.to_dict())[0]["bmi"] == expected


@pytest.mark.parametrize("last_call", range(1, 20, 3))
def test_a_run_that_is_killed_anywhere_continues_with_the_same_values(world: World, last_call: int) -> None:
    upload = world.drop("g/training/march.csv", training_file())
    try:
        world.receive(upload, world.ports([last_call]))
    except Killed:
        joined_before = [key for key in world.artifacts() if key.endswith("features/conversion.json")]
        world.features.apply([VITALS, FeatureService("adherence_v1", [VITALS[["bmi"]]])])
        world.receive(upload, owner="next", now=NOW + timedelta(hours=2))
        (document,) = world.executions.training.values()
        assert document["settings"]["features"]["version"] == (1 if joined_before else 2)
    assert len(world.executions.training) == 1


def with_champion(world: World) -> None:
    """Train as the machine would, and put the version into service."""
    world.receive(world.drop("g/training/march.csv", training_file()))
    (document,) = world.executions.training.values()
    champion = ModelMetadata(
        "Ridge",
        {},
        EvaluationMetrics(labels=("no", "yes"), positive_label="yes", task="binary"),
        document["dataset_id"],
        Artifact("s3://artifacts/m", "0"),
        features=("bmi", "city"),
        target="adherent",
        task="binary",
        settings=GroupSettings.from_dict(document["settings"]),
        model_group="g",
        version="v1.0.0",
        number=1,
        status=Status.CHAMPION,
        created_at=NOW,
        source=ObjectRef("artifacts", "code"),
    )
    world.models.found.append(champion)


def test_a_file_to_score_with_ids_gets_the_newest_values_of_the_version_of_the_champion(world: World) -> None:
    with_champion(world)
    world.features.apply([VITALS, FeatureService("adherence_v1", [VITALS[["city"]]])])
    world.features.materialize_incremental(NOW)
    ids = "patient_id\n" + "".join(f"P{i}\n" for i in range(N))
    received = world.receive(world.drop("g/inference/ids.csv", ids))
    assert received.outcome == "accepted", world.notifier.emails
    (document,) = world.executions.inference.values()
    rows = table_of(world, document["content"])
    assert [row["bmi"] for row in rows[:3]] == ["25.0", "62.0", "39.0"]  # those of day 50
    assert [row["patient_id"] for row in rows] == [f"P{i}" for i in range(N)]
    assert document["content"]["key"].endswith("/converted.csv")
    world.receive(world.drop("g/inference/some.csv", f"{ids}X\n"), now=LATER)
    assert len(world.executions.inference) == 2


@pytest.mark.parametrize(
    ("key", "content", "sentence"),
    [
        ("g/training/a.csv", training_file().replace("patient_id", "patient"), "has no column 'patient_id'"),
        ("g/training/a.csv", training_file().replace("+00:00", ""), "is not a time with a UTC offset"),
        ("g/inference/a.csv", "patient_id\nX\nY\n", "mlops features materialize"),
        ("g/inference/a.csv", "patient_id,bmi\nP1,2\n", "has columns that the feature service has: bmi"),
    ],
)
def test_a_file_that_cannot_be_joined_is_refused_with_a_remedy(
    world: World, key: str, content: str, sentence: str
) -> None:
    with_champion(world)
    received = world.receive(world.drop(key, content))
    assert (received.outcome, received.reason) == ("rejected", "features")
    assert sentence in world.notifier.emails[-1][1]


def test_an_unknown_service_is_named_with_the_nearest_one(world: World) -> None:
    world.drop("g/model.toml", TOML.replace("adherence_v1", "adherance_v1"))
    assert world.receive(world.drop("g/training/a.csv", training_file())).reason == "features"
    assert "Did you mean 'adherence_v1'?" in world.notifier.emails[-1][1]
