import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from car.checker import Checker, SubTask
from car.cli.board import Board
from car.cli.show import Narrator
from car.cli.verdict import verdict_table
from car.refine import Accepted, Asked, Decomposition, GaveUp, Judged, Named, Rejected, Replied
from car.tasks import find_task
from car.train import Evaluation, Job, Progress, TrainSettings
from car.verify import Decision, Finding, Rule, Verdict
from car.vlm import Reply, Request, Usage
from tests.unit.full_verdict import ACCEPTED, LONG, REHEARSAL, REJECTED, UNDECIDED

SUBTASK = SubTask(LONG, "The box is next to the wall.", ("pick-up",))
CHAIN = (SubTask("pick-up", "The box is held."), SUBTASK, SubTask("rest", "Done [really].", ("pick-up", LONG), True))
_ALL_SOLVED = Evaluation(20, 1.0, 9.0, 0.1)


def console(width: int = 100) -> Console:
    return Console(file=io.StringIO(), width=width, highlight=False)


def printed(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    text = screen.file.getvalue()
    assert all(len(line) <= screen.width for line in text.splitlines())
    return text


def request(stage: str = "checker", subject: str = LONG, attempt: int = 1) -> Request:
    return Request(stage, subject, attempt, "", ())


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
    narrator(Judged(ACCEPTED))
    text = printed(screen)
    assert "? What do you think the final goal is? (0 pictures)" in text
    assert "answer 1, 1,000 + 20 tokens so far: The [goal]." in text
    assert "An [old] one." in text
    assert f"? {LONG}, attempt 2 The program was wrong" in text
    assert f"answer 2, 1,500 + 23 tokens so far: {LONG}: " in text
    assert "rejected " + LONG in text
    assert "return [found][0]" in text
    assert "gave up after 5 attempts" in text


def test_the_live_line_says_what_is_going_on_and_what_was_used() -> None:
    screen = console(80)
    narrator = Narrator(console())
    narrator(Asked(request("goal", "")))
    screen.print(narrator)
    narrator(Replied(request("goal", ""), Reply("Yes.", usage=Usage(12345, 678))))
    screen.print(narrator)
    waiting, trying = printed(screen).splitlines()
    assert waiting.rstrip().endswith("the task: waiting for the answer 0:00 \u00b7 1 call")
    assert "trying the answer" in trying


@pytest.mark.parametrize("width", [140, 200])
def test_names_are_whole(width: int) -> None:
    screen = console(width)
    Narrator(screen)(Named(Decomposition("Rest [a while].", CHAIN)))
    screen.print(verdict_table(ACCEPTED))
    text = printed(screen)
    assert f"{LONG}  20/20" in text
    assert "Done [really]." in text
    assert "1, 2" in text


def shown(verdict: Verdict, width: int = 160, rehearsal: Verdict | None = REHEARSAL) -> str:
    screen = console(width)
    screen.print(verdict_table(verdict, "Verdict on 120 held-out trajectories", rehearsal))
    return printed(screen)


@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("verdict", [ACCEPTED, UNDECIDED, REJECTED], ids=lambda each: each.decision)
def test_nothing_is_cut_off_on_any_screen(verdict: Verdict, width: int) -> None:
    text = shown(verdict, width)
    assert "\u2026" not in text
    squeezed = "".join(text.split())
    for word in ("20/2083-100%", "3/1000.6-8.6%", "9(4-12)", "250(7-611)", "black66.7%", "oneactionnotrun", "94.5%"):
        assert word in squeezed


def test_in_a_narrow_terminal_names_are_folded() -> None:
    screen = console(80)
    Narrator(screen)(Named(Decomposition("Rest.", CHAIN)))
    assert printed(screen).count("wall") == 2


@pytest.mark.parametrize("verdict", [ACCEPTED, UNDECIDED, REJECTED], ids=lambda each: each.decision)
def test_the_decision_is_the_first_and_the_last_that_is_said(verdict: Verdict) -> None:
    lines = shown(verdict).splitlines()
    assert lines[0].rstrip() == f"Verdict on 120 held-out trajectories: {verdict.decision.upper()}"
    assert lines[-1].startswith(f"{verdict.decision.upper()}. ")


def row(text: str, name: str) -> list[str]:
    """The line of a sub-task or of the chain, and the one below it."""
    lines = text.splitlines()
    at = next(at for at, line in enumerate(lines) if line[1:].strip().startswith(f"{name} "))
    return [" ".join(line.split()) for line in lines[at : at + 2]]


def test_figures_have_intervals_times_and_what_refinement_saw_below() -> None:
    text = shown(ACCEPTED)
    figures = "20/20 83-100% 9 (4-12) 3/100 0.6-8.6% 250 (7-611) 0"
    assert row(text, "pick-up") == [f"✓ pick-up {figures}", figures]
    assert row(text, "whole chain")[0] == "✓ whole chain 20/20 83-100% 3/100 0.6-8.6% +1 confirmed"
    assert "Required of experts: the whole chain in at least 100%" in text
    assert "95% intervals" in text
    assert "12,000 frames, 800 of them differ within their episode. The programs ran at isolation level 2 of 3" in text


def test_without_a_rehearsal_nothing_is_below() -> None:
    text = shown(ACCEPTED, rehearsal=None)
    assert row(text, "pick-up")[1].startswith(f"✓ {LONG}")
    assert "refinement saw" not in text


def test_findings_name_the_kind_of_mistake_the_rule_and_the_frame() -> None:
    text = shown(REJECTED)
    assert f"✗ {LONG}: wrong order (before what it depends on, episode 3, frame 3)" in text
    assert "  It is [true] at 3." in text
    assert "✗ rest: can be exploited (pays for nothing done, episode 1, frame 4)" in text
    assert "✗ whole chain: fires on random (chain done by random)" in text
    assert "REJECTED. 4 findings. " in text


def test_an_accused_sub_task_is_marked_and_one_without_a_program_has_a_line() -> None:
    text = shown(REJECTED)
    assert row(text, LONG)[0].endswith(" 7")
    assert row(text, LONG)[0].startswith("✗")
    assert row(text, "pick-up")[0].startswith("✓")
    assert row(text, "whole chain")[0].startswith("✗")
    assert row(text, "missing")[0] == "✗ missing no program"


def test_undecided_says_what_is_needed() -> None:
    text = shown(UNDECIDED)
    assert row(text, "whole chain")[0].startswith("? ")
    assert "3 of 3 expert trajectories, too few." in text
    assert "too few data to decide: 7 more expert and 80 more random trajectories are needed." in text


def test_probes_are_shown_by_kind_with_what_was_measured() -> None:
    text = shown(REJECTED)
    assert "✓ first frame" in text
    assert "– goal at the end: Nobody knows when these experts reach the goal." in text
    assert "✗ noise 120%" in text
    assert "✓ black 66.7%" in text
    assert "– one action not run" in text
    (noise,) = (line for line in text.splitlines() if "! 94.5%" in line)
    assert noise.split() == ["reported", "pick-up", "✓", "100%", "–", "!", "94.5%", "–"]
    assert "The program was not asked about changed frames: it fails." in text
    assert "! pick-up: 9 of 10 random continuations have it done." in text
    assert f"– {LONG}: No expert has seeds." in text
    (slow,) = (line for line in text.splitlines() if "12,000  " in line)
    assert slow.split() == ["!", LONG, "12,000", "500", "3,000", "10,000"]
    assert "! something new, rest: It is [weak]." in text


def test_what_was_not_looked_at_is_said() -> None:
    text = shown(dataclasses.replace(ACCEPTED, probes=()))
    assert text.count("not looked at") == 5


def test_the_board_keeps_the_last_evaluation_and_says_what_is_left() -> None:
    board, screen = Board(1, 8192), console()
    job = Job("sparse", find_task("unlock"), "sparse", TrainSettings(), Path("runs"))
    screen.print(board)
    assert "starting" in printed(screen)
    board.note(job, Progress(1024, 4096, 1.0, 1.0, 9, 0.25, evaluation=Evaluation(20, 0.5, 9.0, 0.1)))
    board.note(job, Progress(2048, 4096, 2.0, 2.0, 119, 0.75, credited=0.9))
    screen.print(board)
    (line,) = (line for line in printed(screen).splitlines() if "sparse" in line)
    assert line.split() == ["sparse", "0", "2,048", "50%", "75%", "50%", "90%", "1,024", "0:02"]
    assert "unlock" not in printed(screen)


def test_the_board_of_many_tasks_drops_what_has_ended_and_counts_it() -> None:
    board, screen = Board(2, 16384, 4096, running_only=True), console()
    done, going = (Job("sparse", find_task(name), "sparse", TrainSettings(), Path(name)) for name in ("unlock", "taxi"))
    board.note(done, Progress(4096, 4096, 4.0, 4.0, 9, 1.0, evaluation=Evaluation(20, 1.0, 9.0, 0.1)))
    board.note(going, Progress(2048, 4096, 2.0, 2.0, 9, 0.1))
    screen.print(board)
    said = printed(screen)
    assert "unlock" not in said
    assert "taxi" in said
    # 4,096 before, 4,096 and 2,048 now; what is left takes 3 s at 1,024 steps a second in each of two processes.
    (last,) = (line for line in said.splitlines() if line.split()[0] == "all")
    assert last.split() == ["all", "62%", "0:03"]


@pytest.mark.parametrize("width", [80, 120])
def test_the_board_fits_the_terminal_and_cuts_no_number(width: int) -> None:
    board, screen = Board(2, 100_000_000, 4_000_000, running_only=True), console(width)
    for name in ("blockedunlockpickup", "keycorridor-s3r2"):
        job = Job("a_long_package.of_rewards:make", find_task(name), "sparse", TrainSettings(seed=12), Path(name))
        for steps, seconds in ((1_021_952, 900.0), (1_024_000, 901.0)):
            board.note(job, Progress(steps, 9_000_000, seconds, 9.0, 999, 1.0, credited=1.0, evaluation=_ALL_SOLVED))
    screen.print(board)
    lines = printed(screen).rstrip("\n").split("\n")
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines[1:6:2]] == ["blockedunlockpickup", "keycorridor-s3r2", "all"]
    for line in lines[2:5:2]:
        name, *numbers = line.split()
        assert name.startswith("a_long")
        assert numbers == ["12", "1,024,000", "11%", "100%", "100%", "100%", "2,048", "1:04:55"]
    assert lines[5].split() == ["all", "6%", "6:22:18"]


