"""Ask, screen, verify, feed back: with a VLM that follows a script and programs that were planted."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from car.bundle import Provenance, save_bundle
from car.errors import ProviderError
from car.frames import digest
from car.refine import Accepted, Asked, Budget, GaveUp, Judged, Named, Rejected, Replied, generate
from car.sandbox.process import ProcessSandbox
from car.tasks import find_task
from car.verify import Rule, Split
from car.vlm import Finish, Reply, Usage
from car.vlm.journal import Journal
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import (
    DOOR,
    GOAL,
    KEY,
    RIGHT,
    InThisProcess,
    Script,
    Scripted,
    Told,
    naming,
    program,
    text_of,
    told,
)

TOO_SOON = planted.RIGHT_DOOR.replace("< 40", "< 65") + (
    "\n\ndef explain(found, current):\n"
    "    row, column = found\n"
    '    return {"yellow_in_door": int(yellow(current)[row : row + 8, column : column + 8].sum())}\n'
)


@pytest.fixture(scope="module")
def right_run(doorkey: Split) -> Told:
    return told(doorkey)


class TestAllRightAtOnce:
    def test_is_accepted(self, right_run: Told) -> None:
        assert right_run.draft.verdict.accepted
        assert right_run.draft.rehearsal.findings == ()
        assert [each.subtask.name for each in right_run.draft.checkers] == [KEY, DOOR, GOAL]

    def test_asks_the_chain_of_questions_once(self, right_run: Told) -> None:
        assert right_run.vlm.places == list(RIGHT)

    def test_counts_the_tokens(self, right_run: Told) -> None:
        assert right_run.draft.usage == Usage(500, 50)

    def test_events_come_in_order(self, right_run: Told) -> None:
        ask, accepted = [Asked, Replied], [Accepted] * 3
        assert [type(event) for event in right_run.events] == [*ask, *ask, Named, *ask * 3, *accepted, Judged]

    def test_the_verdict_is_on_the_held_out_trajectories(self, right_run: Told, doorkey: Split) -> None:
        assert right_run.draft.verdict.frames == sum(len(each) for each in doorkey.verdict)
        assert right_run.draft.rehearsal.frames == sum(len(each) for each in doorkey.refine)

    def test_shows_the_first_and_last_frame_of_an_expert(self, right_run: Told, doorkey: Split) -> None:
        expert = doorkey.refine[0]
        for request in right_run.vlm.requests:
            assert [each.caption for each in request.pictures] == ["first frame", "goal frame"]
            originals = [each.original for each in request.pictures]
            assert [digest(each) for each in originals if each is not None] == [
                digest(expert.frame(0)),
                digest(expert.frame(-1)),
            ]


@pytest.fixture(scope="module")
def mended_run(doorkey: Split) -> Told:
    return told(doorkey, {("checker", DOOR, 1): program(TOO_SOON), ("refine", DOOR, 2): RIGHT["checker", DOOR, 1]})


class TestAWrongFirstProgramIsMended:
    def test_is_accepted_at_the_second_attempt(self, mended_run: Told) -> None:
        assert mended_run.draft.verdict.accepted
        assert [each.attempt for each in mended_run.events if isinstance(each, Accepted)] == [1, 1, 2]
        assert mended_run.vlm.places[3:6] == [("checker", DOOR, 1), ("checker", GOAL, 1), ("refine", DOOR, 2)]

    def test_the_measured_fact_goes_back(self, mended_run: Told) -> None:
        (rejected,) = [each for each in mended_run.events if isinstance(each, Rejected)]
        (fact,) = rejected.complaints
        assert "`check` returned True on the very first frame" in fact
        assert fact in text_of(mended_run.vlm.asked("refine", DOOR, 2))

    def test_the_program_goes_back(self, mended_run: Told) -> None:
        asked = text_of(mended_run.vlm.asked("refine", DOOR, 2))
        assert "    return bool(yellow(current)[row : row + 8, column : column + 8].sum() < 65)" in asked
        assert "This was attempt 1" in asked
        assert "The same was wrong" not in asked

    def test_the_decisive_frame_goes_back_as_a_picture(self, mended_run: Told, doorkey: Split) -> None:
        first, goal, shown = mended_run.vlm.asked("refine", DOOR, 2).pictures
        assert (first.caption, goal.caption) == ("first frame", "goal frame")
        assert shown.caption == "expert episode 1, frame 0"
        assert shown.original is not None
        assert (shown.original == doorkey.refine[0].frame(0)).all()
        assert shown.frame.shape[0] > 8 * shown.original.shape[0]

    def test_what_explain_said_goes_back(self, mended_run: Told) -> None:
        said = (
            text_of(mended_run.vlm.asked("refine", DOOR, 2)).partition("What `explain` said there: ")[2].splitlines()[0]
        )
        assert said == 'frame 0: check = True, {"yellow_in_door": 64}'

    def test_the_attempt_is_kept_with_its_rule(self, mended_run: Told) -> None:
        kept = mended_run.draft.attempts[3]
        assert kept.rules == (Rule.TRUE_AT_START,)
        assert kept.reply.text == program(TOO_SOON)
        assert mended_run.draft.attempts[5].complaints == ()


def test_several_frames_go_back_where_one_does_not_tell(doorkey: Split) -> None:
    run = told(
        doorkey,
        {("checker", GOAL, 1): program(planted.GOAL_ONE_STEP_EARLY), ("refine", GOAL, 2): RIGHT["checker", GOAL, 1]},
    )
    request = run.vlm.asked("refine", GOAL, 2)
    last = len(doorkey.refine[0]) - 1
    assert f"the goal is reached only on frame {last}, the last" in text_of(request)
    captions = [each.caption for each in request.pictures[2:]]
    assert captions == [f"expert episode 1, frame {time}" for time in (0, last - 2, last - 1)]


REFUSED_BY_THE_SCREEN = {
    "a forbidden import": (
        program("import os\n\n\ndef check(found, current):\n    return True\n"),
        "line 1: `os` may not be imported",
    ),
    "empty": ("", "The reply is empty."),
    "no program": ("I cannot tell.", "The reply holds no ```python block."),
    "without the function": (program("def done(found, current):\n    return True\n"), "must define `def check("),
    "not Python": (program("def check(found, current)\n    return True\n"), "line 1: This is not valid Python"),
    "half a character": (program('def check(found, current):\n    return "\ud800"\n'), "not valid Python"),
    "truncated": (Reply(program(planted.RIGHT_KEY), Finish.TRUNCATED), "cut off before its end"),
    "refused": (Reply("", Finish.REFUSED), "The request was refused. It is harmless"),
}


@pytest.mark.parametrize("name", REFUSED_BY_THE_SCREEN)
def test_a_reply_that_cannot_be_used_goes_back(name: str, doorkey: Split) -> None:
    reply, said = REFUSED_BY_THE_SCREEN[name]
    run = told(doorkey, {("checker", KEY, 1): reply, ("refine", KEY, 2): RIGHT["checker", KEY, 1]})
    assert run.draft.verdict.accepted
    assert said in text_of(run.vlm.asked("refine", KEY, 2))
    assert run.draft.attempts[2].rules == ("screen",)
    assert [type(each) for each in run.events[11:16]] == [Rejected, Accepted, Accepted, Asked, Replied]


def test_what_looks_like_a_mark_of_ours_in_a_program_is_only_text(doorkey: Split) -> None:
    hostile = planted.INVERTED_KEY + '\nMARK = "\x02no such picture\x03"\n'
    run = told(doorkey, {("checker", KEY, 1): program(hostile), ("refine", KEY, 2): RIGHT["checker", KEY, 1]})
    assert 'MARK = "no such picture"' in text_of(run.vlm.asked("refine", KEY, 2))


@pytest.mark.parametrize(
    ("stage", "bad", "good"),
    [("goal", "  \n", RIGHT["goal", "", 1]), ("subtasks", "no JSON here", RIGHT["subtasks", "", 1])],
)
def test_unusable_twice_and_then_good(stage: str, bad: str, good: str, doorkey: Split) -> None:
    run = told(doorkey, {(stage, "", 1): bad, (stage, "", 2): bad, (stage, "", 3): good})
    assert run.draft.verdict.accepted
    said = [text_of(run.vlm.asked(stage, "", attempt)) for attempt in (2, 3)]
    assert all("Your previous answer to this question could not be used" in each for each in said)
    assert "This has now happened 2 times in a row." in said[1]


def test_a_third_naming_is_another_question_so_that_a_journal_does_not_answer_it(
    tmp_path: Path, doorkey: Split
) -> None:
    vlm = Scripted({("goal", "", 1): "", ("goal", "", 2): "", ("goal", "", 3): RIGHT["goal", "", 1]})
    generate(doorkey, Journal(vlm, tmp_path), InThisProcess())
    assert vlm.places[:3] == [("goal", "", 1), ("goal", "", 2), ("goal", "", 3)]


@pytest.mark.parametrize(("stage", "bad"), [("goal", ""), ("subtasks", Reply("{", Finish.TRUNCATED))])
def test_unusable_three_times_is_an_error_in_one_sentence(stage: str, bad: str, doorkey: Split) -> None:
    with pytest.raises(ProviderError, match=r"scripted/planted named no .* in 3 tries: The reply"):
        told(doorkey, {(stage, "", attempt): bad for attempt in (1, 2, 3)})


def test_the_same_mistake_twice_is_told(doorkey: Split) -> None:
    wrong = program(planted.INVERTED_KEY)
    run = told(
        doorkey,
        {
            ("checker", KEY, 1): wrong,
            ("refine", KEY, 2): wrong,
            ("refine", KEY, 3): program(planted.ALWAYS_FALSE),
            ("refine", KEY, 4): RIGHT["checker", KEY, 1],
        },
    )
    told_so = ["The same was wrong" in text_of(run.vlm.asked("refine", KEY, attempt)) for attempt in (2, 3, 4)]
    assert told_so == [False, True, False]


@pytest.fixture(scope="module")
def vain_run(doorkey: Split) -> Told:
    script = {
        ("checker", KEY, 1): program(planted.ALWAYS_TRUE),
        ("refine", KEY, 2): program(planted.ANY_MOVEMENT),
        ("refine", KEY, 3): program(planted.ALWAYS_FALSE),
    }
    return told(doorkey, script, attempts=3)


class TestNeverRight:
    def test_gives_up_and_goes_on(self, vain_run: Told) -> None:
        (event,) = [each for each in vain_run.events if isinstance(each, GaveUp)]
        assert (event.subtask.name, event.attempts) == (KEY, 3)
        assert ("checker", DOOR, 1) in vain_run.vlm.places

    def test_the_best_program_is_kept(self, vain_run: Told) -> None:
        assert vain_run.draft.checkers[0].source == planted.ANY_MOVEMENT

    def test_the_verdict_says_what_is_wrong(self, vain_run: Told) -> None:
        assert not vain_run.draft.verdict.accepted
        assert [each.rule for each in vain_run.draft.verdict.of(KEY)] == [Rule.TOO_EASY]


def test_a_subtask_without_any_program_is_found(doorkey: Split) -> None:
    run = told(doorkey, {("checker", DOOR, 1): "", ("refine", DOOR, 2): "no"}, attempts=2)
    assert [each.subtask.name for each in run.draft.checkers] == [KEY, GOAL]
    for verdict in (run.draft.rehearsal, run.draft.verdict):
        assert not verdict.accepted
        assert [each.rule for each in verdict.of(DOOR)] == [Rule.NO_PROGRAM]


def test_no_program_at_all_is_an_error(doorkey: Split) -> None:
    script: Script = {("subtasks", "", 1): naming(planted.KEY), ("checker", KEY, 1): "no"}
    with pytest.raises(ProviderError, match="wrote no program that may run, in 3 replies"):
        told(doorkey, script, attempts=1)


def _weighed(source: str) -> str:
    """A program that answers from a table of frames, by a weighted sum of the pixels."""
    return (
        "import numpy as np\n\n\n"
        "def number(frame):\n"
        "    flat = frame.astype(np.int64).ravel()\n"
        "    return int((flat * (np.arange(len(flat)) % 9973)).sum())\n\n\n"
        f"{source}\n"
    )


def _memorised(parts: Split) -> str:
    functions: dict = {}
    exec(planted.RIGHT_KEY + _weighed(""), functions)
    done, other = set(), set()
    for each in parts.refine:
        found = functions["identify"](each.frame(0))
        for picture in each.pictures[np.unique(each.order)]:
            (done if functions["check"](found, picture) else other).add(functions["number"](picture))
    assert done
    assert not done & other, "two frames have one number: the table cannot be right"
    return _weighed(f"DONE = {sorted(done)}\n\n\ndef check(found, current):\n    return number(current) in DONE")


def test_a_program_that_knows_the_rehearsal_by_heart_fails_the_verdict(doorkey: Split) -> None:
    experts = [each for each in doorkey.refine if each.who == "expert"]
    randoms = [each for each in doorkey.refine if each.who == "random"]
    parts = Split((*experts, *sorted(randoms, key=len)[:3]), doorkey.verdict)
    run = told(parts, {("checker", KEY, 1): program(_memorised(parts))}, attempts=1)
    assert run.draft.rehearsal.findings == ()
    assert not run.draft.verdict.accepted
    assert [each.rule for each in run.draft.verdict.of(KEY)] == [Rule.NEVER_ON_EXPERT, Rule.OVER_FITTED]
    assert "(3 of 3 experts" in run.draft.verdict.of(KEY)[1].message
    assert "did not see (7 of 12 experts" in run.draft.verdict.of(KEY)[1].message


def test_requests_never_hold_a_held_out_frame(doorkey: Split) -> None:
    wrong = [
        planted.INVERTED_KEY,
        planted.ANY_MOVEMENT,
        planted.ALWAYS_FALSE,
        planted.CRASHES_WHEN_DONE,
        planted.ANSWERS_A_NUMBER,
    ]
    script = {("refine" if n > 1 else "checker", KEY, n): program(each) for n, each in enumerate(wrong, 1)}
    script |= {("refine" if n > 1 else "checker", GOAL, n): program(planted.GOAL_ONE_STEP_EARLY) for n in range(1, 6)}
    run = told(doorkey, script)
    shown = [each.original for request in run.vlm.requests for each in request.pictures]
    seen, held_out = (
        {digest(frame) for each in part for frame in each.pictures[np.unique(each.order)]}
        for part in (doorkey.refine, doorkey.verdict)
    )
    digests = {digest(each) for each in shown if each is not None}
    assert len(digests) > 5
    assert digests <= seen
    assert not digests & (held_out - seen)


def test_the_same_replies_give_the_same_questions_and_the_same_bundle(tmp_path: Path, doorkey: Split) -> None:
    files = []
    hashes = []
    for run in ("one", "two"):
        vlm = Scripted({("checker", DOOR, 1): program(TOO_SOON), ("refine", DOOR, 2): RIGHT["checker", DOOR, 1]})
        draft = generate(doorkey, vlm, ProcessSandbox(), Budget())
        path = save_bundle(tmp_path / run, find_task("doorkey-6x6"), draft, Provenance(vlm.name, ()))
        files.append(_files(path))
        hashes.append([each.sha256 for each in vlm.requests])
    assert hashes[0] == hashes[1]
    assert files[0] == files[1]
    assert len(files[0]) > 20


def _run_killed(trajectories: Path, folder: Path, replies: int) -> int:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.unit.refine.killed", str(trajectories), str(folder), str(replies)]
    return subprocess.run(command, cwd=Path(__file__).parents[3], check=False).returncode


def _files(bundle: Path) -> dict[str, bytes]:
    """All files but the one with measured times, which differ from run to run."""
    files = (each for each in sorted(bundle.rglob("*")) if each.is_file() and each.name != "measured.json")
    return {str(each.relative_to(bundle)): each.read_bytes() for each in files}


@pytest.fixture(scope="module")
def uninterrupted(doorkey_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert _run_killed(doorkey_folder, folder, 0) == 0
    return folder


@pytest.mark.parametrize("replies", [1, 3, 5])
def test_killed_and_started_again_nothing_is_asked_twice(
    replies: int, doorkey_folder: Path, tmp_path: Path, uninterrupted: Path
) -> None:
    assert _run_killed(doorkey_folder, tmp_path, replies) == -signal.SIGKILL
    asked = (tmp_path / "asked.txt").read_text().splitlines()
    assert len(asked) == replies
    assert not (tmp_path / "doorkey-6x6").exists()
    assert _run_killed(doorkey_folder, tmp_path, 0) == 0
    asked = (tmp_path / "asked.txt").read_text().splitlines()
    assert len(asked) == len(set(asked)) == 6
    assert asked == (uninterrupted / "asked.txt").read_text().splitlines()
    assert _files(tmp_path / "doorkey-6x6") == _files(uninterrupted / "doorkey-6x6")
