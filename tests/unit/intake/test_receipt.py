"""The receipt for an accepted training file: what was assumed, what happens next, how to change it."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import pytest

from mlops.models.settings.group import GroupSettings
from tests.unit.dataset.intake_world import GOOD, World
from tests.unit.dataset.test_closed_folders import close, drop_parts, parts_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def receipt(world: World, content: str, settings: str = "") -> str:
    if settings:
        world.drop("g/model.toml", settings)
    assert world.receive(world.drop("g/training/a.csv", content)).outcome == "accepted"
    ((subject, body),) = world.notifier.emails
    assert subject == "[g] a.csv was accepted, training started"
    return body


def a_table(n_rows: int = 80) -> str:
    rng = random.Random(3)
    rows = []
    for n in range(n_rows):
        plan, left = rng.choice(("a", "b", "NA")), rng.choice(("yes", "no"))
        rows.append(f"C{n:04d},{rng.randint(20, 79)},{plan},2026-0{n % 9 + 1}-11,7,{rng.random():.3f},{left}")
    return "\n".join(["client_id,age,plan,since,constant,dose,left", *rows]) + "\n"


def test_it_names_target_ids_kinds_and_what_was_read_as_missing(world: World) -> None:
    lines = receipt(world, a_table()).splitlines()
    assert lines[0] == "g/training/a.csv was accepted: 80 rows, 7 columns."
    assert "- target: left, binary (by its name or its place)" in lines
    assert "- ids: client_id" in lines
    assert "- number: dose" in lines
    assert "- category: plan" in lines
    assert "- date: since (not learned from, unless date_parts names parts of them)" in lines
    assert "- read as missing: plan (NA)" in lines


def test_what_a_person_has_stated_is_not_called_an_assumption(world: World) -> None:
    body = receipt(world, a_table(), 'target = "left"\nid_columns = ["client_id"]\n')
    assert "- target: left, binary (stated in model.toml)" in body
    assert "target = " not in body
    assert "id_columns = " not in body


def test_warnings_come_before_what_was_assumed(world: World) -> None:
    body = receipt(world, a_table().replace(",", ";"))
    assert "semicolon" in body
    assert body.index("Please read:") < body.index("What was assumed:") < body.index("What happens next:")


def test_it_has_no_cell_values_and_is_short(world: World) -> None:
    header = "client_id,ward,left\n"
    rows = "".join(f"C{n:04d},canary{n % 7}@x,{('yes', 'no')[n * n % 5 < 3]}\n" for n in range(100))
    body = receipt(world, header + rows)
    assert "canary" not in body
    assert "C0001" not in body
    assert len(body.splitlines()) < 40


def test_many_columns_are_counted(world: World) -> None:
    rng = random.Random(1)
    names = [f"x{n}" for n in range(50)]
    rows = [",".join([*(f"{rng.random():.4f}" for _ in names), rng.choice("ab")]) for _ in range(60)]
    body = receipt(world, "\n".join([",".join([*names, "left"]), *rows]) + "\n")
    assert "- number: x0, x1, x2, x3, x4, x5, x6, x7 and 42 more" in body


@pytest.mark.parametrize("name", ["age", 'a "b" \\ c', "größe [cm]"])
def test_the_lines_that_it_proposes_are_settings(world: World, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    body = receipt(world, GOOD.replace("age", quoted, 1))
    lines = body.split("drop the file again:\n")[1].split("\n\n")[0]
    settings = GroupSettings.from_toml(lines)
    assert (settings.target, settings.id_columns) == ("adherent", ("patient_id",))
    assert list(tomllib.loads(lines)["columns"]) == [name]


def test_a_folder_of_parts_is_called_by_its_name(world: World) -> None:

    drop_parts(world, parts_of(GOOD.splitlines()[1:]))
    close(world)
    ((subject, body),) = world.notifier.emails
    assert subject == "[g] 2026-11/ was accepted, training started"
    assert body.startswith("g/training/2026-11/ was accepted: 120 rows")
