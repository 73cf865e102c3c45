"""Whatever is wrong with the input, the answer is one sentence and exit code 2; never a traceback."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from car.trajectory import Trajectory, save_trajectories
from car.vlm import Finish, Reply
from tests.planted.doorkey import RIGHT_GOAL
from tests.unit.cli.planted_session import GOAL_ANSWER, MENDED, Answer, alone, car, cut, fenced, write_recording

TASK = "doorkey-5x5"
WRONG_ENVIRONMENTS = """
import errno

import gymnasium as gym
import numpy as np


class Wrong(gym.Env):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None, flaw=""):
        self.render_mode, self.flaw = render_mode, flaw

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.first_seed = 0, seed
        return 0, {}

    def step(self, action):
        self.steps += 1
        if self.flaw == "full" and self.first_seed == 1:
            raise OSError(errno.ENOSPC, "No space left on device", "trajectories/wrong/expert.npz")
        won = bool(action) and self.flaw != "hopeless"
        return 0, float(won), won, self.steps >= 3, {}

    def render(self):
        picture = np.full((8, 8 + 8 * (self.first_seed if self.flaw == "grows" else 0), 3), self.steps, np.uint8)
        return {
            "float": picture / 255.0, "grey": picture[:, :, 0], "none": None, "alpha": np.zeros((8, 8, 4), np.uint8),
            "tiny": picture[:2],
        }.get(self.flaw, picture)


class Blind(Wrong):
    metadata = {"render_modes": ["human"]}


def expert(env):
    return lambda observation: 1


