"""`car train` with CLIP rewards: what they are asked, that runs go on and are repeated, and what is refused."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from car.cli.app import app
from car.cli.clip_options import asked_of_clip, check_used
from car.errors import UserError
from car.rewards import is_made
from car.rewards.clip import ClipSettings, read_reference, with_prompts
from car.tasks import find_task
from car.tasks.sentences import SENTENCES
from car.train import Job, TrainSettings
from tests.unit.rewards.clip.small_clip import save_tiny

pytest.importorskip("transformers")

TASK = "doorkey-5x5"
GATE = Path(__file__).parents[3] / "generated_rewards" / "doorkey-6x6"
SMALL = [
    argument
    for pair in ("envs=2", "n_steps=32", "batch=32", "epochs=1", "eval_episodes=1", "eval_every=0")
    for argument in ("--set", pair)
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a random tiny CLIP, with a space in its path."""
    return save_tiny(tmp_path_factory.mktemp("clips") / "my clips" / "tiny")


def car(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.exit_code, done.stdout, done.stderr


def train(*arguments: object, steps: int = 128) -> dict[str, Any]:
    """What a training with these arguments tells."""
    code, said, notes = car("train", TASK, "--steps", steps, "--no-film", "--json", *SMALL, *arguments)
    assert code == 0, notes
    return dict(json.loads(said))


def refused(*arguments: object, out: Path) -> str:
    """The one sentence of a training that is refused; nothing but a log may be left of it."""
    code, said, notes = car("train", TASK, "--steps", 64, "--no-film", *SMALL, "--out", out, *arguments)
    assert (code, said) == (2, ""), notes
    sentences = [line for line in notes.splitlines() if line.startswith("error: ")]
    assert len(sentences) == 1
    assert "Traceback" not in notes
    assert notes.splitlines()[-1] == sentences[0]
    assert not out.exists() or {path.name for path in out.rglob("*") if path.is_file()} <= {"log.txt"}
    return sentences[0].removeprefix("error: ")


def kept(run: Path) -> dict[str, Any]:
    """The reward that a run's settings name."""
    return dict(json.loads((run / "settings.json").read_text("utf-8"))["reward"])


def progress(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "progress.jsonl").read_text("utf-8").splitlines()]
    return [{name: value for name, value in line.items() if not name.endswith("_seconds")} for line in lines]


HALVES = ("--set", "eval_every=128")
COSINE = ("--goal", "the door is open", "--goal", "an open door", "--baseline", "a grid world", "--alpha", 0.3)


