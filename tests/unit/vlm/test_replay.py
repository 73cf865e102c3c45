from pathlib import Path

import pytest
from loopback import question

from car.errors import BadRecording, UnknownName
from car.vlm import Finish, Reply, Usage
from car.vlm.recording import Exchange, Recording, save_recording
from car.vlm.replay import ReplayVLM

REPLY = Reply("The green square.", Finish.COMPLETE, Usage(7, 3), "some-model-1")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    exchanges = (
        Exchange.of(question("a"), REPLY),
        Exchange.of(question("b", "checker", "open door"), Reply("cut", Finish.TRUNCATED)),
        Exchange.of(question("c", "checker", "open door", 2), Reply("older")),
        Exchange.of(question("d", "checker", "open door", 2), Reply("newer")),
    )
    save_recording(Recording("Made in a test.", "some-model", exchanges), tmp_path / "session.json")
    return tmp_path / "session.json"


def test_answers_the_same_request_with_the_recorded_reply(recorded: Path) -> None:
    vlm = ReplayVLM(recorded)
    assert vlm.ask(question("a")) == REPLY
    assert vlm.ask(question("b", "checker", "open door")) == Reply("cut", Finish.TRUNCATED, model="some-model")
    assert vlm.ask(question("c", "checker", "open door", 2)).text == "older"
    assert vlm.name == "replay/session"


def test_the_same_request_is_known_wherever_it_is_asked(recorded: Path) -> None:
    assert ReplayVLM(recorded, strict=True).ask(question("a", "refine", "x", 9)) == REPLY


def test_a_changed_request_is_answered_by_its_place_with_a_note(recorded: Path) -> None:
    reply = ReplayVLM(recorded).ask(question("changed", "checker", "open door", 2))
    assert reply.text == "newer"
    assert reply.note == (
        "The recording session was made with another prompt, perhaps of another task; this is its answer for checker "
        "'open door' (attempt 2)."
    )


def test_strict_refuses_a_changed_request(recorded: Path) -> None:
    with pytest.raises(BadRecording, match=r"session was made with another prompt for goal \(attempt 1\).*--strict"):
        ReplayVLM(recorded, strict=True).ask(question("changed"))


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_missing_is_named_with_what_is_there(recorded: Path, strict: bool) -> None:
    with pytest.raises(BadRecording) as caught:
        ReplayVLM(recorded, strict=strict).ask(question("e", "refine", "open door", 3))
    assert str(caught.value) == (
        "The recording session has no answer for refine 'open door' (attempt 3). It holds: goal (attempt 1); "
        "checker 'open door' (attempt 1); checker 'open door' (attempt 2)."
    )


def test_an_empty_recording_says_so(tmp_path: Path) -> None:
    save_recording(Recording("Made.", "", ()), tmp_path / "empty.json")
    with pytest.raises(BadRecording, match=r"It is empty\."):
        ReplayVLM(tmp_path / "empty.json").ask(question())


def test_a_name_finds_a_recording_on_the_shelf(recorded: Path) -> None:
    vlm = ReplayVLM("session", shelf=recorded.parent)
    assert vlm.ask(question("a")) == REPLY
    assert vlm.name == "replay/session"


def test_a_file_goes_before_a_name(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_recording(Recording("Made.", "", (Exchange.of(question("a"), Reply("from the file")),)), Path("session"))
    assert ReplayVLM("session", shelf=recorded.parent).ask(question("a")).text == "from the file"


def test_an_unknown_name_lists_the_known_ones(recorded: Path) -> None:
    (recorded.parent / "notes.txt").write_text("")
    with pytest.raises(UnknownName, match=r"There is no recording 'sesion'. There are: session\."):
        ReplayVLM("sesion", shelf=recorded.parent)


def test_without_a_shelf_there_are_no_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"There are: none\."):
        ReplayVLM("session", shelf=tmp_path / "none")


def test_the_shelf_of_the_package_is_used_by_default() -> None:
    with pytest.raises(UnknownName, match=r"There is no recording 'no/such-session.json'"):
        ReplayVLM("no/such-session.json")


def test_a_damaged_recording_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BadRecording, match=r"is damaged"):
        ReplayVLM(tmp_path / "a.json")
