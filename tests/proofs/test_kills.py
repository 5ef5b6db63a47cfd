"""kill -9 before and after every write, and every call failing once: the final state is the same.

The path from a file to a champion, the way back, folders of parts, a day of scoring and nightly check, and a
training that fails.

A walk injects its fault into each of the functions: the k-th write of every one of them. What is run again
after it, and how often, is what the state machines and the template say (`callers`). The suite walks a few;
`make prove` every kill on the main path, and elsewhere one kill at each write and one error in each call;
`make prove PROOFS=full` every kill and every kind of error everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local import local_cloud
from tests.proofs.endpoint_move import EndpointMove
from tests.proofs.failed import FailedTraining
from tests.proofs.features_nights import FeaturesNights
from tests.proofs.parts import FolderOfParts
from tests.proofs.serving import RangesDay, ServingDay
from tests.proofs.step import ANSWERS, Fault, is_write
from tests.proofs.walk import Walk, differences
from tests.proofs.way_back import WayBack
from tests.proofs.world import Runner, World, build_world

pytestmark = pytest.mark.e2e

EXTENT = os.environ.get("PROOFS", "some")  # some, hour or full
MAX_WRITES, MAX_CALLS = 20, 40  # of any one function; a test below keeps them true
KILLS = [Fault(k, kind) for k in range(1, MAX_WRITES + 1) for kind in ("kill before", "kill after")]
FAULTS = [Fault(k, kind, writes=False) for k in range(1, MAX_CALLS + 1) for kind in (*ANSWERS, "lost")]
EACH_WRITE = [fault for fault in KILLS if (fault.call % 2 == 0) == (fault.kind == "kill after")]
EACH_CALL = [fault for fault in FAULTS if (*ANSWERS, "lost")[fault.call % 5] == fault.kind]
KILLS_OF = {"some": [KILLS[5], KILLS[12]], "hour": KILLS, "full": KILLS}[EXTENT]
FAULTS_OF = {"some": [FAULTS[30]], "hour": EACH_CALL, "full": FAULTS}[EXTENT]
OTHERS_OF = {
    "some": [KILLS[2]],
    "hour": [*EACH_WRITE, *EACH_CALL],
    "full": [*KILLS, *FAULTS],
}[EXTENT]
OTHER_WAYS: dict[str, tuple[type[Walk], str]] = {
    "back": (WayBack, "approved"),
    "parts": (FolderOfParts, "approved"),
    "refused-parts": (FolderOfParts, "rejected"),
    "serving": (ServingDay, "approved"),
    "ranges": (RangesDay, "approved"),
    "failed": (FailedTraining, "approved"),
    "features": (FeaturesNights, "approved"),
    "endpoint": (EndpointMove, "approved"),
}


@dataclass(frozen=True)
class Way:
    """A way without any fault, and the final state."""

    name: str
    walk: Walk
    state: dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A local cloud of its own with what the functions reach for."""
    folder = tmp_path_factory.mktemp("proofs")
    with local_cloud(directory=folder / "cloud", keep=True) as cloud:
        yield build_world(cloud, folder)


@pytest.fixture(scope="module")
def runner(world: World) -> Runner:
    """Runs one function after the other, each in a fresh process."""
    return Runner(world)


@pytest.fixture(scope="module")
def unharmed(world: World, runner: Runner) -> dict[str, tuple[Walk, dict]]:
    """Both ways of the path without any fault, and the final state."""
    walks = {d: Walk(world, runner, f"unharmed-{d}", decision=d) for d in ("approved", "rejected")}
    return {decision: (walk, walk.to_the_end()) for decision, walk in walks.items()}


@pytest.fixture(scope="module", params=OTHER_WAYS)
def way(request: pytest.FixtureRequest, world: World, runner: Runner) -> Way:
    """One of the other ways, walked without any fault."""
    kind, decision = OTHER_WAYS[request.param]
    walk = kind(world, runner, f"{request.param}-unharmed", decision=decision)
    return Way(request.param, walk, walk.to_the_end())


def name_of(fault: Fault) -> str:
    return f"{fault.kind} {fault.call}".replace(" ", "-").lower()


def assert_within_reach(walk: Walk) -> None:
    """Every call of every function of the walk has a fault."""
    for function, calls in walk.calls.items():
        n_writes = sum(map(is_write, calls))
        assert (len(calls) <= MAX_CALLS, n_writes <= MAX_WRITES) == (True, True), (function, n_writes)


def skip_faults_that_do_not_happen(fault: Fault, walk: Walk) -> None:
    """Skip a fault of a call that no function of the walk makes."""
    counts = (sum(map(is_write, calls)) if fault.writes else len(calls) for calls in walk.calls.values())
    if fault.call > max(counts):
        pytest.skip("no function on this way makes so many calls")


def test_two_walks_without_a_fault_end_the_same(world, runner, unharmed):
    walk, state = unharmed["approved"]
    assert differences(Walk(world, runner, "unharmed-twice").to_the_end(), state) == []
    assert walk.errors == {}
    assert state["registry"]["HEAD"]["champion"]["S"] == "v1.0.0"
    assert sum(is_write(call) for calls in walk.calls.values() for call in calls) >= 12


def test_no_call_is_beyond_the_reach_of_the_faults(unharmed):
    for walk, _ in unharmed.values():
        assert_within_reach(walk)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
@pytest.mark.parametrize("fault", KILLS_OF, ids=name_of)
def test_a_kill_at_any_write_leaves_the_same_registry(world, runner, unharmed, fault, decision):
    whole, expected = unharmed[decision]
    skip_faults_that_do_not_happen(fault, whole)
    walk = Walk(world, runner, f"{name_of(fault)}-{decision}", fault, decision)
    assert differences(walk.to_the_end(), expected) == []
    assert all(errors == ["killed"] for errors in walk.errors.values())


@pytest.mark.parametrize("fault", FAULTS_OF, ids=name_of)
def test_a_call_that_fails_once_is_made_up_for(world, runner, unharmed, fault):
    whole, expected = unharmed["approved"]
    skip_faults_that_do_not_happen(fault, whole)
    walk = Walk(world, runner, f"fault-{name_of(fault)}", fault)
    assert differences(walk.to_the_end(), expected) == []


def test_every_other_way_ends_well_without_a_fault(way):
    assert way.walk.errors == {}
    assert_within_reach(way.walk)
    champion = way.state.get("registry", {}).get("HEAD", {}).get("champion")
    assert champion == ({"S": "v1.0.0"} if way.name in ("back", "serving", "ranges") else None)


@pytest.mark.parametrize("fault", OTHERS_OF, ids=name_of)
def test_a_fault_on_another_way_leaves_the_same_registry(world, runner, way, fault):
    skip_faults_that_do_not_happen(fault, way.walk)
    kind, decision = OTHER_WAYS[way.name]
    walk = kind(world, runner, f"{way.name}-{name_of(fault)}", fault, decision)
    assert differences(walk.to_the_end(), way.state) == []
