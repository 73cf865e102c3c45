import io

import pytest
from rich.console import Console

from car.checker import Checker, SubTask
from car.cli.show import Narrator, verdict_table
from car.cli.training import Board
from car.refine import Accepted, Asked, Decomposition, GaveUp, Judged, Named, Rejected, Replied
from car.train import Evaluation, Progress
from car.verify import ChainEvidence, Decision, Finding, Rule, SubTaskEvidence, Verdict
from car.vlm import Reply, Request, Usage

LONG = "put-the-small-wooden-box-next-to-the-yellow-wall"
SUBTASK = SubTask(LONG, "The box is next to the wall.", ("pick-up",))
CHAIN = (SubTask("pick-up", "The box is held."), SUBTASK, SubTask("rest", "Done [really].", ("pick-up", LONG), True))


def console(width: int = 100) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False)


def printed(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    text = screen.file.getvalue()
    assert all(len(line) <= screen.width for line in text.splitlines())
    return text


def request(stage: str = "checker", subject: str = LONG, attempt: int = 1) -> Request:
    return Request(stage, subject, attempt, "", ())


def verdict(*findings: Finding) -> Verdict:
    shares = (0.83, 1.0), (0.0, 0.1)
    evidence = [SubTaskEvidence(each.name, "0", 20, 20, 3, 100, (4, 5), (None, 7), *shares, 0) for each in CHAIN]
    chain = ChainEvidence(20, 20, 0, 100, 0, (0.83, 1.0), (0.0, 0.04))
    decision = Decision.REJECTED if findings else Decision.ACCEPTED
    return Verdict(decision, "experts: all", 0.95, tuple(evidence), chain, findings, (), (), 12000, 800)


def test_a_generation_is_told_with_calls_and_tokens() -> None:
    screen = console()
    narrator = Narrator(screen, programs=True)
    narrator(Asked(request("goal", "")))
    narrator(Replied(request("goal", ""), Reply("\n  The [goal].\nMore.", usage=Usage(1000, 20), note="An [old] one.")))
    narrator(Asked(request("refine", attempt=2)))
    narrator(Replied(request("refine", attempt=2), Reply("x" * 300, usage=Usage(500, 3))))
    narrator(Rejected(SUBTASK, 2, ("It is [wrong] on frame 3.",)))
    narrator(Accepted(Checker(SUBTASK, "def check(found, current):\n    return [found][0]\n"), 3))
    narrator(GaveUp(SUBTASK, 5))
    narrator(Judged(verdict()))
    text = printed(screen)
    assert "? What do you think the final goal is? (0 pictures)" in text
    assert "call 1, 1,000 + 20 tokens so far: The [goal]." in text
    assert "An [old] one." in text
    assert f"? {LONG}, attempt 2 The program was wrong" in text
    assert "call 2, 1,500 + 23 tokens so far: xxx" in text
    assert "rejected It is [wrong] on frame 3." in text
    assert "return [found][0]" in text
    assert "gave up after 5 attempts" in text


def test_the_live_line_says_what_is_going_on_and_what_was_used() -> None:
    screen = console(60)
    narrator = Narrator(console())
    narrator(Asked(request("goal", "")))
    screen.print(narrator)
    narrator(Replied(request("goal", ""), Reply("Yes.", usage=Usage(12345, 678))))
    screen.print(narrator)
    waiting, trying = printed(screen).splitlines()
    assert waiting.rstrip().endswith("the task: waiting for the answer \u00b7 1 call")
    assert "trying the answer" in trying


@pytest.mark.parametrize("width", [100, 200])
def test_names_are_whole(width: int) -> None:
    screen = console(width)
    Narrator(screen)(Named(Decomposition("Rest [a while].", CHAIN)))
    screen.print(verdict_table(verdict()))
    text = printed(screen)
    assert text.count(LONG) == 2
    assert "Done [really]." in text
    assert "1, 2" in text


def test_in_a_narrow_terminal_names_are_folded_and_not_cut_off() -> None:
    screen = console(80)
    Narrator(screen)(Named(Decomposition("Rest.", CHAIN)))
    screen.print(verdict_table(verdict()))
    text = printed(screen)
    assert "\u2026" not in text
    assert text.count("wall") == 3


def test_findings_are_below_the_verdict() -> None:
    screen = console(200)
    screen.print(
        verdict_table(
            verdict(Finding(Rule.TOO_EARLY, LONG, "It is [true] at 3."), Finding(Rule.CHAIN_ON_RANDOM, "", "9 of 10."))
        )
    )
    text = printed(screen)
    assert f"✗ {LONG} (before what it depends on): It is [true] at 3." in text
    assert "✗ whole chain (chain done by random): 9 of 10." in text
    assert text.splitlines()[-1] == "REJECTED"
    assert "✓  pick-up" in text


def test_the_board_keeps_the_last_evaluation() -> None:
    board, screen = Board(4096), console()
    screen.print(board)
    assert "starting" in printed(screen)
    board.note("sparse", 0, Progress(2048, 4096, 1.0, 1.0, 9, 0.25, evaluation=Evaluation(20, 0.5, 9.0, 0.1)))
    board.note("sparse", 0, Progress(4100, 4096, 2.0, 2.0, 19, 0.75, credited=0.9))
    screen.print(board)
    (line,) = (line for line in printed(screen).splitlines() if "sparse" in line)
    assert line.split() == ["sparse", "0", "4,096", "of", "4,096", "75%", "50%", "90%", "2,050"]