gym.register("CarWrong/Wrong-v0", Wrong, disable_env_checker=True)
gym.register("CarWrong/Blind-v0", Blind, disable_env_checker=True)
"""


@pytest.fixture(autouse=True)
def _where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty current folder, no keys, and a module of wrong environments beside the task file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "CAR_VLM"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "wrong_environments.py").write_text(WRONG_ENVIRONMENTS, encoding="utf-8")
    yield
    sys.modules.pop("wrong_environments", None)
    for name in [each for each in gym.registry if each.startswith("CarWrong/")]:
        del gym.registry[name]


def refused(*arguments: object, code: int = 2) -> str:
    """The one sentence with which a command ends."""
    result = car(*arguments)
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    sentence = result.stderr.splitlines()[-1]
    assert sentence.startswith("error: ")
    return sentence.removeprefix("error: ")


def task_file(flaw: str = "", env: str = "Wrong", more: str = "") -> Path:
    path = Path("task.toml")
    path.write_text(
        f'name = "wrong"\nenv = "wrong_environments:CarWrong/{env}-v0"\nexpert = "wrong_environments:expert"\n{more}\n'
        + (f'[env_kwargs]\nflaw = "{flaw}"\n' if flaw else "")
    )
    return path


def recorded(width: int = 40) -> None:
    """Trajectories of the task in the usual folder: the first half of a real set is not needed to be refused."""
    for who, count, side in (("expert", 2, 40), ("random", 2, width)):
        frames = [[np.full((40, side, 3), n, np.uint8)] for n in range(count)]
        made = [Trajectory.of(each, who, seed=n, success=who == "expert") for n, each in enumerate(frames)]
        save_trajectories(Path("trajectories") / TASK / f"{who}.npz", made, TASK)


def generated(*answers: Answer, attempts: int = 1, code: int = 2) -> str:
    """How a generation ends whose VLM answers so."""
    recorded()
    session = write_recording(Path("session.json"), answers)
    return refused("generate", TASK, "--vlm", f"replay/{session}", "--attempts", attempts, code=code)


# Names


@pytest.mark.parametrize(
    "command",
    [["record"], ["generate", "--vlm", "manual"], ["train", "--reward", "sparse"]],
)
def test_an_unknown_task(command: list[str]) -> None:
    sentence = refused(command[0], "dorkey", *command[1:])
    assert sentence.startswith("There is no task 'dorkey'. There are: ")
    assert "doorkey-8x8" in sentence


@pytest.mark.parametrize("command", [["verify"], ["review"], ["train", TASK, "--reward"]])
def test_an_unknown_bundle(command: list[str]) -> None:
    assert refused(*command, "nothing") == "There is no reward bundle 'nothing'. There are: none."


def test_a_demo_without_a_recorded_session() -> None:
    sentence = refused("demo", "--task", "redbluedoors-6x6", "--out", "demo")
    assert sentence.startswith("There is no recording 'redbluedoors-6x6'. There are: ")


def test_an_unknown_recording() -> None:
    recorded()
    assert refused("generate", TASK, "--vlm", "replay/none.json").startswith("There is no recording 'none.json'.")


@pytest.mark.parametrize("spec", ["gpt", "openia/x", "replay/", ""])
def test_an_unknown_vlm(spec: str) -> None:
    recorded()
    sentence = refused("generate", TASK, "--vlm", spec)
    assert sentence.startswith(f"There is no VLM {spec!r}. There are: openai/MODEL, anthropic/MODEL")


def test_a_provider_without_a_model() -> None:
    recorded()
    assert "needs a model" in refused("generate", TASK, "--vlm", "openai")


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_missing_key_names_the_variable_and_the_way_without_one(provider: str) -> None:
    recorded()
    sentence = refused("generate", TASK, "--vlm", f"{provider}/some-model")
    assert f"{provider.upper()}_API_KEY" in sentence
    assert "manual" in sentence


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--algo", "pop"], "There is no algorithm 'pop'. There are: ppo, a2c, dqn, sac."),
        (["--shaping", "clay"], "There is no shaping 'clay'. There are: potential, bonus."),
        (["--env-reward", "keep"], "There is no env_reward 'keep'. There are: add, replace."),
        (["--resume"], "--resume goes with --out FOLDER, the folder of the runs to go on with."),
    ],
)
def test_an_unknown_choice_of_training(option: list[str], said: str) -> None:
    assert refused("train", TASK, "--reward", "sparse", *option) == said


@pytest.mark.parametrize("command", ["tasks", "record", "generate", "train", "demo", "bundles", "doctor"])
def test_an_unknown_option(command: str) -> None:
    result = car(command, "--colour")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--colour" in result.stderr


def test_an_unknown_command() -> None:
    result = car("recrod")
    assert result.exit_code == 2
    assert "recrod" in result.stderr


@pytest.mark.parametrize("option", [["--who", "robot"], ["--import", "a", "--export", "b"]])
def test_record_options_that_do_not_go(option: list[str]) -> None:
    assert option[0] in refused("record", TASK, *option)


# Tasks and environments


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('env = "CartPole-v1"', "lacks the key 'name'."),
        ('name = "mine"', "lacks the key 'env'."),
        ('name = "mine"\nenv = "CartPole-v1"\ncolour = 3', "has the unknown key 'colour'. The keys are: "),
        ("name =", "is not TOML: "),
        ('name = "Mine!"\nenv = "CartPole-v1"', "must be lower-case letters"),
        ('name = "mine"\nenv = "Nowhere-v0"', "The environment 'Nowhere-v0' of task 'mine' cannot be made: "),
        ('name = "mine"\nenv = "wrong_environments:CarWrong/Wrong-v0"', "names no expert"),
    ],
)
def test_a_wrong_task_file(text: str, said: str) -> None:
    Path("task.toml").write_text(text)
    assert said in refused("record", "task.toml")


def test_a_task_file_that_is_not_there() -> None:
    assert refused("record", "none.toml") == "The task file none.toml cannot be read: No such file or directory."


@pytest.mark.parametrize("reference", ["nowhere:task", "wrong_environments:nothing", "wrong_environments:expert"])
def test_a_wrong_reference_to_a_task(reference: str) -> None:
    assert reference.partition(":")[0] in refused("record", reference)


@pytest.mark.filterwarnings("ignore:.*render_mode='rgb_array' that is not in the possible render_modes")
def test_an_environment_without_rgb_array() -> None:
    assert "cannot render 'rgb_array' (its render modes are: human)" in refused("record", task_file(env="Blind"))


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("float", "The rendered frame has dtype float64; it must be uint8 (0 to 255)."),
        ("grey", "The rendered frame has shape (8, 8); it must be (H, W, 3), RGB."),
        ("alpha", "The rendered frame has shape (8, 8, 4); it must be (H, W, 3), RGB."),
        ("tiny", "sides must be 4 to 4096 pixels"),
        ("none", "The rendered frame is None"),
        ("hopeless", "The expert of task 'wrong' failed in 4 of 4 episodes, and 2 successes are needed"),
        ("grows", "All frames of the task 'wrong' must have one size"),
        ("full", "No space left on device (trajectories/wrong/expert.npz). What was done before is kept"),
    ],
)
def test_an_environment_that_does_something_wrong(flaw: str, said: str) -> None:
    assert said in refused("record", task_file(flaw), "--expert", 2, "--random", 2)
    if flaw == "full":
        assert Path("trajectories/wrong/expert.npz").exists()


def test_the_same_environment_without_a_flaw_is_recorded() -> None:
    result = car("record", task_file(), "--expert", 2, "--random", 2)
    assert result.exit_code == 0, result.output


# Trajectories


@pytest.mark.parametrize("command", ["generate", "verify", "export"])
def test_no_trajectories_yet(command: str, bundle: Path) -> None:
    arguments = {
        "generate": ("generate", TASK, "--vlm", "replay/unlock"),
        "verify": ("verify", bundle),
        "export": ("record", TASK, "--export", "me/mine-v0"),
    }
    sentence = refused(*arguments[command])
    assert sentence.startswith(f"There are no expert trajectories of the task {TASK!r} at trajectories/")
    assert f"run `car record {TASK}`" in sentence


def test_trajectories_of_different_sizes() -> None:
    recorded(width=48)
    sentence = refused("generate", TASK, "--vlm", "replay/unlock")
    assert "must have one size, but some are 40 x 40 pixels and some are 48 x 40" in sentence


def test_damaged_trajectories() -> None:
    recorded()
    Path("trajectories", TASK, "random.npz").write_bytes(b"PK nothing")
    assert "random.npz is damaged or not a trajectory file" in refused("generate", TASK, "--vlm", "replay/unlock")


@pytest.mark.parametrize("source", ["nowhere", "wrong_environments.py"])
def test_something_else_to_import(source: str) -> None:
    assert source in refused("record", TASK, "--import", source)


# Replies


def test_an_empty_reply_is_asked_again_and_in_the_end_refused() -> None:
    empty = [("goal", "", attempt, Reply(" \n")) for attempt in (1, 2, 3)]
    assert generated(*empty, code=3) == "replay/session named no goal in 3 tries: The reply is empty."


@pytest.mark.parametrize(
    ("finish", "said"), [(Finish.REFUSED, "The request was refused."), (Finish.TRUNCATED, "The reply was cut off")]
)
def test_a_refused_or_truncated_reply_is_asked_again_and_in_the_end_refused(finish: Finish, said: str) -> None:
    goals = [("goal", "", attempt, cut(finish)) for attempt in (1, 2, 3)]
    assert f"replay/session named no goal in 3 tries: {said}" in generated(*goals, code=3)
    namings = [("subtasks", "", attempt, cut(finish)) for attempt in (1, 2, 3)]
    assert f"named no usable sub-tasks in 3 tries: {said}" in generated(GOAL_ANSWER, *namings, code=3)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(""), "The reply is empty."),
        (Reply("I cannot see it."), "The reply holds no ```python block."),
        (fenced("def look(found, current):\n    return True\n"), "check"),
        (fenced("import os\n\ndef check(found, current):\n    return True\n"), "os"),
        (fenced("def check(found, current)\n    return True\n"), "line 1"),
        (cut(Finish.REFUSED), "The request was refused."),
        (cut(Finish.TRUNCATED), "The reply was cut off"),
    ],
)
def test_a_reply_without_a_usable_program_goes_back_with_the_reason(reply: Reply, said: str) -> None:
    recorded()
    session = write_recording(Path("session.json"), alone(reply, reply))
    result = car("generate", TASK, "--vlm", f"replay/{session}", "--attempts", 2)
    assert result.exit_code == 3
    words = " ".join(result.stderr.split())
    assert len(re.findall(rf"rejected [^?]*{re.escape(said)}", words)) == 2
    assert words.endswith("error: replay/session wrote no program that may run, in 4 replies.")


def test_a_recording_that_ends_too_early() -> None:
    sentence = generated(*alone(fenced("x = 1\n")), attempts=2)
    assert sentence.startswith("The recording session has no answer for refine 'reach-the-goal' (attempt 2). It holds:")


def test_a_prompt_that_was_not_recorded_is_refused_if_asked_to() -> None:
    recorded()
    session = write_recording(Path("session.json"), MENDED)
    assert "--strict" in refused("generate", TASK, "--vlm", f"replay/{session}", "--strict")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "car-recording/9"}'])
def test_a_damaged_recording(text: str) -> None:
    recorded()
    Path("session.json").write_text(text)
    assert "session.json" in refused("generate", TASK, "--vlm", "replay/session.json")


# Bundles and runs


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that nobody has reviewed."""
    folder = tmp_path_factory.mktemp("made")
    where = ("--trajectories", folder / "trajectories")
    assert car("record", TASK, "--expert", 2, "--random", 4, "--max-steps", 30, *where).exit_code == 0
    session = write_recording(folder / "session.json", alone(fenced(RIGHT_GOAL)))
    vlm = ("--vlm", f"replay/{session}", "--attempts", 1)
    assert car("generate", TASK, *vlm, *where, "--rewards", folder / "rewards").exit_code in (0, 1)
    return folder / "rewards" / TASK


