"""The bundle's folder: what was written comes back, and what was touched does not."""

import errno
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from car.bundle import Bundle, Provenance, decide, find_bundle, list_bundles, load_bundle, save_bundle
from car.checker import program_in
from car.errors import BadBundle, BadFrame, UnknownName
from car.frames import digest
from car.refine import Draft
from car.tasks import find_task
from car.verify import Split
from car.vlm import Reply
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import DOOR, KEY, RIGHT, program, told

FROM = Provenance("scripted/planted", ("planted-1",), "Planted by hand.")
KEY_FILE, GOAL_FILE = "checkers/01-pick-up-the-key.py", "checkers/03-reach-the-goal.py"


@pytest.fixture(scope="module")
def draft(doorkey: Split) -> Draft:
    script = {("checker", DOOR, 1): program(planted.ALWAYS_FALSE), ("refine", DOOR, 2): RIGHT["checker", DOOR, 1]}
    return told(doorkey, script).draft


def _saved(folder: Path, draft: Draft, doorkey: Split) -> Path:
    return save_bundle(folder, find_task("doorkey-6x6"), draft, FROM)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, draft: Draft, doorkey: Split) -> Path:
    return _saved(tmp_path_factory.mktemp("rewards"), draft, doorkey)


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    return copytree(original, tmp_path / "doorkey-6x6")


class TestRoundTrip:
    @pytest.fixture
    def bundle(self, original: Path) -> Bundle:
        return load_bundle(original)

    def test_what_was_judged_comes_back(self, bundle: Bundle, draft: Draft) -> None:
        assert bundle.task == find_task("doorkey-6x6")
        assert bundle.goal == draft.decomposition.goal
        assert bundle.checkers == draft.checkers
        assert bundle.verdict == draft.verdict
        assert bundle.rehearsal == draft.rehearsal
        assert bundle.provenance == FROM

    def test_the_pictures_come_back(self, bundle: Bundle, draft: Draft) -> None:
        assert (bundle.frames["first"] == draft.scene.first).all()
        assert (bundle.frames["goal"] == draft.scene.goal).all()
        assert bundle.frame_shape == (48, 48, 3)
        shown = [each.original for attempt in draft.attempts for each in attempt.request.pictures]
        assert {digest(each) for each in shown if each is not None} == set(bundle.frames) - {"first", "goal"}

    def test_every_attempt_can_be_read(self, original: Path, draft: Draft) -> None:
        folders = sorted(each.name for each in (original / "attempts").iterdir())
        assert folders[2:4] == [f"03-checker-{KEY}-1", f"04-checker-{DOOR}-1"]
        assert folders[5] == f"06-refine-{DOOR}-2"
        outcome = json.loads((original / "attempts" / folders[3] / "outcome.json").read_text())
        assert (outcome["used"], outcome["rules"]) == (False, ["never on an expert"])
        for name, attempt in zip(folders, draft.attempts, strict=True):
            assert (original / "attempts" / name / "reply.md").read_text() == attempt.reply.text
        prompt = (original / "attempts" / folders[5] / "prompt.md").read_text()
        assert outcome["complaints"][0] in prompt
        assert prompt.count("](../../frames/") == len(draft.attempts[5].request.pictures)

    def test_the_checkers_are_files_in_order(self, original: Path) -> None:
        files = sorted(each.name for each in (original / "checkers").iterdir())
        assert files == ["01-pick-up-the-key.py", "02-open-the-door.py", "03-reach-the-goal.py"]
        assert (original / KEY_FILE).read_text() == program_in(f"```python\n{planted.RIGHT_KEY}\n```")

    def test_nobody_decided_yet(self, bundle: Bundle) -> None:
        assert bundle.approval is None
        assert not bundle.approved


