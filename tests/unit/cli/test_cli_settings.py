import json
from pathlib import Path
from typing import Any

import pytest

from car import __version__
from tests.unit.cli.planted_session import MENDED, car, write_recording

TASK = "doorkey-5x5"
SECRET = "abc123def456"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, without settings from elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CAR_CONFIG", raising=False)
    monkeypatch.delenv("CAR_VLM", raising=False)
    return tmp_path


def settings(text: str, path: str = "car.toml") -> None:
    Path(path).write_text(text, encoding="utf-8")


def refused(*arguments: object) -> str:
    """The one sentence of a command that refuses its settings."""
    said = car(*arguments or ("tasks",))
    assert (said.exit_code, said.stdout) == (2, ""), said.output
    (sentence,) = said.stderr.splitlines()
    return sentence.removeprefix("error: ")


def vlm_used(*arguments: object) -> str:
    """Which VLM `car generate` takes, where no trajectories are: its sentence about a form that does not exist."""
    said = car("generate", TASK, *arguments)
    assert said.exit_code == 2
    return said.stderr.partition("There is no VLM '")[2].partition("'")[0]


def recorded(*arguments: object) -> tuple[int, int]:
    """How many episodes `car record` counts, of the expert and at random."""
    said = car("record", TASK, "--json", *arguments)
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)["recorded"]
    return told["expert"], told["random"]


def test_the_command_line_goes_before_the_environment_the_file_and_what_is_built_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Missing option '--vlm'" in car("generate", TASK).stderr
    settings('vlm = "of-the-file"')
    assert vlm_used() == "of-the-file"
    monkeypatch.setenv("CAR_VLM", "of-the-environment")
    assert vlm_used() == "of-the-environment"
    assert vlm_used("--vlm", "of-the-command-line") == "of-the-command-line"


def test_a_default_of_the_file_goes_before_the_built_in_one() -> None:
    settings("expert = 1\n[record]\nrandom = 2\n[evaluate]\nseed = 7\n")
    assert recorded() == (1, 2)
    assert recorded("--random", 3) == (1, 3)


def test_a_table_goes_before_the_top_and_holds_in_its_command_only() -> None:
    settings("random = 2\nexpert = 0.5\n[record]\nexpert = 1\n[generate]\nrandom = 0.25\n")
    assert recorded() == (1, 2)


def test_names_may_be_written_with_underscores() -> None:
    settings("[record]\nmax_steps = 3\nexpert = 0\nrandom = 1\n")
    assert "; 4 frames" in car("record", TASK).stdout
    settings("max-steps = 3\nmax_steps = 4\n")
    assert refused() == "car.toml: 'max-steps' is set twice, with - and with _."


def test_paths_are_seen_from_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "elsewhere").mkdir()
    settings('trajectories = "kept"\n[record]\nexpert = 1\nrandom = 1\n', "elsewhere/mine.toml")
    monkeypatch.setenv("CAR_CONFIG", "elsewhere/mine.toml")
    assert recorded() == (1, 1)
    assert (folder / "kept" / TASK).is_dir()


def test_another_file_takes_the_place_of_the_one_in_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    settings('vlm = "of-the-folder"')
    settings('vlm = "of-the-other"', "other.toml")
    monkeypatch.setenv("CAR_CONFIG", "")
    assert vlm_used() == "of-the-folder"
    monkeypatch.setenv("CAR_CONFIG", "other.toml")
    assert vlm_used() == "of-the-other"
    monkeypatch.setenv("CAR_CONFIG", "/dev/null")
    assert "Missing option '--vlm'" in car("generate", TASK).stderr


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    settings("json = true")
    monkeypatch.setenv("CAR_CONFIG", "gone.toml")
    assert refused() == "CAR_CONFIG names gone.toml, and there is no such file."


def test_a_flag_is_set_and_errors_are_told_to_machines_then_too() -> None:
    assert car("bundles").stdout != '{\n "bundles": []\n}\n'
    settings("json = true")
    assert json.loads(car("bundles").stdout) == {"bundles": []}
    said = car("record", "no-such-task")
    assert json.loads(said.stdout)["exit_code"] == 2
    settings("json = false")
    assert "make one with" in car("bundles").stdout
    assert car("record", "no-such-task").stdout == ""


def test_a_flag_with_two_forms_may_be_set_either_way() -> None:
    for value in ("true", "false"):
        settings(f"[train]\nmilestones = {value}\nreward = ['sparse']\nalgo = 'no-such-algorithm'\n")
        assert "'no-such-algorithm'" in refused("train", TASK)


def test_a_list_is_an_option_that_is_given_several_times() -> None:
    settings('[train]\nreward = ["sparse", "sparse"]\n')
    assert "Two of the rewards would be called 'sparse'" in refused("train", TASK)
    assert "There is no reward bundle" in car("train", TASK, "--reward", "no-such-bundle").stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("max-cots = 2", "car.toml: there is no option 'max-cots'; did you mean 'max-cost'?"),
        ("max-token = 2", "car.toml: there is no option 'max-token'; did you mean 'max-tokens'?"),
        ("[train]\nstep = 2", "car.toml, [train]: there is no option 'step'; did you mean 'steps'?"),
        ("[trian]\nsteps = 2", "car.toml: there is no command 'trian'; did you mean 'train'?"),
        ("[trian]", "car.toml: there is no command 'trian'; did you mean 'train'?"),
        ("[zzz]", "car.toml: there is no command 'zzz'; `car --help` lists them."),
    ],
)
def test_an_unknown_name_is_refused_whatever_the_command(text: str, sentence: str) -> None:
    settings(text)
    assert refused("tasks") == refused("bundles") == sentence


