import io
import json
import os
import re
import select
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from loopback import FIRST, GOAL, question
from rich.console import Console

from car.errors import UserError
from car.frames import read_picture
from car.vlm import Finish, Picture, Reply, Request
from car.vlm.manual import ManualVLM

pytestmark = pytest.mark.timeout(20)

WAITING = "waiting for the answer"
ANSWER = "It is open.\n\n```python\ndef check(found, current):\n    return True\n```\n"


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


def plain(file: io.StringIO | None = None, width: int = 80) -> Console:
    return Console(file=file or io.StringIO(), width=width, force_interactive=False)


def answered(folder: Path, request: Request, title: str, text: str = "Yes.") -> Reply:
    return ManualVLM(folder, Person(saves(folder / title / "reply.md", text), nothing), console=plain()).ask(request)


class Typist:
    """A person at a pseudo-terminal: when the screen shows what a turn waits for, its pieces are typed or it is done.

    Args:
        turns: pattern of what must be on the screen since the last turn, and what is done then.
        width: of the screen.
    """

    def __init__(self, *turns: tuple[str, Sequence[bytes] | Callable[[], object]], width: int = 110) -> None:
        self._turns, self._end = list(turns), threading.Event()
        self._master, self.descriptor = os.openpty()
        os.set_blocking(self._master, False)
        self._modes = termios.tcgetattr(self.descriptor)
        self.file = os.fdopen(os.dup(self.descriptor), "w")
        self.console = Console(file=self.file, width=width, force_terminal=True, force_interactive=True)
        self._thread = threading.Thread(target=self._work)
        self._seen = b""

    def __enter__(self) -> "Typist":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        modes = termios.tcgetattr(self.descriptor)
        self.file.close()
        for each in (self._master, self.descriptor):
            os.close(each)
        assert modes == self._modes

    def vlm(self, folder: Path, problem: Callable[[Request, str], str] = lambda request, text: "") -> ManualVLM:
        return ManualVLM(folder, poll_seconds=0.02, console=self.console, terminal=self.descriptor, problem=problem)

    @property
    def screen(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._seen.decode("utf-8", "replace")).replace("\r", "\n")

    def _work(self) -> None:
        since = 0
        # What is still on its way to the screen when all is over is read too.
        while not self._end.is_set() or self._reads(0.0):
            self._reads(0.01)
            if self._turns and re.search(self._turns[0][0], self._seen[since:].decode("utf-8", "replace"), re.DOTALL):
                since = len(self._seen)
                _, what = self._turns.pop(0)
                self._does(what)

    def _does(self, what: Sequence[bytes] | Callable[[], object]) -> None:
        if callable(what):
            what()
            return
        for piece in what:
            left = piece
            while left:
                self._reads(0.0)
                try:
                    left = left[os.write(self._master, left) :]
                except BlockingIOError:
                    time.sleep(0.001)
            time.sleep(0.005)

    def _reads(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        self._seen += os.read(self._master, 65536)
        return True


def not_python(request: Request, text: str) -> str:
    return "" if "```python" in text else "It holds no program."


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes an editor that does what a shell script says with the file $1."""

    def make(script: str) -> None:
        path = tmp_path / "bin" / "an editor"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("VISUAL", f"'{path}' --wait")

    return make


@pytest.fixture(autouse=True)
def no_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "")
    monkeypatch.setenv("EDITOR", "")


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
    assert ManualVLM(tmp_path, Person(nothing), console=plain()).ask(question("a")).text == "First."
    assert len(list(tmp_path.iterdir())) == 2


def test_an_answer_that_still_grows_or_is_blank_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "01-goal" / "reply.md"
    deeds = [nothing, saves(path, ""), saves(path, " \n"), nothing, saves(path, "Half"), saves(path, "Half and half")]
    person = Person(*deeds, nothing)
    assert ManualVLM(tmp_path, person, poll_seconds=0.5, console=plain()).ask(question()).text == "Half and half"
    assert person.waited == [0.5] * 7


def test_says_once_where_to_look(tmp_path: Path) -> None:
    out, path = io.StringIO(), tmp_path / "01-goal" / "reply.md"
    person = Person(saves(path, "Yes."), nothing, nothing)
    vlm = ManualVLM(tmp_path, person, console=plain(out, width=40))
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
    ManualVLM(tmp_path, Person(nothing), console=plain(out)).ask(question())
    assert out.getvalue() == ""


def test_tells_stderr_by_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ManualVLM(tmp_path, Person(saves(tmp_path / "01-goal" / "reply.md", "Yes."), nothing)).ask(question())
    printed = capsys.readouterr()
    assert "Waiting for an answer" in printed.err
    assert printed.out == ""


def test_ctrl_c_leaves_everything_in_place(tmp_path: Path) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ManualVLM(tmp_path, interrupt, console=plain()).ask(question())
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
        ManualVLM(tmp_path, person, console=plain()).ask(question())


def test_odd_captions_make_good_names_and_links(tmp_path: Path) -> None:
    parts = (Picture(FIRST, "../../etc [x]\nframe"), Picture(GOAL, "框"))
    answered(tmp_path, Request("goal", "", 1, "Rules.", parts), "01-goal")
    folder = tmp_path / "01-goal"
    assert sorted(path.name for path in folder.glob("*.png")) == ["1-etc-x-frame.png", "2-picture.png"]
    prompt = (folder / "prompt.md").read_text()
    assert "![../../etc \\[x\\] frame](1-etc-x-frame.png)" in prompt
    assert "![框](2-picture.png)" in prompt


def test_the_screen_says_where_the_question_lies_and_how_to_answer(
    tmp_path: Path, editor: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor("")
    monkeypatch.chdir(tmp_path)
    path = Path("manual") / "01-goal" / "reply.md"
    with Typist((WAITING, saves(path, "Yes."))) as typist:
        assert typist.vlm(Path("manual")).ask(question()).text == "Yes."
    lines = [line for line in typist.screen.splitlines() if line.strip()]
    assert lines[:5] == [
        "Question  manual/01-goal/prompt.md",
        "Pictures  1-first-frame.png, 2-goal-frame.png",
        "Answer    paste it here, and end it with a line that holds only END (or Ctrl-D)",
        f"       or press Enter to write it with '{tmp_path}/bin/an editor' --wait",
        "       or save it as reply.md in the same folder",
    ]
    assert {re.sub(r"^\S ", "", line) for line in lines[5:]} == {
        "0:00  waiting for the answer. Ctrl-C stops; the same command goes on."
    }


def test_many_pictures_do_not_fill_the_screen(tmp_path: Path) -> None:
    parts = tuple(Picture(FIRST, f"frame {each} of the expert's episode") for each in range(9))
    with Typist((WAITING, saves(tmp_path / "01-goal" / "reply.md", "Yes."))) as typist:
        typist.vlm(tmp_path).ask(Request("goal", "", 1, "Rules.", parts))
    first, last = "1-frame-0-of-the-expert-s-episode.png", "9-frame-8-of-the-expert-s-episode.png"
    assert f"Pictures  all 9 PNG files there, {first} to {last}\n" in typist.screen


def test_without_an_editor_none_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    reply = tmp_path / "01-goal" / "reply.md"
    with Typist((WAITING, [b"\n"]), (WAITING, saves(reply, "Yes."))) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "Yes."
    assert "Enter" not in typist.screen


def test_an_answer_is_pasted_in_pieces(tmp_path: Path) -> None:
    sent = ANSWER.encode()
    pieces = [sent[:5], sent[5:23], "T\u00fcr".encode()[:2], "T\u00fcr".encode()[2:] + b"\nE", b"N", b"D\n"]
    with Typist((WAITING, pieces)) as typist:
        reply = typist.vlm(tmp_path).ask(question())
    taken = sent[:23].decode() + "T\u00fcr\n"
    assert reply == Reply(taken, model="manual")
    assert (tmp_path / "01-goal" / "reply.md").read_text(encoding="utf-8") == taken
    assert not list(tmp_path.glob("*/reply.partial.md"))


@pytest.mark.timeout(10)
def test_what_is_pasted_is_taken_at_once(tmp_path: Path) -> None:
    with Typist((WAITING, [b"Yes.\nEND\n"])) as typist:
        vlm = ManualVLM(tmp_path, poll_seconds=60, console=typist.console, terminal=typist.descriptor)
        assert vlm.ask(question()).text == "Yes.\n"


def test_what_is_pasted_is_not_echoed_but_counted(tmp_path: Path) -> None:
    with Typist((WAITING, [b"secret one\nsecret two\nlast wo"]), ("2 lines so far.*last wo", [b"rd\nEND\n"])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "secret one\nsecret two\nlast word\n"
    assert "secret" not in typist.screen


@pytest.mark.parametrize("last", [b"s.\x04", b"s.\n\x04", b"s.\nEND\x04"])
def test_ctrl_d_ends_a_paste(tmp_path: Path, last: bytes) -> None:
    with Typist((WAITING, [b"Yes.\nIt i", last])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "Yes.\nIt is.\n"


def test_end_within_a_line_ends_nothing(tmp_path: Path) -> None:
    with Typist((WAITING, [b"THE END\nENDING\n  END \n"])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "THE END\nENDING\n"


def test_what_is_typed_can_be_corrected(tmp_path: Path) -> None:
    with Typist((WAITING, ["Nö\x7fo".encode(), b".\nEMD\x7f\x7fND\n"])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "No.\n"


@pytest.mark.parametrize("nothing_at_all", [b"\nEND\n", b"END\n", b"\x04", b" \n\x04"])
def test_an_empty_paste_is_no_answer(tmp_path: Path, nothing_at_all: bytes) -> None:
    with Typist((WAITING, [nothing_at_all]), (r"Nothing was pasted\.", [b"Yes.\nEND\n"])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "Yes.\n"


@pytest.mark.parametrize("width", [79, 20_000], ids=["short lines", "lines longer than a terminal passes on"])
def test_a_long_answer_comes_whole(tmp_path: Path, width: int) -> None:
    sent = b"".join(b"%d " % each + b"x" * width + b"\n" for each in range(100_000 // width))
    with Typist((WAITING, [sent + b"END\n"])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == sent.decode()


def test_what_was_typed_before_the_question_is_no_answer_to_it(tmp_path: Path) -> None:
    with Typist((WAITING, [b"Yes.\nEND\n"])) as typist:
        typist._does([b"Early.\nEND\n"])
        assert typist.vlm(tmp_path).ask(question()).text == "Yes.\n"


def test_an_answer_may_begin_with_an_empty_line(tmp_path: Path, editor: Callable[[str], None]) -> None:
    editor('echo From the editor. > "$2"')
    with Typist((WAITING, [b"\n", *[b""] * 8, b"Yes.\nEND\n"])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "\nYes.\n"


@pytest.mark.parametrize("keys", [b"\n", b"e\n", b"\n\n"])
def test_enter_opens_the_editor(tmp_path: Path, editor: Callable[[str], None], keys: bytes) -> None:
    # Only where it talks with the terminal itself, echo and all, can it write this.
    editor('test -t 0 && test -t 1 && test -t 2 && stty -a | grep -q " icanon.* echo " && echo "Yes: $1" > "$2"')
    with Typist((WAITING, [keys])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "Yes: --wait\n"


def test_after_an_editor_that_wrote_nothing_it_goes_on(tmp_path: Path, editor: Callable[[str], None]) -> None:
    editor("exit 1")
    with Typist((WAITING, [b"\n"]), (f"is still empty.*{WAITING}", [b"Yes.\nEND\n"])) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "Yes.\n"


def test_a_malformed_answer_is_explained_and_asked_for_again(tmp_path: Path) -> None:
    again = rf"cannot be used\. It holds no program\. It is kept as reply\.not-usable-{{}}\.md.*{WAITING}"
    turns = [
        (WAITING, [b"No idea.\nEND\n"]),
        (again.format(1), saves(tmp_path / "01-goal" / "reply.md", "Still none.")),
        (again.format(2), [ANSWER.encode() + b"END\n"]),
    ]
    with Typist(*turns) as typist:
        assert typist.vlm(tmp_path, not_python).ask(question()).text == ANSWER
    folder = tmp_path / "01-goal"
    assert (folder / "reply.not-usable-1.md").read_text() == "No idea.\n"
    assert (folder / "reply.not-usable-2.md").read_text() == "Still none."
    assert typist.screen.count("Question ") == 1


def test_the_same_malformed_answer_once_more_is_taken(tmp_path: Path) -> None:
    turns = [(WAITING, [b"No idea.\nEND\n"]), (f"not-usable-1.*{WAITING}", [b"\nNo idea.\n\n\x04"])]
    with Typist(*turns) as typist:
        assert typist.vlm(tmp_path, not_python).ask(question()).text == "\nNo idea.\n"
    assert len(list(tmp_path.glob("01-goal/reply.*"))) == 2


def test_after_a_restart_malformed_answers_are_still_known(tmp_path: Path) -> None:
    path, out = tmp_path / "01-goal" / "reply.md", io.StringIO()

    def interrupt() -> None:
        raise KeyboardInterrupt

    def asked(*deeds: Callable[[], object]) -> Reply:
        return ManualVLM(tmp_path, Person(*deeds), console=plain(out), problem=not_python).ask(question())

    with pytest.raises(KeyboardInterrupt):
        asked(saves(path, "First."), nothing, interrupt)
    with pytest.raises(KeyboardInterrupt):
        asked(saves(path, "Second."), nothing, interrupt)
    assert [path.with_name(f"reply.not-usable-{each}.md").read_text() for each in (1, 2)] == ["First.", "Second."]
    assert not path.exists()
    assert asked(saves(path, "First.\n"), nothing).text == "First.\n"
    assert asked(nothing).text == "First.\n"
    kept = "It is kept as reply.not-usable-2.md; handed in once more, it is taken."
    assert f"This answer cannot be used. It holds no program. {kept}" in out.getvalue().splitlines()


def test_an_answer_that_was_saved_while_nobody_looked_is_judged_too(tmp_path: Path) -> None:
    answered(tmp_path, question(), "01-goal", "No idea.")
    path = tmp_path / "01-goal" / "reply.md"
    person = Person(nothing, saves(path, ANSWER), nothing)
    assert ManualVLM(tmp_path, person, console=plain(), problem=not_python).ask(question()).text == ANSWER


def test_where_nobody_can_type_the_file_is_the_only_way(tmp_path: Path, editor: Callable[[str], None]) -> None:
    editor('echo From the editor. > "$2"')
    reader, writer = os.pipe()
    os.write(writer, b"Yes.\nEND\n")
    with Typist((WAITING, saves(tmp_path / "01-goal" / "reply.md", "Saved."))) as typist:
        vlm = ManualVLM(tmp_path, poll_seconds=0.02, console=typist.console, terminal=reader)
        assert vlm.ask(question()).text == "Saved."
    assert os.read(reader, 99) == b"Yes.\nEND\n"
    assert "Answer    save it as reply.md in the same folder\n" in typist.screen
    assert "paste" not in typist.screen
    os.close(reader)
    os.close(writer)


def test_where_nothing_is_shown_nothing_is_read(tmp_path: Path) -> None:
    path = tmp_path / "01-goal" / "reply.md"
    with Typist() as typist:
        person = Person(lambda: typist._does([b"Typed.\nEND\n"]), saves(path, "Saved."), nothing)
        vlm = ManualVLM(tmp_path, person, console=plain(), terminal=typist.descriptor)
        assert vlm.ask(question()).text == "Saved."


def test_a_file_ends_a_paste_which_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "01-goal" / "reply.md"
    with Typist((WAITING, [b"Pasted.\n"]), ("1 line so far", saves(path, "Saved."))) as typist:
        assert typist.vlm(tmp_path).ask(question()).text == "Saved."
    assert path.with_name("reply.partial.md").read_text() == "Pasted.\n"


def test_a_keyboard_that_goes_away_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "01-goal" / "reply.md"
    master, descriptor = os.openpty()

    def types_and_goes() -> None:
        os.write(master, b"Pasted.\n")
        time.sleep(0.1)
        os.close(master)

    def saves_later() -> None:
        time.sleep(0.2)
        path.write_text("Saved.")

    with Typist((WAITING, types_and_goes), ("is kept in", saves_later)) as typist:
        vlm = ManualVLM(tmp_path, poll_seconds=0.02, console=typist.console, terminal=descriptor)
        assert vlm.ask(question()).text == "Saved."
    assert path.with_name("reply.partial.md").read_text() == "Pasted.\n"
    # It waits, and does not look without a pause.
    assert typist.screen.count(WAITING) < 200
    os.close(descriptor)


def test_several_questions_at_one_terminal_come_one_after_another(tmp_path: Path) -> None:
    with Typist((WAITING, [b"Yes.\nEND\n"]), (f"Question.*{WAITING}", [b"Yes.\nEND\n"])) as typist:
        vlm = typist.vlm(tmp_path)
        threads = [threading.Thread(target=vlm.ask, args=(question(text),)) for text in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(list(tmp_path.glob("*/reply.md"))) == 2


_AT_ITS_TERMINAL = """
import fcntl, sys, termios
from pathlib import Path
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from car.vlm import Request
from car.vlm.manual import ManualVLM
try:
    ManualVLM(Path(sys.argv[1]), poll_seconds=0.02).ask(Request("goal", "", 1, "Rules.", ("Goal?",)))
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextmanager
def at_its_terminal(folder: Path, typist: Typist) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", _AT_ITS_TERMINAL, str(folder)]
    terminal = typist.descriptor
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True, cwd=Path(__file__).parents[3]
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_within_a_paste_keeps_it_and_gives_the_terminal_back(tmp_path: Path) -> None:
    turns = [(WAITING, [b"One.\nTwo.\nThr"]), ("2 lines so far", [b"\x03"])]
    with Typist(*turns) as typist, at_its_terminal(tmp_path, typist) as process:
        assert process.wait(10) == 130
    assert (tmp_path / "01-goal" / "reply.partial.md").read_text() == "One.\nTwo.\nThr\n"
    assert not (tmp_path / "01-goal" / "reply.md").exists()
    assert "is kept in" in typist.screen