def test_the_board_leaves_out_what_has_ended_where_it_would_not_fit() -> None:
    board, screen = Board(1, 50 * 4096), console(80)
    for seed in range(40):
        job = Job("sparse", find_task("unlock"), "sparse", TrainSettings(seed=seed), Path("runs"))
        board.note(job, Progress(4096, 4096, 4.0, 4.0, 9, 1.0, evaluation=_ALL_SOLVED))
    board.note(dataclasses.replace(job, settings=TrainSettings(seed=40)), Progress(2048, 4096, 2.0, 2.0, 9, 0.1))
    screen.print(board)
    assert [line.split()[:2] for line in printed(screen).splitlines()[1:]] == [["sparse", "40"], ["all", "81%"]]


def test_a_chain_that_no_expert_has_done_is_not_ticked_off() -> None:
    missing = (Finding(Rule.NO_PROGRAM, "rest", "No reply held a program that may run."),)
    chain = dataclasses.replace(ACCEPTED.chain, experts_done=0)
    verdict = dataclasses.replace(ACCEPTED, decision=Decision.REJECTED, findings=missing, chain=chain)
    assert row(shown(verdict), "whole chain")[0].startswith("\u2717 whole chain 0/20")
    assert row(shown(ACCEPTED), "whole chain")[0].startswith("\u2713 whole chain 20/20")