@pytest.mark.parametrize("text", ["help = true", "version = true", '[record]\ntask = "unlock"', "[tasks]\nsteps = 1"])
def test_only_options_of_the_command_can_be_set(text: str) -> None:
    settings(text)
    key = text.splitlines()[-1].partition(" ")[0]
    assert f"there is no option {key!r}; " in refused()


@pytest.mark.parametrize(
    "text", ["approve = true", 'reject = "no"', "[train]\nallow_unreviewed = true", "isolation = 0"]
)
def test_what_gives_up_a_protection_must_be_typed(text: str) -> None:
    settings(text)
    assert "cannot be set in a file; type --" in refused()


@pytest.mark.parametrize(
    "text",
    [
        f'key = "{SECRET}"',
        f'api-key = "{SECRET}"',
        f'openai-api-key = "{SECRET}"',
        f'ANTHROPIC_API_KEY = "{SECRET}"',
        f'[generate]\ntoken = "{SECRET}"',
        f'[openai]\npassword = "{SECRET}"',
        f'[openai.keys]\nmine = "{SECRET}"',
        f'secret = ["{SECRET}"]',
        f'vlm = "sk-{SECRET}"',
        f'[train]\nreward = ["sparse", " sk-{SECRET}"]',
        f'"sk-{SECRET}" = true',
        f'base-url = "https://me:{SECRET}@example.org/v1"',
    ],
)
def test_a_secret_is_refused_and_never_printed(text: str) -> None:
    settings(text)
    for command in ("tasks", "doctor", "generate"):
        said = car(command, "--json")
        assert said.exit_code == 2
        assert "keys come from the environment only" in said.stderr
        assert SECRET not in said.output


@pytest.mark.parametrize(
    ("text", "command", "sentence"),
    [
        ('expert = "many"', "record", "car.toml: 'expert' of `car record` does not fit: "),
        ("expert = 0.5", "record", "car.toml: 'expert' of `car record` does not fit: "),
        ("[record]\nexpert = -1", "record", "car.toml, [record]: 'expert' of `car record` does not fit: "),
        ("[record.expert]\nmany = 3", "record", "car.toml, [record]: 'expert' of `car record` does not fit: "),
        ("expert = true", "record", "car.toml: 'expert' of `car record` is no flag; "),
        ("expert = [1, 2]", "record", "car.toml: 'expert' of `car record` can have one value only, and no list."),
        ('json = "yes"', "tasks", "car.toml: 'json' of `car tasks` is a flag; set it to true or false."),
        ('reward = "sparse"', "train", "car.toml: 'reward' of `car train` can have several values; "),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(text: str, command: str, sentence: str) -> None:
    settings(text)
    assert refused(command, TASK).startswith(sentence)


def test_a_value_is_judged_by_the_command_that_is_run() -> None:
    settings("expert = 0.5")
    assert car("tasks").exit_code == 0


@pytest.mark.parametrize("content", [b"vlm = ", b"vlm = 'a'\nvlm = 'b'\n", b"vlm = '\xff'"])
def test_a_broken_file_is_one_sentence(content: bytes) -> None:
    Path("car.toml").write_bytes(content)
    assert refused().startswith("car.toml is not valid TOML: ")


def test_a_folder_is_no_file_of_settings() -> None:
    Path("car.toml").mkdir()
    assert refused() == "car.toml cannot be read: Is a directory."


def test_help_and_version_work_with_a_broken_file() -> None:
    settings("vlm = ")
    assert refused()
    assert car("--version").stdout == f"{__version__}\n"
    for arguments in (("--help",), ("generate", "--help")):
        said = car(*arguments)
        assert (said.exit_code, said.stderr) == (0, "")
        assert "Usage" in said.stdout


def test_a_whole_session_runs_on_settings_alone(folder: Path) -> None:
    session = write_recording(folder / "session.json", MENDED)
    settings(
        f'vlm = "replay/{session}"\nrewards = "made"\n'
        "[record]\nexpert = 6\nrandom = 30\nmax-steps = 60\n[generate]\nattempts = 2\nrandom = 0.2\njson = true\n"
    )
    assert car("record", TASK).exit_code == 0
    generated = car("generate", TASK)
    assert generated.exit_code in (0, 1), generated.output
    told: dict[str, Any] = json.loads(generated.stdout)
    assert told["bundle"] == f"made/{TASK}"
    assert told["calls"] == 6
    assert "at most 2 programs a sub-task" in generated.stderr


def test_doctor_says_what_is_set() -> None:
    settings('vlm = "manual"\n[train]\nsteps = 10\n')
    said = car("doctor")
    assert said.exit_code == 0
    assert "car.toml: vlm = manual, [train] steps = 10" in said.stdout


def test_what_a_command_does_only_when_it_is_told_to_is_not_set_for_it() -> None:
    settings('[doctor]\nvlm = "openai/m"\n')
    assert refused() == "car.toml, [doctor]: 'vlm' cannot be set for this command; type --vlm where you mean it."


@pytest.mark.parametrize(
    "secret",
    ["https://gateway/v1?api_key=abc", "http://me:pw@host/v1", "AIzaSyA1234567890abcdefghijk", "gsk_0123456789abcdef"],
)
def test_an_address_with_a_key_and_keys_of_other_providers_are_refused_too(secret: str) -> None:
    settings(f'base-url = "{secret}"\n')
    assert "holds what looks like a secret" in refused()
    assert secret not in refused()