@pytest.fixture(scope="module")
def cosine(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs with a CLIP's cosine, made once."""
    runs = tmp_path_factory.mktemp("runs") / "cosine"
    document = train("--reward", f"clip-cosine:{tiny}", *COSINE, "--stretch", *HALVES, "--out", runs, steps=256)
    assert list(document["runs"]) == ["clip-cosine"]
    assert document["runs"]["clip-cosine"][0]["steps"] == 256
    return runs


def test_the_options_are_the_reward_that_the_run_keeps(cosine: Path, tiny: Path) -> None:
    reward = kept(cosine / "clip-cosine" / "seed-0")
    assert reward["kind"] != "sparse"
    assert read_reference(reward["maker"]) == ClipSettings(
        "clip-cosine",
        str(tiny),
        goal=("the door is open", "an open door"),
        baseline=("a grid world",),
        alpha=0.3,
        stretch=True,
    )


def test_a_run_is_repeated_from_its_folder_alone(cosine: Path, tmp_path: Path) -> None:
    run = cosine / "clip-cosine" / "seed-0"
    code, said, notes = car("repeat", run, "--out", tmp_path / "again", "--json")
    assert code == 0, notes
    assert json.loads(said)["same"] is True
    assert kept(tmp_path / "again") == kept(run)
    assert progress(tmp_path / "again") == progress(run)


def test_a_run_goes_on_with_its_reward_and_with_no_other(cosine: Path, tiny: Path) -> None:
    run = cosine / "clip-cosine" / "seed-0"
    before, reward = progress(run), kept(run)
    # As if it had been killed in its second half.
    (run / "policy.zip").unlink()
    (run / "checkpoints" / "step-256.zip").unlink()
    said = ("--reward", f"clip-cosine:{tiny}", "--stretch", *HALVES, "--out", cosine, "--resume")
    document = train(*said, *COSINE, steps=256)
    assert document["runs"]["clip-cosine"][0]["steps"] == 256
    assert kept(run) == reward
    assert [line["steps"] for line in progress(run)] == [line["steps"] for line in before] == [64, 128, 192, 256]
    assert progress(run)[:2] == before[:2]
    code, _, notes = car("train", TASK, "--steps", 256, "--no-film", *SMALL, *said, *COSINE[:-1], 0.4)
    assert code == 2
    assert "alpha=0.3" in notes
    assert "alpha=0.4" in notes
    assert "ask for the same, or name another folder." in notes


def test_the_softmax_takes_negatives_from_a_file_and_may_end_episodes(tiny: Path, tmp_path: Path) -> None:
    negatives = tmp_path / "negatives.txt"
    negatives.write_text("the door is shut\n\n  ein Apfel \nthe door is shut\n", "utf-8")
    said = ("--negatives", negatives, "--goal", "the door is open", "--tau", 0.2, "--template", "a picture: [TASK]")
    # Above 0 is every frame: each episode is over after its first step.
    runs = tmp_path / "runs"
    train("--reward", f"clip-softmax:{tiny}", *said, "--beta", 0, "--end", "--out", runs)
    run = runs / "clip-softmax" / "seed-0"
    assert read_reference(kept(run)["maker"]) == ClipSettings(
        "clip-softmax",
        str(tiny),
        goal=("the door is open",),
        negative=("the door is shut", "ein Apfel"),
        tau=0.2,
        beta=0.0,
        template=("a picture: [TASK]",),
        end=True,
    )
    last = progress(run)[-1]
    # Success stays the environment's own, and nothing is ever credited by a CLIP.
    assert (last["train_length"], last["episodes"], last["train_success"], last["credited"]) == (1, 128, 0, 0)
    # Whatever the reward does, an evaluation goes to the environment's own end.
    assert last["evaluation"]["length"] > 1


def test_negatives_are_drawn_and_the_tasks_goal_is_taken(tiny: Path, tmp_path: Path) -> None:
    said = ("--reward", f"clip-softmax:{tiny}", "--negatives", 3, "--negatives-seed", 2, "--shaping", "potential")
    train(*said, "--out", tmp_path / "runs")
    settings = read_reference(kept(tmp_path / "runs" / "clip-softmax" / "seed-0")["maker"])
    assert settings.goal == (SENTENCES["goal-reached"],)
    assert len(set(settings.negative)) == 3
    assert set(settings.negative) <= set(SENTENCES.values()) - set(settings.goal)
    assert not settings.end


def test_a_bundle_says_what_is_done_and_clip_only_shapes(tiny: Path, tmp_path: Path) -> None:
    said = (
        "--reward",
        f"clip-cosine:{tiny}",
        "--gate",
        GATE,
        "--goal",
        "a key",
        "--goal",
        "a door",
        "--goal",
        "an end",
    )
    code, _, notes = car("train", GATE.name, *said, "--steps", 64, "--no-film", *SMALL, "--out", tmp_path / "bonus")
    assert code == 2
    assert "A gated CLIP shapes through progress, which 'bonus' does not pay; use the shaping 'potential'." in notes
    runs = tmp_path / "runs"
    code, _, notes = car(
        "train", GATE.name, *said, "--steps", 64, "--no-film", *SMALL, "--out", runs, "--shaping", "potential"
    )
    if code == 2 and "isolat" in notes:
        pytest.skip(notes)
    assert code == 0, notes
    run = runs / "clip-cosine-gated" / "seed-0"
    settings = read_reference(kept(run)["maker"])
    assert (settings.gate, settings.goal) == (str(GATE), ("a key", "a door", "an end"))
    assert progress(run)[-1]["failures"] == 0


def test_a_reward_that_is_longer_than_a_files_name_may_be_is_one() -> None:
    reference = with_prompts(ClipSettings("clip-softmax"), find_task(TASK)).reference
    assert len(reference) > 255
    assert is_made(reference)
    job = Job("clip", find_task(TASK), reference, TrainSettings(), Path("out"))
    assert job.errand.reads == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--goal", ""), "A prompt of the goal is empty; say in words what a frame shows."),
        (("--goal", "a door", "--goal", "  "), "A prompt of the goal is empty; say in words what a frame shows."),
        (("--baseline", ""), "A prompt of the baseline is empty; say in words what a frame shows."),
        (
            ("--goal", "a door", "--baseline", "a door", "--alpha", "0.5"),
            "'a door' is the goal and also its baseline; say something else for one.",
        ),
        (("--alpha", "1.5"), "alpha is 1.5; it must be 0 to 1."),
        (("--alpha", "-0.5"), "alpha is -0.5; it must be 0 to 1."),
        (("--alpha", "nan"), "alpha is nan; it must be 0 to 1."),
        (("--beta", "0.5"), "--beta is for another kind of CLIP reward; see docs/clip.md."),
        (("--end",), "--end is for another kind of CLIP reward; see docs/clip.md."),
    ],
)
def test_what_a_cosine_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], said: str, tiny: Path, tmp_path: Path
) -> None:
    assert refused("--reward", f"clip-cosine:{tiny}", *arguments, out=tmp_path / "runs") == said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--negatives", "0"), "0 negatives, seed 0: it takes at least one, and a seed from 0."),
        (("--negatives", "-2"), "-2 negatives, seed 0: it takes at least one, and a seed from 0."),
        (("--negatives", "none.txt"), "The file of negatives none.txt cannot be read: No such file or directory."),
        (("--negatives", "empty.txt"), "The file of negatives empty.txt is empty; it has one a line."),
        (("--beta", "1.5"), "beta is 1.5; it must be 0 to 1."),
        (("--beta", "-1"), "beta is -1.0; it must be 0 to 1."),
        (("--tau", "0"), "tau is 0.0; it must be a positive number."),
        (("--template", "nothing"), "There is no template 'nothing': say one of plain, open, "),
        (("--alpha", "0.5"), "--alpha is for another kind of CLIP reward; see docs/clip.md."),
        (("--goal", "a door", "--negatives", "doors.txt"), "'a door' is the goal and also its negative; say something"),
    ],
)
def test_what_a_softmax_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], said: str, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.txt").write_text(" \n\n", "utf-8")
    Path("doors.txt").write_text("a key\na door\n", "utf-8")
    assert refused("--reward", f"clip-softmax:{tiny}", *arguments, out=tmp_path / "runs").startswith(said)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("kind", ["clip-cosine", "clip-softmax"])
