"""A goal that is wrong where no recorded episode goes: verified, found by an audit, and mended with what it found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from car.audit import AuditFolder, Effort, Told, audit
from car.audit.played import CONTRARY, TRAINING
from car.bundle import load_bundle
from car.record import Continuations
from car.refine import Flaw
from car.sandbox.process import ProcessSandbox
from car.tasks import find_task
from car.trajectory import load_trajectories
from tests.planted import doorkey as planted
from tests.unit.cli.planted_session import GOAL_ANSWER, Answer, car, decomposition, fenced, write_recording

TASK = "doorkey-5x5"
_CHECK = """
def check(found, current):
    (row, column), door = found
    if red(current)[row : row + 8, column : column + 8].sum() > 5:
        return True
    rows, columns = np.nonzero(red(current))
    return bool(0 < len(rows) < 64 and rows.mean() < door[0] and columns.mean() > door[1] + 8)
"""
_IDENTIFY = planted.RIGHT_GOAL.partition("\ndef check")[0]
WRONG_GOAL = _IDENTIFY.replace("tile_of(green(initial))", "tile_of(green(initial)), door_tile(initial)") + _CHECK
"""The green square, or any square of the second room above the door: experts go down, and random agents stay behind."""

SESSION: tuple[Answer, ...] = (
    GOAL_ANSWER,
    ("subtasks", "", 1, decomposition(planted.KEY, planted.DOOR, planted.GOAL)),
    ("checker", planted.KEY.name, 1, fenced(planted.RIGHT_KEY)),
    ("checker", planted.DOOR.name, 1, fenced(planted.RIGHT_DOOR)),
    ("checker", planted.GOAL.name, 1, fenced(WRONG_GOAL)),
    ("refine", planted.GOAL.name, 2, fenced(planted.RIGHT_GOAL)),
)
QUICK = Effort(steps=2048, seeds=1, contrary=0, episodes=2, each=4)


class Workshop:
    """A folder with trajectories, a session, and the bundles that come of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.audits = path / "audits"
        self.trajectories = "--trajectories", path / "trajectories"
        self.session = write_recording(path / "session.json", SESSION)

    def recorded(self) -> None:
        said = car("record", TASK, "--expert", 15, "--random", 50, "--max-steps", 80, *self.trajectories)
        assert said.exit_code == 0, said.output

    def generated(self, rewards: str, *more: object) -> Any:
        """The exit code, what was said on the way, and the document of a generation."""
        data = (*self.trajectories, "--rewards", self.path / rewards, "--audits", self.audits)
        said = car("generate", TASK, "--vlm", f"replay/{self.session}", *data, *more, "--json")
        return said.exit_code, " ".join(said.stderr.split()), json.loads(said.stdout)

    def audited(self, rewards: str, effort: Effort, *more: object) -> Any:
        """The exit code and the document of an audit."""
        tries = ("--steps", effort.steps, "--seeds", effort.seeds, "--episodes", effort.episodes)
        tries += ("--continuations", effort.each, "--contrary", effort.contrary)
        where = ("--rewards", self.path / rewards, "--out", self.audits / TASK)
        said = car("audit", TASK, *tries, *where, *more, "--json")
        assert said.exit_code in (0, 1), said.output
        return said.exit_code, json.loads(said.stdout)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """With a verified bundle whose goal is wrong, and an audit of it that was interrupted and went on."""
    workshop = Workshop(tmp_path_factory.mktemp("work"))
    workshop.recorded()
    code, _, document = workshop.generated("rewards")
    assert code == 0
    assert document["verdict"]["accepted"]
    assert (document["calls"], document["verdict"]["chain"]["randoms_done"]) == (5, 0)
    with pytest.raises(KeyboardInterrupt):
        _audit(workshop, _interrupting)
    assert workshop.audited("rewards", QUICK)[0] == 1
    return workshop


def _interrupting(told: Told) -> None:
    raise KeyboardInterrupt