def _manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def _vouched(folder: Path, name: str, text: str) -> None:
    """Changes a file, and the manifest with it."""
    (folder / name).write_text(text)
    _manifest(folder, lambda m: m["files"].update({name: hashlib.sha256(text.encode()).hexdigest()}))


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a changed checker": (lambda f: (f / KEY_FILE).write_text(planted.ALWAYS_TRUE), f"{KEY_FILE} was changed"),
    "a missing checker": (lambda f: (f / GOAL_FILE).unlink(), f"{GOAL_FILE} is missing"),
    "one more checker": (lambda f: (f / "checkers" / "04.py").write_text(""), "checkers/04.py is not in the manifest"),
    "one more file": (lambda f: (f / "notes.txt").write_text(""), "notes.txt is not in the manifest"),
    "a hidden file": (lambda f: (f / ".hidden").write_text(""), ".hidden is not in the manifest"),
    "a changed verdict": (lambda f: (f / "verdict.json").write_text("{}"), "verdict.json was changed"),
    "a changed reply": (lambda f: (f / "attempts/01-goal-1/reply.md").write_text(""), "reply.md was changed"),
    "a page that is not at the top": (lambda f: (f / "frames/review.html").write_text(""), "frames/review.html is not"),
    "two things": (
        lambda f: ((f / KEY_FILE).unlink(), (f / GOAL_FILE).write_text("")),
        f"{KEY_FILE} is missing; {GOAL_FILE} was changed",
    ),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "There is no reward bundle at"),
    "a manifest that is not JSON": (lambda f: (f / "manifest.json").write_text("{"), "manifest.json is not JSON"),
    "a manifest that is not text": (lambda f: (f / "manifest.json").write_bytes(b"\xff"), "manifest.json is not JSON"),
    "a manifest that is a list": (lambda f: (f / "manifest.json").write_text("[]"), "not have the format"),
    "another format": (lambda f: _manifest(f, lambda m: m.update(format="car-bundle/9")), "'car-bundle/1' that this"),
    "a verdict that is no verdict": (lambda f: _vouched(f, "verdict.json", "[]"), "verdict.json is not a verdict"),
    "a verdict that is not JSON": (lambda f: _vouched(f, "verdict.json", "{"), "verdict.json is not a verdict"),
    "a rehearsal without a chain": (
        lambda f: _vouched(
            f, "rehearsal.json", '{"format": "car-verdict/2", "decision": "accepted", "rule": "", "confidence": 1}'
        ),
        "rehearsal.json is not a verdict ('subtasks' is missing)",
    ),
    "a checker exchanged together with its hash": (
        lambda f: _vouched(f, KEY_FILE, planted.ALWAYS_TRUE),
        "verdict.json is the verdict on other programs",
    ),
    "a picture that is none": (
        lambda f: [_vouched(f, f"frames/{each.name}", "no picture") for each in (f / "frames").iterdir()],
        "is not a picture",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_bundle_that_was_touched_is_refused_and_the_file_is_named(name: str, folder: Path) -> None:
    tamper, said = TAMPERED[name]
    tamper(folder)
    with pytest.raises(BadBundle) as refused:
        load_bundle(folder)
    assert said in str(refused.value)
    assert str(folder) in str(refused.value)


MANIFESTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "files is a list": lambda m: m.update(files=list(m["files"])),
    "no goal": lambda m: m.pop("goal"),
    "a goal that is a number": lambda m: m.update(goal=5),
    "a task with another key": lambda m: m["task"].update(colour="red"),
    "a task with a bad name": lambda m: m["task"].update(name="../x"),
    "a task that is null": lambda m: m.update(task=None),
    "sub-tasks as text": lambda m: m.update(subtasks="key"),
    "a sub-task's name that is a path": lambda m: m["subtasks"][0].update(name="../x"),
    "a sub-task's after as text": lambda m: m["subtasks"][1].update(after=KEY),
    "a sub-task's goal as text": lambda m: m["subtasks"][1].update(goal="no"),
    "a sub-task's description is null": lambda m: m["subtasks"][1].update(description=None),
    "no checkers": lambda m: m.update(checkers=[]),
    "a checker of no sub-task": lambda m: m["checkers"][0].update(subtask="dance"),
    "a checker's file is a number": lambda m: m["checkers"][0].update(file=1),
    "a checker's file is a list": lambda m: m["checkers"][0].update(file=[KEY_FILE]),
    "a checker's file is above the bundle": lambda m: m["checkers"][0].update(file="../../secret.py"),
    "a checker's file is elsewhere": lambda m: m["checkers"][0].update(file="/etc/hostname"),
    "a checker's file is above, through a folder of the bundle": lambda m: m["checkers"][0].update(
        file="checkers/../../secret.py"
    ),
    "a first frame that is not there": lambda m: m.update(first_frame="0" * 64),
    "no provenance": lambda m: m.update(provenance=None),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_makes_no_sense_is_refused_by_name(name: str, folder: Path) -> None:
    folder.parent.joinpath("secret.py").write_text(planted.RIGHT_KEY)
    _manifest(folder, MANIFESTS[name])
    with pytest.raises(BadBundle, match=r"manifest\.json (does not describe a bundle|lists no files)"):
        load_bundle(folder)


def test_files_outside_are_not_vouched_for_either(folder: Path) -> None:
    folder.parent.joinpath("secret.py").write_text("secret")
    _manifest(folder, lambda m: m["files"].update({"../secret.py": hashlib.sha256(b"secret").hexdigest()}))
    with pytest.raises(BadBundle, match=r"\.\./secret\.py is missing"):
        load_bundle(folder)


class TestApproval:
    def test_binds_to_the_content(self, folder: Path) -> None:
        decide(load_bundle(folder), "approved")
        bundle = load_bundle(folder)
        assert bundle.approved
        assert bundle.approval is not None
        assert bundle.approval.manifest_sha256 == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()

    def test_a_rejection_is_no_approval(self, folder: Path) -> None:
        decide(load_bundle(folder), "rejected", "The door is never looked at.")
        bundle = load_bundle(folder)
        assert not bundle.approved
        assert bundle.approval is not None
        assert bundle.approval.why == "The door is never looked at."

    def test_is_void_after_any_change(self, folder: Path) -> None:
        decide(load_bundle(folder), "approved")
        _manifest(folder, lambda m: m.update(goal="Another goal."))
        assert load_bundle(folder).approval is None

    def test_is_carried_over_to_the_same_content(self, tmp_path: Path, draft: Draft, doorkey: Split) -> None:
        decide(load_bundle(_saved(tmp_path, draft, doorkey)), "approved")
        assert load_bundle(_saved(tmp_path, draft, doorkey)).approved
        assert [each.name for each in tmp_path.iterdir()] == ["doorkey-6x6"]

    def test_is_kept_aside_with_what_it_is_about(self, tmp_path: Path, draft: Draft, doorkey: Split) -> None:
        decided = load_bundle(_saved(tmp_path, draft, doorkey))
        decide(decided, "approved")
        other = replace(draft, decomposition=replace(draft.decomposition, goal="Another goal."))
        made = load_bundle(_saved(tmp_path, other, doorkey))
        assert (made.goal, made.approval) == ("Another goal.", None)
        aside = load_bundle(tmp_path / f"doorkey-6x6.{decided.manifest_sha256[:8]}")
        assert aside.approved
        assert aside.manifest_sha256 == decided.manifest_sha256

    def test_a_bundle_that_a_crash_left_aside_is_put_back_first(
        self, tmp_path: Path, draft: Draft, doorkey: Split
    ) -> None:
        path = _saved(tmp_path, draft, doorkey)
        decide(load_bundle(path), "approved")
        path.rename(tmp_path / ".doorkey-6x6.old")
        assert load_bundle(_saved(tmp_path, draft, doorkey)).approved

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            "[]",
            "3",
            "{}",
            '{"decision": "approved"}',
            '{"decision": "perhaps", "why": "", "manifest_sha256": ""}',
            '{"decision": "approved", "why": 3, "manifest_sha256": ""}',
        ],
    )
    def test_a_damaged_one_is_one_clear_sentence(self, text: str, folder: Path) -> None:
        (folder / "approval.json").write_text(text)
        with pytest.raises(
            BadBundle, match=r"approval\.json is not a decision \(.+\); remove it and review"
        ) as refused:
            load_bundle(folder)
        assert str(folder / "approval.json") in str(refused.value)

    def test_it_and_the_review_page_may_lie_in_the_folder(self, folder: Path) -> None:
        (folder / "review.html").write_text("<html>")
        decide(load_bundle(folder), "approved")
        assert load_bundle(folder).approved


