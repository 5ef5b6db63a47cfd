"""kill -9 before and after every write of the path, and every call failing once: the registry ends the same.

A walk injects its fault into each of the functions: the k-th write of every one of them. `make prove` walks
them all; the suite walks a few.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local import local_cloud
from tests.proofs.step import ANSWERS, Fault
from tests.proofs.walk import Runner, Walk, World, build_world, differences
from tests.proofs.way_back import WayBack

pytestmark = pytest.mark.e2e

IS_FULL = os.environ.get("PROOFS") == "full"
MOST_WRITES, MOST_CALLS = 12, 26  # of any one function; a test below keeps them true
KILLS = [Fault(k, kind) for k in range(1, MOST_WRITES + 1) for kind in ("kill before", "kill after")]
FAULTS = [Fault(k, kind, writes=False) for k in range(1, MOST_CALLS + 1) for kind in (*ANSWERS, "lost")]
SOME_KILLS = [KILLS[1], KILLS[5], KILLS[12]]
SOME_FAULTS = [FAULTS[4], FAULTS[30]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A local cloud of its own with what the functions reach for."""
    folder = tmp_path_factory.mktemp("proofs")
    with local_cloud(directory=folder / "cloud") as cloud:
        yield build_world(cloud, folder)


@pytest.fixture(scope="module")
def runner(world: World) -> Runner:
    """Runs one function after the other, each in a fresh process."""
    return Runner(world)


@pytest.fixture(scope="module")
def unharmed(world: World, runner: Runner) -> dict[str, tuple[Walk, dict]]:
    """Both ways of the path without any fault, and what stands in the end."""
    walks = {d: Walk(world, runner, f"unharmed-{d}", decision=d) for d in ("approved", "rejected")}
    return {decision: (walk, walk.to_the_end()) for decision, walk in walks.items()}


@pytest.fixture(scope="module")
def unharmed_way_back(world: World, runner: Runner) -> tuple[Walk, dict]:
    """The way back to the first champion without any fault, and what stands in the end."""
    walk = WayBack(world, runner, "unharmed-back")
    return walk, walk.to_the_end()


def name_of(fault: Fault) -> str:
    return f"{fault.kind} {fault.call}".replace(" ", "-").lower()


def test_two_walks_without_a_fault_end_the_same(world, runner, unharmed):
    walk, state = unharmed["approved"]
    assert differences(Walk(world, runner, "unharmed-twice").to_the_end(), state) == []
    assert walk.errors == {}
    assert state["registry"]["HEAD"]["champion"]["S"] == "v1.0.0"
    n_writes = sum(1 for calls in walk.calls.values() for call in calls if ".Get" not in call)
    assert n_writes >= 12


def test_no_call_is_beyond_the_reach_of_the_faults(unharmed):
    for walk, _ in unharmed.values():
        assert max(map(len, walk.calls.values())) <= MOST_CALLS


@pytest.mark.parametrize("decision", ["approved", "rejected"])
@pytest.mark.parametrize("fault", KILLS if IS_FULL else SOME_KILLS, ids=name_of)
def test_a_kill_at_any_write_leaves_the_same_registry(world, runner, unharmed, fault, decision):
    _, expected = unharmed[decision]
    walk = Walk(world, runner, f"{name_of(fault)}-{decision}", fault, decision)
    assert differences(walk.to_the_end(), expected) == []
    assert all(errors == ["killed"] for errors in walk.errors.values())


@pytest.mark.parametrize("fault", FAULTS if IS_FULL else SOME_FAULTS, ids=name_of)
def test_a_call_that_fails_once_is_made_up_for(world, runner, unharmed, fault):
    _, expected = unharmed["approved"]
    walk = Walk(world, runner, f"fault-{name_of(fault)}", fault)
    assert differences(walk.to_the_end(), expected) == []


def test_the_way_back_ends_with_the_first_champion(unharmed_way_back):
    walk, state = unharmed_way_back
    assert state["registry"]["HEAD"]["champion"]["S"] == "v1.0.0"
    assert walk.errors == {}
    assert max(map(len, walk.calls.values())) <= MOST_CALLS


@pytest.mark.parametrize("fault", [*KILLS, *FAULTS] if IS_FULL else [KILLS[1], KILLS[2]], ids=name_of)
def test_a_fault_on_the_way_back_leaves_the_same_registry(world, runner, unharmed_way_back, fault):
    _, expected = unharmed_way_back
    walk = WayBack(world, runner, f"back-{name_of(fault)}", fault)
    assert differences(walk.to_the_end(), expected) == []