def test_an_unknown_model_is_one_sentence(kind: str, tmp_path: Path) -> None:
    said = refused("--reward", f"{kind}:nothing", "--negatives" if "soft" in kind else "--alpha", 1, out=tmp_path / "a")
    assert said.startswith("There is no CLIP 'nothing'. There are: ")


def test_weights_of_another_model_are_one_sentence(tiny: Path, tmp_path: Path) -> None:
    said = refused("--reward", f"clip-cosine:ViT-B-32/{tiny / 'model.safetensors'}", out=tmp_path / "runs")
    assert said.startswith(f"The weights in {tiny / 'model.safetensors'} are of another model than its configuration: ")


def test_a_goal_and_a_baseline_that_mean_the_same_are_one_sentence(tiny: Path, tmp_path: Path) -> None:
    words = ("--goal", "the door is open", "--baseline", "The  door is OPEN", "--alpha", 0.5)
    said = refused("--reward", f"clip-cosine:{tiny}", *words, out=tmp_path / "runs")
    assert said == "For this CLIP the goal and the baseline mean the same; say one of them otherwise."


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--goal", "a door"), "--goal"),
        (("--alpha", "0.5"), "--alpha"),
        (("--negatives", "3"), "--negatives"),
        (("--negatives", "negatives.txt"), "--negatives"),
        (("--negatives-seed", "3"), "--negatives-seed"),
        (("--end",), "--end"),
        (("--gate", TASK), "--gate"),
    ],
)
def test_an_option_without_a_clip_reward_is_one_sentence(
    arguments: tuple[str, ...], option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("negatives.txt").write_text("a key\n", "utf-8")
    said = refused("--reward", "sparse", *arguments, out=tmp_path / "runs")
    assert said == f"{option} is for CLIP rewards, of which there is none; see docs/clip.md."
    assert not (tmp_path / "runs").exists()


def test_a_gate_that_is_not_there_is_one_sentence(tiny: Path, tmp_path: Path) -> None:
    said = refused("--reward", f"clip-cosine:{tiny}", "--gate", tmp_path / "none", out=tmp_path / "runs")
    assert "none" in said
    assert not (tmp_path / "runs").exists()


def test_what_is_not_said_is_not_asked() -> None:
    assert asked_of_clip() == {}
    assert asked_of_clip(goal=["a"], negatives="5", alpha=0.0, end=True) == {
        "goal": ("a",),
        "negatives": 5,
        "alpha": 0.0,
        "end": True,
    }


def test_an_option_that_one_of_several_rewards_takes_is_fine() -> None:
    check_used({}, [])
    check_used({"goal": ("a",)}, ["clip-cosine:worlds"])
    check_used({"alpha": 0.5, "beta": 0.5}, ["clip-cosine:worlds", "clip-softmax:worlds"])
    with pytest.raises(UserError, match="--negatives is for CLIP rewards"):
        check_used({"negative": ("a",)}, [])
    with pytest.raises(UserError, match="--beta is for another kind"):
        check_used({"alpha": 0.5, "beta": 0.5}, ["clip-cosine:worlds"])


def test_options_go_before_what_the_line_says(tiny: Path) -> None:
    line = dataclasses.replace(ClipSettings("clip-cosine", str(tiny)), alpha=0.1, goal=("a key",)).reference
    settings = read_reference(line, asked_of_clip(goal=["a door"], baseline=["a room"]))
    assert (settings.goal, settings.baseline, settings.alpha) == (("a door",), ("a room",), 0.1)
