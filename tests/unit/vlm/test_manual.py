import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from loopback import FIRST, GOAL, question
from rich.console import Console

from car.errors import UserError
from car.frames import read_picture
from car.vlm import Finish, Picture, Reply, Request
from car.vlm.manual import ManualVLM


class Person:
    """Waits by doing what it was told to do at each look, and fails when there is nothing left to do."""

    def __init__(self, *deeds: Callable[[], object]) -> None:
        self.deeds = list(deeds)
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.deeds.pop(0)()


def nothing() -> None:
    pass


def saves(path: Path, text: str) -> Callable[[], object]:
    return lambda: path.write_text(text, encoding="utf-8")


def answered(folder: Path, request: Request, title: str, text: str = "Yes.") -> Reply:
    return ManualVLM(folder, Person(saves(folder / title / "reply.md", text), nothing)).ask(request)


def test_writes_the_question_and_takes_the_answer(tmp_path: Path) -> None:
    reply = answered(tmp_path, question(), "01-goal", "The green square.\n")
    assert reply == Reply("The green square.\n", Finish.COMPLETE, model="manual")
    folder = tmp_path / "01-goal"
    assert (folder / "prompt.md").read_text() == (
        "> Save the answer in this folder as `reply.md`.\n\nYou see frames of a task.\n\nLook at two frames.\n\n"
        "![first frame](1-first-frame.png)\n\n![goal frame](2-goal-frame.png)\n\nWhat is the goal?\n"
    )
    np.testing.assert_array_equal(read_picture(folder / "1-first-frame.png"), FIRST)
    np.testing.assert_array_equal(read_picture(folder / "2-goal-frame.png"), GOAL)
    about = json.loads((folder / "request.json").read_text())
    assert about["request_sha256"] == question().sha256
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01-goal"]


def test_folders_count_up_and_say_what_is_asked(tmp_path: Path) -> None:
    answered(tmp_path, question("a"), "01-goal")
    answered(tmp_path, question("b", "checker", "Open the door!"), "02-checker-open-the-door")
    answered(tmp_path, question("c", "refine", "Open the door!", 2), "03-refine-open-the-door-attempt-2")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_restarted_run_finds_its_folder_and_its_answer_again(tmp_path: Path) -> None:
    answered(tmp_path, question("a"), "01-goal", "First.")
    answered(tmp_path, question("b"), "02-goal", "Second.")
    assert ManualVLM(tmp_path, Person(nothing)).ask(question("a")).text == "First."
    assert len(list(tmp_path.iterdir())) == 2


def test_an_answer_that_still_grows_or_is_blank_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "01-goal" / "reply.md"
    deeds = [nothing, saves(path, ""), saves(path, " \n"), nothing, saves(path, "Half"), saves(path, "Half and half")]
    person = Person(*deeds, nothing)
    assert ManualVLM(tmp_path, person, poll_seconds=0.5).ask(question()).text == "Half and half"
    assert person.waited == [0.5] * 7


def test_says_once_where_to_look(tmp_path: Path) -> None:
    out, path = io.StringIO(), tmp_path / "01-goal" / "reply.md"
    person = Person(saves(path, "Yes."), nothing, nothing)
    vlm = ManualVLM(tmp_path, person, console=Console(file=out, width=40))
    vlm.ask(question())
    vlm.ask(question())
    assert out.getvalue().splitlines() == [
        f"Waiting for an answer. In {tmp_path}/01-goal: give prompt.md and its pictures to a VLM, and save what it "
        "says "
        "as reply.md. Ctrl-C stops; the same command goes on."
    ]


def test_says_nothing_where_the_answer_is_there(tmp_path: Path) -> None:
    answered(tmp_path, question(), "01-goal")
    out = io.StringIO()
    ManualVLM(tmp_path, Person(nothing), console=Console(file=out)).ask(question())
    assert out.getvalue() == ""


def test_tells_stderr_by_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answered(tmp_path, question(), "01-goal")
    printed = capsys.readouterr()
    assert "Waiting for an answer" in printed.err
    assert printed.out == ""


def test_ctrl_c_leaves_everything_in_place(tmp_path: Path) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ManualVLM(tmp_path, interrupt).ask(question())
    folder = tmp_path / "01-goal"
    assert sorted(path.name for path in folder.iterdir()) == [
        "1-first-frame.png",
        "2-goal-frame.png",
        "prompt.md",
        "request.json",
    ]
    assert answered(tmp_path, question(), "01-goal").text == "Yes."


def test_a_question_that_was_not_written_to_the_end_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / ".unfinished-abc").mkdir()
    about = json.dumps({"request_sha256": question().sha256})
    (tmp_path / ".unfinished-abc" / "request.json").write_text(about)
    (tmp_path / "07-notes").mkdir()
    (tmp_path / "07-notes" / "request.json").write_text("{")
    (tmp_path / "08-list").mkdir()
    (tmp_path / "08-list" / "request.json").write_text("[]")
    assert answered(tmp_path, question(), "09-goal").text == "Yes."


def test_a_byte_order_mark_is_not_part_of_the_answer(tmp_path: Path) -> None:
    assert answered(tmp_path, question(), "01-goal", "\ufeffYes.").text == "Yes."


def test_an_answer_in_another_encoding_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "01-goal" / "reply.md"
    person = Person(lambda: path.write_bytes("Tür".encode("latin-1")), nothing)
    with pytest.raises(UserError, match=r"reply\.md is not UTF-8 text; save it as UTF-8"):
        ManualVLM(tmp_path, person).ask(question())


def test_odd_captions_make_good_names_and_links(tmp_path: Path) -> None:
    parts = (Picture(FIRST, "../../etc [x]\nframe"), Picture(GOAL, "框"))
    answered(tmp_path, Request("goal", "", 1, "Rules.", parts), "01-goal")
    folder = tmp_path / "01-goal"
    assert sorted(path.name for path in folder.glob("*.png")) == ["1-etc-x-frame.png", "2-picture.png"]
    prompt = (folder / "prompt.md").read_text()
    assert "![../../etc \\[x\\] frame](1-etc-x-frame.png)" in prompt
    assert "![框](2-picture.png)" in prompt