class _FullDisk:
    """A program whose text does not fit on the disk any more."""

    def __init__(self, source: str) -> None:
        self._source = source

    def encode(self, *_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")


def _fails_at_a_picture(draft: Draft) -> Draft:
    return replace(draft, scene=replace(draft.scene, goal=np.zeros((2, 2, 3), np.uint8)))


def _fails_at_a_checker(draft: Draft) -> Draft:
    full: Any = _FullDisk(draft.checkers[1].source)
    return replace(draft, checkers=(draft.checkers[0], replace(draft.checkers[1], source=full), draft.checkers[2]))


@pytest.mark.parametrize(
    ("broken", "error"), [(_fails_at_a_picture, BadFrame), (_fails_at_a_checker, OSError)], ids=["picture", "disk"]
)
@pytest.mark.parametrize("there_before", [True, False])
def test_a_failure_while_writing_leaves_what_was_there(
    broken: Callable[[Draft], Draft],
    error: type[Exception],
    there_before: bool,
    tmp_path: Path,
    draft: Draft,
    doorkey: Split,
) -> None:
    before = load_bundle(_saved(tmp_path, draft, doorkey)).manifest_sha256 if there_before else None
    with pytest.raises(error):
        _saved(tmp_path, broken(draft), doorkey)
    assert [each.name for each in tmp_path.iterdir()] == (["doorkey-6x6"] if there_before else [])
    if there_before:
        assert load_bundle(tmp_path / "doorkey-6x6").manifest_sha256 == before


def test_replaces_what_was_there_and_leaves_nothing_beside_it(tmp_path: Path, doorkey: Split, draft: Draft) -> None:
    _saved(tmp_path, draft, doorkey)
    (tmp_path / "doorkey-6x6" / "notes.txt").write_text("mine")
    better = told(doorkey).draft
    assert load_bundle(_saved(tmp_path, better, doorkey)).verdict == better.verdict
    assert [each.name for each in tmp_path.iterdir()] == ["doorkey-6x6"]


def test_half_a_character_in_a_reply_does_not_cost_the_bundle(tmp_path: Path, draft: Draft, doorkey: Split) -> None:
    first = replace(draft.attempts[0], reply=Reply("the \ud83d square"))
    path = _saved(tmp_path, replace(draft, attempts=(first, *draft.attempts[1:])), doorkey)
    assert load_bundle(path).path.joinpath("attempts/01-goal-1/reply.md").read_text() == "the \\ud83d square"


class TestFinding:
    @pytest.fixture
    def rewards(self, folder: Path) -> Path:
        copytree(folder, folder.parent / "another")
        copytree(folder, folder.parent / ".doorkey-6x6.old")
        (folder.parent / ".journal").mkdir()
        (folder.parent / "empty").mkdir()
        return folder.parent

    def test_lists_those_that_are_there(self, rewards: Path) -> None:
        assert [each.name for each in list_bundles(rewards)] == ["another", "doorkey-6x6"]

    def test_no_folder_holds_none(self, tmp_path: Path) -> None:
        assert list_bundles(tmp_path / "nowhere") == []

    def test_by_task_and_by_path(self, rewards: Path, tmp_path: Path) -> None:
        assert find_bundle("another", rewards) == rewards / "another"
        assert find_bundle(str(rewards / "another"), tmp_path / "nowhere") == rewards / "another"

    @pytest.mark.parametrize("name", ["empty", "unlock"])
    def test_says_which_there_are(self, name: str, rewards: Path) -> None:
        with pytest.raises(UnknownName, match=f"no reward bundle '{name}'. There are: .*another, .*doorkey-6x6"):
            find_bundle(name, rewards)