def _audit(workshop: Workshop, listen: Callable[[Told], None]) -> None:
    bundle, task = load_bundle(workshop.path / "rewards" / TASK), find_task(TASK)
    audit(bundle, task, ProcessSandbox(), AuditFolder(workshop.audits / TASK), QUICK, listen)


def test_the_audit_finds_where_the_goal_is_wrong(workshop: Workshop) -> None:
    findings = AuditFolder(workshop.audits / TASK).findings()
    assert findings.flaws()[Flaw.UNCONFIRMED] >= 2
    for number, flaw in findings.disagreements:
        episode = findings.episodes[number - 1].trajectory
        assert episode.success is (flaw is Flaw.EARLY)
    page = (workshop.audits / TASK / "audit.html").read_text("utf-8")
    assert "Goal without success" in page


def test_what_was_found_can_be_played_again(workshop: Workshop) -> None:
    (episode, *_) = load_trajectories(workshop.audits / TASK / "episodes.npz", TASK)
    assert (episode.who, episode.success) == ("agent", False)
    with Continuations(find_task(TASK)) as continuations:
        (again,) = continuations.at_random(episode, len(episode) - 1, 1, 1)
    assert (again.trajectory.frames[: len(episode)] == episode.frames).all()


def test_a_finished_audit_is_not_made_again(workshop: Workshop) -> None:
    before = (workshop.audits / TASK / "audit.json").read_bytes()
    assert workshop.audited("rewards", QUICK)[0] == 1
    assert (workshop.audits / TASK / "audit.json").read_bytes() == before


def test_refinement_mends_it_with_what_was_found(workshop: Workshop) -> None:
    code, said, document = workshop.generated("mended", "--from-audit")
    assert code == 0
    assert "rejected reach-the-goal: In audit episode" in said
    assert "the environment reports no success in the whole episode" in said
    assert document["calls"] == 6
    (probe,) = [each for each in document["verdict"]["probes"] if each["name"] == "audit"]
    assert (probe["strict"], probe["passed"], probe["values"]["wrong"]) == (True, True, 0)
    assert probe["values"]["looked_at"] > len(document["verdict"]["findings"]) == 0
    assert document["verdict"]["chain"]["randoms"] == 40
    last = load_bundle(workshop.path / "mended" / TASK).checkers[-1]
    assert "def progress" in last.source
    assert "door[1]" not in last.source


def test_a_person_can_say_what_is_wrong_and_what_is_not(workshop: Workshop) -> None:
    findings = AuditFolder(workshop.audits / TASK).findings()
    right = [f"--right={number}:{planted.GOAL.name}" for number, _ in findings.disagreements]
    assert workshop.audited("rewards", QUICK, *right)[0] == 0
    code, document = workshop.audited("rewards", QUICK)
    assert (code, document["found"]) == (0, False)
    fine = next(each["number"] for each in document["episodes"] if each["credited"][planted.DOOR.name] is not None)
    code, document = workshop.audited("rewards", QUICK, "--wrong", f"{fine}:{planted.DOOR.name}")
    assert (code, document["judged_wrong"]) == (0, [f"{fine}:{planted.DOOR.name}"])
    assert workshop.audited("rewards", QUICK)[0] == 1
    (workshop.audits / TASK / "judged.json").unlink()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_trained_agent_finds_it_itself_and_nothing_is_found_in_what_was_mended(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    workshop.recorded()
    assert workshop.generated("rewards")[0] == 0
    code, document = workshop.audited("rewards", Effort(steps=30_000, seeds=1))
    found = {each["how"]: sum(each["flaws"].values()) for each in document["played"]}
    assert code == 1
    assert found[TRAINING] > 0
    assert found[CONTRARY] > 0
    assert workshop.generated("mended", "--from-audit")[0] == 0
    code, document = workshop.audited("mended", Effort(steps=30_000, seeds=1), "--fresh")
    assert (code, document["disagreements"]) == (0, {})
    assert sum(each["goals"] for each in document["played"]) > 50