def test_training_with_an_unreviewed_bundle(bundle: Path) -> None:
    sentence = refused("train", TASK, "--reward", bundle)
    assert sentence.startswith(f"Nobody has approved the bundle {bundle}: read it with `car review {bundle} --open`")
    assert not Path("runs").exists()


@pytest.mark.parametrize("command", [["verify"], ["review"], ["review", "--approve"], ["train", TASK, "--reward"]])
def test_a_bundle_that_was_changed_by_hand(bundle: Path, command: list[str]) -> None:
    program = next((bundle / "checkers").iterdir())
    before = program.read_text()
    program.write_text(before + "\n# better\n")
    sentence = refused(*command, bundle)
    program.write_text(before)
    assert f"does not match its manifest: checkers/{program.name} was changed." in sentence


def test_a_decision_that_contradicts_itself(bundle: Path) -> None:
    assert refused("review", bundle, "--approve", "--reject", "no") == "Either --approve or --reject, not both."


def test_two_bundles_in_one_run(bundle: Path) -> None:
    sentence = refused("train", TASK, "--reward", bundle, "--reward", bundle, "--allow-unreviewed")
    assert sentence.startswith("Two of the rewards would be called ")


def test_a_folder_of_runs_that_is_not_empty() -> None:
    Path("out").mkdir()
    Path("out", "notes.txt").write_text("mine")
    sentence = refused("train", TASK, "--reward", "sparse", "--out", "out")
    assert sentence == "out is not empty; go on with --resume, or choose another --out."


def test_a_file_in_the_place_of_a_folder() -> None:
    Path("out").write_text("")
    assert "out" in refused("train", TASK, "--reward", "sparse", "--out", "out")
    assert "out" in refused("record", task_file(), "--expert", 1, "--random", 1, "--trajectories", "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written() -> None:
    Path("locked").mkdir(mode=0o500)
    assert "locked" in refused("record", task_file(), "--expert", 1, "--random", 1, "--trajectories", "locked/in")


def test_a_sentence_with_square_brackets_is_printed_as_it_is() -> None:
    assert refused("record", "[red]task[/red]").startswith("There is no task '[red]task[/red]'.")
