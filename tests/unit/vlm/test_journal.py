import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from loopback import question

from car.errors import ProviderError
from car.vlm import Finish, Reply, Request, Usage
from car.vlm.journal import Journal, alone


class Scripted:
    """Gives its replies in turn; an exception among them is raised."""

    def __init__(self, *replies: Reply | Exception, name: str = "scripted/1") -> None:
        self.name, self.replies, self.asked = name, list(replies), 0

    def ask(self, request: Request) -> Reply:
        self.asked += 1
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.mark.parametrize("finish", list(Finish))
def test_what_was_answered_is_not_asked_again(tmp_path: Path, finish: Finish) -> None:
    reply = Reply("Text \ud83d \u2713\n", finish, Usage(7, 3), "some-model-1", "A note.")
    assert Journal(Scripted(reply), tmp_path).ask(question()) == reply
    again = Journal(Scripted(), tmp_path)
    assert again.ask(question()) == reply
    assert (again.asked, again.reused) == (0, 1)


def test_the_reply_is_on_disk_when_it_is_returned(tmp_path: Path) -> None:
    journal = Journal(Scripted(Reply("Yes.")), tmp_path / "replies")
    journal.ask(question())
    assert [path.name for path in (tmp_path / "replies").iterdir()] == [journal.path(question()).name]


def test_counts_requests_and_tokens(tmp_path: Path) -> None:
    Journal(Scripted(Reply("a", usage=Usage(100, 10))), tmp_path).ask(question("a"))
    journal = Journal(Scripted(Reply("b", usage=Usage(2, 1)), Reply("c", usage=Usage(2, 1))), tmp_path)
    for text in ["a", "b", "c", "b", "a"]:
        journal.ask(question(text))
    assert (journal.asked, journal.reused) == (2, 3)
    assert journal.usage == Usage(104, 12)
    assert journal.spent == Usage(4, 2)


def test_an_error_is_not_kept(tmp_path: Path) -> None:
    vlm = Scripted(ProviderError("Down."), Reply("Up."))
    journal = Journal(vlm, tmp_path)
    with pytest.raises(ProviderError):
        journal.ask(question())
    assert list(tmp_path.iterdir()) == []
    assert journal.ask(question()).text == "Up."
    assert (journal.asked, journal.reused, vlm.asked) == (1, 0, 2)


def test_another_model_is_asked_anew(tmp_path: Path) -> None:
    assert Journal(Scripted(Reply("one"), name="a/1"), tmp_path).ask(question()).text == "one"
    assert Journal(Scripted(Reply("two"), name="a/2"), tmp_path).ask(question()).text == "two"
    assert Journal(Scripted(name="a/1"), tmp_path).ask(question()).text == "one"


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b"[]", b"{}", b'{"format": "car-journal/1"}'])
def test_a_damaged_file_is_set_aside_and_asked_again(tmp_path: Path, damage: bytes) -> None:
    first = Journal(Scripted(Reply("old")), tmp_path)
    first.ask(question())
    path = first.path(question())
    path.write_bytes(damage)
    journal = Journal(Scripted(Reply("new")), tmp_path)
    assert journal.ask(question()).text == "new"
    assert (tmp_path / f"{path.name}.damaged").read_bytes() == damage
    assert Journal(Scripted(), tmp_path).ask(question()).text == "new"


def test_a_file_under_the_wrong_name_is_not_believed(tmp_path: Path) -> None:
    journal = Journal(Scripted(Reply("a"), Reply("b")), tmp_path)
    journal.ask(question("a"))
    journal.path(question("a")).rename(journal.path(question("b")))
    assert journal.ask(question("b")).text == "b"


