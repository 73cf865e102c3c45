"""Hostile programs do no harm in the sandbox; those that layers stop do it without them, so these tests can fail."""

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from car.sandbox import Sandbox
from car.sandbox.isolation import Layer
from car.sandbox.process import ProcessSandbox
from car.trajectory import Trajectory
from car.verify.observe import Observation, observe
from tests.conformance import hostile
from tests.conformance.hostile import Hostile, memories
from tests.conformance.hostile.attempt import QUICK, checker, frames_of, in_plain_process
from tests.conformance.hostile.ground import Ground
from tests.conformance.hostile.world import Witness, World

SANDBOXES: list[Callable[[], Sandbox]] = [ProcessSandbox]
AREAS = (
    "files network processes others keys kernel gates memory cpu floods answers errors depth patches pictures "
    "forgeries tricks"
).split()
PROGRAMS: dict[str, Hostile] = {
    f"{program.area}: {program.name}": program
    for area in AREAS
    for program in importlib.import_module(f"tests.conformance.hostile.{area}").PROGRAMS
}
LAYERED = {name: program for name, program in PROGRAMS.items() if program.layered}
ROOT = os.name == "posix" and os.geteuid() == 0

# What stays possible without one of the layers, on a system that has all of them. Everything else is stopped twice.
_LOOKS = (
    "os.stat/statx by its number/os.access/os.readlink/os.statvfs/name_to_handle_at by its number/os.setxattr/os.getcwd"
)
_OWN = (
    "io_setup/add_key/keyctl/ptrace traceme/a user namespace/dumpable again/living on after the parent/"
    "children of children/shmget/semget/msgget/personality/modify_ldt/quotactl/executable memory/"
    "memory made executable/memory made executable by pkey_mprotect/code of a library made writable/"
    "reading implies executing/executable shared memory/a policy for memory"
)
GETS_THROUGH: dict[Layer, frozenset[str]] = {
    Layer.LIMITS: frozenset(name for name in LAYERED if name.startswith("memory: ")),
    Layer.FILTER: frozenset(f"files: {name}" for name in _LOOKS.split("/"))
    | frozenset(f"kernel: {name}" for name in _OWN.split("/")),
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the programs speak to Linux")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture(scope="module", params=SANDBOXES, ids=lambda each: each.__name__)
def ground(request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with Ground(request.param(), world, tmp_path_factory.mktemp("ground")) as ground:
        yield ground


@pytest.fixture(scope="module")
def open_ground(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Where no layer holds anyone: a process each, and nothing more."""
    with Ground(ProcessSandbox(at_least=0, layers=()), world, tmp_path_factory.mktemp("open")) as ground:
        yield ground


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_hostile_program_does_no_harm(name: str, ground: Ground) -> None:
    program = PROGRAMS[name]
    attempt = ground.attempt(program)
    assert not program.harm(attempt.seen), attempt
    assert attempt.outcome is not None
    assert attempt.outcome.kind in program.kinds, attempt.outcome
    assert attempt.seen.honest
    assert attempt.seen.libraries
    assert attempt.seen.output == ""
    assert ground.bystander_is_fine()


@pytest.mark.unheld
@pytest.mark.parametrize("name", LAYERED)
def test_without_any_layer_it_does(name: str, open_ground: Ground, world: World) -> None:
    program = LAYERED[name]
    if program.root and not ROOT:
        pytest.skip("only root can do this harm")
    if not program.harm(open_ground.attempt(program).seen):
        if program.harm(in_plain_process(program, world)):
            pytest.fail("It does its harm in a plain process, but not in a worker without layers.")
        pytest.skip("this system does not let any process do this")


# What only some processes have behind their arrays shows nothing of the others.
LUCK = {"keys: memory that was given back", "keys: the memory behind an array", "keys: modules of ours"}


@pytest.mark.unheld
@pytest.mark.parametrize("name", [name for name in PROGRAMS if name.startswith("keys: ") and name not in LUCK])
def test_in_a_process_with_the_key_in_its_environment_it_is_found(name: str, world: World) -> None:
    assert PROGRAMS[name].harm(in_plain_process(PROGRAMS[name], world))


@pytest.fixture(scope="module", params=SANDBOXES, ids=lambda each: each.__name__)
def looked_at_twice(request: pytest.FixtureRequest, world: World) -> list[Observation]:
    """Two episodes as the programs saw them; asked again in another session, with other hashes and another order."""
    programs = [checker(world.filled(program.source)) for program in memories.PROGRAMS]
    sandbox = request.param()
    frames = frames_of(100)
    episodes = [Trajectory.of(frames[at::2], "expert", seed=at) for at in range(2)]
    with sandbox.open(programs, QUICK) as session, sandbox.open(programs, QUICK, seed=1) as again:
        return observe(session, episodes, again)


@pytest.mark.parametrize("program", memories.PROGRAMS, ids=lambda each: each.name)
def test_a_program_that_answers_by_more_than_the_picture_is_found_out(
    program: Hostile, looked_at_twice: list[Observation], world: World
) -> None:
    column = memories.PROGRAMS.index(program)
    assert not any(column in each.failures for each in looked_at_twice)
    disagreed = any(column in each.disagreements for each in looked_at_twice)
    assert not program.harm(Witness(world, looked_at_twice[0].done[:, column], disagreed=disagreed))


def test_a_program_that_answers_by_the_picture_is_not(world: World) -> None:
    honest = checker("def check(found, current): return bool(current[0, 0, 0] % 3 == 0)")
    episode = Trajectory.of(frames_of(60), "expert", seed=0)
    sandbox = ProcessSandbox()
    with sandbox.open([honest], QUICK) as session, sandbox.open([honest], QUICK, seed=1) as again:
        assert observe(session, [episode], again)[0].disagreements == {}


@pytest.mark.parametrize(
    ("harm", "trace"),
    [
        (hostile.leaked, {"texts": ("$secret",)}),
        (hostile.said, {"done": 1, "facts": ({"proof": "it"},)}),
        (hostile.survived, {"survivors": (7,)}),
        (hostile.blocked, {"elapsed": 16.0}),
        (hostile.swelled, {"grew": 1 << 30}),
        (hostile.swelled, {"output": "x"}),
        (hostile.accepted, {"done": 1}),
        (hostile.unprintable, {"texts": ("\x1b[31m",)}),
        (hostile.unprintable, {"texts": ("x" * 601,)}),
        (hostile.others_harmed, {"honest": False}),
        (hostile.others_harmed, {"libraries": False}),
    ],
)
def test_a_witness_sees_harm_and_nothing_else(harm: hostile.Harm, trace: dict[str, Any], world: World) -> None:
    done = np.array([trace.pop("done", -2)], np.int8)
    texts = tuple(each.replace("$secret", world.secret) for each in trace.pop("texts", ()))
    assert not harm(Witness(world, np.array([-2], np.int8)))
    assert harm(Witness(world, done, texts=texts, **trace))


def test_no_area_and_no_kind_of_program_is_missing() -> None:
    assert len(PROGRAMS) + len(memories.PROGRAMS) >= 300
    assert len(LAYERED) >= 190
    assert {program.area for program in PROGRAMS.values()} == set(AREAS)


@pytest.mark.slow
def test_without_one_layer_the_others_hold(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    if set(ProcessSandbox(at_least=0).isolation.layers) != set(Layer):
        pytest.skip("this system does not offer every layer")
    through: dict[Layer, set[str]] = {}
    for layer in Layer:
        sandbox = ProcessSandbox(at_least=0, layers=[each for each in Layer if each is not layer])
        with Ground(sandbox, world, tmp_path_factory.mktemp("ground")) as ground:
            through[layer] = {name for name, program in LAYERED.items() if program.harm(ground.attempt(program).seen)}
    table = Table("program", *Layer, title="What does harm without one layer")
    for name in sorted(set().union(*through.values())):
        table.add_row(name, *("harm" if name in through[layer] else "" for layer in Layer))
    Console().print(table)
    for layer, names in through.items():
        assert names <= GETS_THROUGH.get(layer, frozenset()), f"without {layer}: {names}"
