"""`car verify`: its options, its exit codes, and one clear sentence for whatever cannot be judged."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from car.bundle import Provenance, load_bundle, save_bundle
from car.bundle.form import sha256_of
from car.record import load_set
from car.tasks import find_task
from car.trajectory import Trajectory, save_trajectories
from car.verify import Split
from tests.planted import doorkey as planted
from tests.unit.cli.planted_session import car
from tests.unit.refine.scripted import GOAL, KEY, Script, program, told

TASK = "doorkey-6x6"
SLOW = {"noise", "brightness", "shift", "jpeg", "shortcut", "cost"}
"""The probes that only report, and take their time."""


def bundle_of(folder: Path, parts: Split, script: Script | None = None) -> Path:
    draft = told(parts, script, attempts=1).draft
    return save_bundle(folder, find_task(TASK), draft, Provenance("scripted/planted", ("planted-1",)))


@pytest.fixture(scope="module")
def right(doorkey: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_of(tmp_path_factory.mktemp("right"), doorkey)


@pytest.fixture
def own(right: Path, tmp_path: Path) -> Path:
    """A copy of the bundle that a test may spoil."""
    return shutil.copytree(right, tmp_path / "own" / TASK)


@pytest.fixture
def changed(doorkey_folder: Path, tmp_path: Path) -> Callable[[Callable[[Trajectory], Trajectory | None]], Path]:
    """Makes a folder with the trajectories as a function leaves them; those for which it gives None are left out."""

    def make(change: Callable[[Trajectory], Trajectory | None]) -> Path:
        for who, kept in zip(("expert", "random"), load_set(doorkey_folder, TASK), strict=True):
            left = [one for each in kept if (one := change(each)) is not None]
            save_trajectories(tmp_path / "changed" / TASK / f"{who}.npz", left, TASK)
        return tmp_path / "changed"

    return make


def document(bundle: Path, trajectories: Path, *more: object, code: int = 0) -> Any:
    result = car("verify", bundle, "--trajectories", trajectories, *more, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def refused(bundle: Path, trajectories: Path, *more: object) -> str:
    """The one sentence with which it ends, with exit code 2."""
    result = car("verify", bundle, "--trajectories", trajectories, *more)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    return last.removeprefix("error: ")


def test_accepted_is_exit_code_0_and_shows_both_splits(right: Path, doorkey_folder: Path) -> None:
    result = car("verify", right, "--trajectories", doorkey_folder, "--quick")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].rstrip() == "Verdict on 60 held-out trajectories: ACCEPTED"
    assert lines[-1] == f"Next: car review {right} --open"
    assert "12/12" in result.stdout
    assert "3/3" in result.stdout


def test_every_probe_is_made_and_a_slow_program_is_named_and_not_rejected(own: Path, doorkey_folder: Path) -> None:
    claimed = _claiming(own, summary="A task of one's own.")
    probes = document(claimed, doorkey_folder, "--task", TASK, "--limit", 1)["verdict"]["probes"]
    names = {each["name"] for each in probes}
    assert names >= SLOW | {"first frame", "exploit: idle"}
    assert [each["passed"] for each in probes if each["name"] == "exploit: one action"] == [True]
    cost = [each for each in probes if each["name"] == "cost"]
    assert [each["passed"] for each in cost] == [False] * 3
    assert {each["values"]["limit_us"] for each in cost} == {1.0}


def test_the_document_holds_the_verdict_and_the_rehearsal(right: Path, doorkey_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "verdict.xml"
    told = document(right, doorkey_folder, "--quick", "--junit", path)
    assert told["bundle"] == str(right)
    assert told["held_out"] is True
    assert told["verdict"]["decision"] == "accepted"
    assert told["rehearsal"]["chain"]["experts"] == 3
    names = {each["name"] for each in told["verdict"]["probes"]}
    assert names >= {"first frame", "exploit: idle"}
    assert not names & SLOW
    (suite,) = ElementTree.parse(path).getroot()
    assert (suite.get("name"), suite.get("failures"), suite.get("errors")) == (TASK, "0", "0")


def test_all_judges_what_refinement_saw_too(right: Path, doorkey_folder: Path) -> None:
    result = car("verify", right, "--trajectories", doorkey_folder, "--quick", "--all")
    assert result.exit_code == 0
    assert "Verdict on all 75 trajectories: ACCEPTED" in result.stdout


def test_a_folder_in_place_of_the_junit_file_is_found_before_anything_runs(right: Path, tmp_path: Path) -> None:
    result = car("verify", right, "--trajectories", tmp_path, "--junit", tmp_path)
    assert result.exit_code == 2
    assert "--junit" in result.stderr


# The bar


def test_with_a_confidence_the_intervals_must_clear(right: Path, doorkey_folder: Path) -> None:
    """12 of 12 experts do not show, with 95% confidence, that 90% do."""
    verdict = document(right, doorkey_folder, "--quick", "--confidence", 0.95, code=1)["verdict"]
    assert verdict["decision"] == "undecided"
    assert [(each["who"], each["more"]) for each in verdict["needs"]] == [("expert", 24)]
    assert document(right, doorkey_folder, "--quick", "--confidence", 0.4)["verdict"]["confidence"] == 0.4


def test_a_share_that_is_asked_for_is_in_the_rule(right: Path, doorkey_folder: Path) -> None:
    verdict = document(right, doorkey_folder, "--quick", "--expert", 0.75, "--random", 0.25)["verdict"]
    assert "at least 75%" in verdict["rule"]
    assert "fewer than 25%" in verdict["rule"]
    assert "paper" not in verdict["rule"]


def test_a_confidence_that_is_none(right: Path, doorkey_folder: Path) -> None:
    said = "The confidence is 1.5; it must be above 0 and below 1, e.g. 0.95."
    assert refused(right, doorkey_folder, "--confidence", 1.5) == said


@pytest.mark.parametrize(
    "option", [("--expert", 1.1), ("--expert", "nan"), ("--random", -0.1), ("--limit", 0), ("--random", "many")]
)
def test_a_number_out_of_its_range(right: Path, doorkey_folder: Path, option: tuple[object, ...]) -> None:
    result = car("verify", right, "--trajectories", doorkey_folder, *option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(option[0]) in result.stderr


# What is wrong with the programs


def test_rejected_is_exit_code_1_and_names_the_mistake(doorkey: Split, doorkey_folder: Path, tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, doorkey, {("checker", GOAL, 1): program(planted.GOAL_ONE_STEP_EARLY)})
    junit = tmp_path / "verdict.xml"
    result = car("verify", bundle, "--trajectories", doorkey_folder, "--quick", "--junit", junit)
    assert result.exit_code == 1
    assert f"✗ {GOAL}: fires too early (goal before the end, episode 1, frame " in result.stdout
    failed = [
        each.get("name") for each in ElementTree.parse(junit).iter("testcase") if each.find("failure") is not None
    ]
    assert failed[:2] == [GOAL, "goal at the end: whole chain"]


def _of_these_episodes(parts: Split) -> str:
    """A right program for the key that answers only in the episodes that refinement saw."""
    name = "int((initial.astype(np.int64) * np.arange(initial.size).reshape(initial.shape)).sum() % 1000003)"
    known = {eval(name, {"np": np, "initial": each.frame(0), "int": int}) for each in parts.refine}
    return planted.RIGHT_KEY.replace(
        "    return door_tile(initial)\n", f"    return door_tile(initial), {name} in {sorted(known)}\n"
    ).replace(
        "    return outside_door(current, found) < 3", "    return found[1] and outside_door(current, found[0]) < 3"
    )


@pytest.fixture(scope="module")
def fitted(doorkey: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = {("checker", KEY, 1): program(_of_these_episodes(doorkey))}
    return bundle_of(tmp_path_factory.mktemp("fitted"), doorkey, script)


def test_what_fits_the_trajectories_that_it_was_mended_on_is_named(fitted: Path, doorkey_folder: Path) -> None:
    held_out = document(fitted, doorkey_folder, "--quick", code=1)["verdict"]
    rules = [each["rule"] for each in held_out["findings"] if each["subtask"] == KEY]
    assert rules == ["never on an expert", "over-fitted"]
    every = document(fitted, doorkey_folder, "--quick", "--all", code=1)["verdict"]
    assert "over-fitted" not in {each["rule"] for each in every["findings"]}


def test_nothing_is_said_of_over_fitting_where_the_rehearsal_had_another_bar(
    fitted: Path, doorkey_folder: Path, tmp_path: Path
) -> None:
    """One that passed because two of three experts were enough is not over-fitted if all are asked for now."""
    bundle = shutil.copytree(fitted, tmp_path / TASK)
    path = bundle / "rehearsal.json"
    rehearsal = json.loads(path.read_text())
    rehearsal["subtasks"][0]["experts_done"] = 2
    path.write_text(json.dumps(rehearsal))
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"]["rehearsal.json"] = sha256_of(path)
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    verdict = document(bundle, doorkey_folder, "--quick", code=1)["verdict"]
    assert "over-fitted" not in {each["rule"] for each in verdict["findings"]}


# What is wrong with the data


def test_too_few_trajectories_leave_it_undecided_with_the_number(right: Path, changed: Any) -> None:
    here = changed(lambda each: each if each.seed % 1_000_000 < 10 else None)
    junit = here / "verdict.xml"
    result = car("verify", right, "--trajectories", here, "--quick", "--junit", junit)
    assert result.exit_code == 1
    assert "UNDECIDED" in result.stdout
    assert "8 of 8 expert trajectories complete the whole chain, which is too few" in " ".join(result.stdout.split())
    assert "2 more expert and 28 more random trajectories are needed." in " ".join(result.stdout.split())
    (error,) = ElementTree.parse(junit).iter("error")
    assert error.get("type") == "undecided"


def test_experts_that_fail(right: Path, changed: Any) -> None:
    here = changed(lambda each: replace(each, success=False) if each.seed in (3, 4) else each)
    said = "2 of the expert episodes do not succeed (expert 3, expert 4); leave them out, or record them anew."
    assert refused(right, here) == said


def test_random_agents_that_all_succeed(right: Path, changed: Any) -> None:
    here = changed(lambda each: replace(each, success=True))
    assert refused(right, here).startswith("All 60 random episodes succeed: on them nothing can be told")


def test_trajectories_of_another_size(right: Path, changed: Any) -> None:
    here = changed(lambda each: replace(each, pictures=each.pictures[:, 4:, 8:]))
    assert refused(right, here) == (
        f"The trajectories of '{TASK}' have frames of 40 x 44 pixels, and the bundle's programs were made for 48 x 48; "
        "record them anew, or generate the bundle anew."
    )


@pytest.mark.parametrize("who", ["expert", "random"])
def test_nothing_but_what_refinement_saw(right: Path, changed: Any, who: str) -> None:
    saw = load_bundle(right).refined_on
    here = changed(lambda each: each if each.who != who or each.sha256() in saw else None)
    count = {"expert": 3, "random": 12}[who]
    assert refused(right, here) == (
        f"Refinement saw all {count} {who} trajectories of '{TASK}' that are here; record others with `car record "
        f"{TASK} --seed 1000`, or judge on these with --all."
    )
    assert car("verify", right, "--trajectories", here, "--quick", "--all").exit_code in (0, 1)


def test_no_trajectories(right: Path, tmp_path: Path) -> None:
    assert refused(right, tmp_path).startswith(f"There are no expert trajectories of the task '{TASK}' at ")


# What is wrong with the bundle


def test_a_program_that_was_edited_by_hand(own: Path, doorkey_folder: Path) -> None:
    (path,) = (own / "checkers").glob(f"*{KEY}.py")
    path.write_text(planted.ALWAYS_TRUE)
    said = refused(own, doorkey_folder)
    assert said == (
        f"The bundle {own} does not match its manifest: checkers/{path.name} was changed. Restore it, or generate it "
        "again."
    )


def test_a_verdict_that_was_edited_by_hand(own: Path, doorkey_folder: Path) -> None:
    path = own / "verdict.json"
    path.write_text(path.read_text().replace('"rejected"', '"accepted"').replace("0.95", "0.99"))
    assert "verdict.json was changed" in refused(own, doorkey_folder)


# The environment is run only if somebody says so who is not the bundle


def _claiming(own: Path, **fields: object) -> Path:
    manifest = json.loads((own / "manifest.json").read_text())
    manifest["task"].update(fields)
    (own / "manifest.json").write_text(json.dumps(manifest))
    return own


def test_a_bundle_does_not_decide_what_is_imported(own: Path, doorkey_folder: Path, tmp_path: Path) -> None:
    claimed = _claiming(own, env_id="car_evil_module:Evil-v0", camera="car_evil_module:camera")
    (tmp_path / "car_evil_module.py").write_text("raise SystemExit('imported')")
    result = car("verify", claimed, "--trajectories", doorkey_folder)
    assert result.exit_code == 0, result.output
    assert f"The environment of {TASK} is not run" in " ".join(result.stderr.split())
    assert "not looked at" in result.stdout


def test_the_named_task_must_be_that_of_the_bundle(right: Path, doorkey_folder: Path) -> None:
    said = "--task doorkey-5x5 is not the task of this bundle: its name is 'doorkey-5x5', and the bundle's is "
    assert refused(right, doorkey_folder, "--task", "doorkey-5x5") == f"{said}'{TASK}'."
    assert refused(right, doorkey_folder, "--task", "dorkey").startswith("There is no task 'dorkey'.")