def test_a_folder_that_cannot_be_made_is_found_before_anything_is_paid(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Journal(Scripted(), tmp_path / "file" / "replies")


def test_threads_with_the_same_question_ask_once(tmp_path: Path) -> None:
    everyone = threading.Barrier(4)
    journal = Journal(Scripted(Reply("Yes.")), tmp_path)

    def ask(_: int) -> str:
        everyone.wait(timeout=10)
        return journal.ask(question()).text

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == ["Yes."] * 4
    assert (journal.asked, journal.reused) == (1, 3)


def test_name(tmp_path: Path) -> None:
    assert Journal(Scripted(name="a/1"), tmp_path).name == "a/1"


PROGRAM = """
import os, signal, sys
from pathlib import Path
from car.vlm import Reply, Request
from car.vlm.journal import Journal, alone

class Mortal:
    name = "mortal/1"
    lives = 2
    def ask(self, request):
        with open(sys.argv[1], "a") as log:
            log.write(request.parts[0] + "\\n")
        if self.lives == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.lives -= 1
        return Reply(f"answer to {request.parts[0]}")

journal = Journal(Mortal(), Path(sys.argv[2]))
print([journal.ask(Request("goal", "", 1, "", (f"q{n}",))).text for n in range(5)])
"""


def test_a_killed_run_never_asks_again_what_was_answered(tmp_path: Path) -> None:
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "log"), str(tmp_path / "replies")],
            capture_output=True,
            text=True,
            check=False,
        )
        for _ in range(3)
    ]
    assert [run.returncode for run in runs] == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert runs[-1].stdout == f"{[f'answer to q{n}' for n in range(5)]}\n"
    # Only q2 and q4, whose askers were killed before an answer came, are asked twice.
    assert (tmp_path / "log").read_text().split() == ["q0", "q1", "q2", "q2", "q3", "q4", "q4"]


class TestATruncatedReply:
    SHORT = Reply("def check(", Finish.TRUNCATED, Usage(7, 100))

    def test_is_asked_for_anew_where_an_answer_may_be_longer_now(self, tmp_path: Path) -> None:
        Journal(Scripted(self.SHORT), tmp_path, max_output=100).ask(question())
        journal = Journal(Scripted(Reply("Whole.")), tmp_path, max_output=200)
        assert journal.ask(question()).text == "Whole."
        name = journal.path(question()).name
        assert sorted(each.name for each in tmp_path.iterdir()) == [name, f"{name}.truncated-1"]
        assert Journal(Scripted(), tmp_path, max_output=400).ask(question()).text == "Whole."

    @pytest.mark.parametrize("now", [0, 50, 100])
    def test_is_not_where_it_may_not(self, now: int, tmp_path: Path) -> None:
        Journal(Scripted(self.SHORT), tmp_path, max_output=100).ask(question())
        assert Journal(Scripted(), tmp_path, max_output=now).ask(question()) == self.SHORT

    def test_stays_until_there_is_another_in_its_place(self, tmp_path: Path) -> None:
        Journal(Scripted(self.SHORT), tmp_path, max_output=100).ask(question())
        with pytest.raises(ProviderError):
            Journal(Scripted(ProviderError("Down.")), tmp_path, max_output=200).ask(question())
        assert Journal(Scripted(), tmp_path, max_output=100).ask(question()) == self.SHORT

    def test_every_one_of_them_is_kept(self, tmp_path: Path) -> None:
        for limit in (100, 200, 300):
            Journal(Scripted(self.SHORT), tmp_path, max_output=limit).ask(question())
        assert len(list(tmp_path.iterdir())) == 3

    def test_says_what_is_kept_and_will_be_given(self, tmp_path: Path) -> None:
        journal = Journal(Scripted(self.SHORT), tmp_path, max_output=100)
        assert journal.kept(question()) is None
        journal.ask(question())
        assert journal.kept(question()) == self.SHORT.usage
        assert Journal(Scripted(), tmp_path, max_output=200).kept(question()) is None

    def test_of_an_unknown_limit_is_kept(self, tmp_path: Path) -> None:
        Journal(Scripted(self.SHORT), tmp_path).ask(question())
        assert Journal(Scripted(), tmp_path, max_output=900).ask(question()) == self.SHORT


def test_one_process_at_a_time_works_with_a_journal(tmp_path: Path) -> None:
    folder = tmp_path / "replies"
    program = f"from pathlib import Path\nfrom car.vlm.journal import alone\nwith alone(Path({str(folder)!r})): pass"
    with alone(folder):
        ran = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
        assert "Another command is at work with the replies in" in ran.stderr
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    program = (
        "import os, signal\nfrom pathlib import Path\nfrom car.vlm.journal import alone\n"
        f"with alone(Path({str(tmp_path)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    with alone(tmp_path):
        pass
