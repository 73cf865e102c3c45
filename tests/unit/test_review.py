"""The page on which a person judges a bundle."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from car.bundle import Bundle, Provenance, decide, load_bundle, save_bundle
from car.checker import SubTask
from car.frames import Frame, from_picture
from car.refine import Draft
from car.review import MOST, SHOWN, review_page
from car.sandbox.process import ProcessSandbox
from car.tasks import find_task
from car.verify import Decision, Finding, Rule, Split, Verdict
from tests.planted import doorkey as planted
from tests.unit.full_verdict import ACCEPTED, REHEARSAL, REJECTED, UNDECIDED
from tests.unit.refine.pages import Page
from tests.unit.refine.scripted import GOAL, KEY, RIGHT, InThisProcess, Script, naming, program, told

BAD = "<script>alert('x')</script><img src=x onerror=alert(1)>"


def _bundle(folder: Path, doorkey: Split, script: Script | None = None, attempts: int = 5) -> Bundle:
    return _kept(folder, doorkey, told(doorkey, script, attempts).draft)


def _kept(folder: Path, doorkey: Split, draft: Draft, made: str = "") -> Bundle:
    task, source = find_task("doorkey-6x6"), Provenance("scripted/planted", ("planted-1",), made)
    return load_bundle(save_bundle(folder, task, draft, source))


@pytest.fixture(scope="module")
def bundle(doorkey: Split, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return _bundle(tmp_path_factory.mktemp("right"), doorkey)


@pytest.fixture(scope="module")
def html(bundle: Bundle, doorkey: Split) -> str:
    return review_page(bundle, [*doorkey.refine, *doorkey.verdict], ProcessSandbox())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_is_one_file(page: Page) -> None:
    page.check_alone()


def test_shows_frames_goal_subtasks_and_sources(page: Page, bundle: Bundle) -> None:
    assert bundle.goal in page.text
    assert "first frame, as the model saw it" in page.text
    for checker in bundle.checkers:
        assert checker.subtask.name in page.text
        assert checker.subtask.description in page.text
    assert "outside_door(current, found)" in page.text
    assert "verified" in page.text
    assert "not reviewed" in page.text


def test_shows_the_evidence_of_both_parts(page: Page) -> None:
    assert "ACCEPTED" in page.text
    assert "0 of them without the environment's success" in page.text
    assert "Rule: experts: the whole chain in at least 100%" in page.text
    labels = [attributes.get("aria-label") or "" for tag, attributes in page.tags if tag == "svg"]
    assert labels.count("12 of 12, between 73-100%") >= 4, "three sub-tasks and the chain"
    assert labels.count("3 of 3, between 29-100%") == 4, "the same on what refinement saw"
    assert sum(each.startswith("first done: experts 12 of 12, frames ") for each in labels) == 3


def test_shows_what_was_looked_at_besides(page: Page) -> None:
    for said in (
        "Nothing is done on any of the 60 first frames.",
        "Doing nothing after 0 sub-tasks pays 0",
        "reported: nothing is rejected for it; less than 95% is weak",
        "of 500 \u00b5s",
        "of 10,000 \u00b5s",
    ):
        assert said in page.text
    assert page.text.count("Not looked at.") == 1, "the environment was not run for shortcuts"
    assert page.with_class("bad") == 0


def test_what_was_not_looked_at_is_said(bundle: Bundle) -> None:
    bare = replace(bundle, verdict=replace(bundle.verdict, probes=()))
    assert Page(review_page(bare, [], InThisProcess())).text.count("Not looked at.") == 5


@pytest.mark.parametrize(
    ("verdict", "badge", "word", "said"),
    [
        (ACCEPTED, "good", "verified", "No rule is broken: the whole chain is done by 20 of 20 experts"),
        (UNDECIDED, "open", "not verified: undecided", "3 of 3 expert trajectories, too few."),
        (REJECTED, "bad", "not verified: rejected", "rest: can be exploited; whole chain: fires on random."),
    ],
    ids=lambda each: each.decision if isinstance(each, Verdict) else "",
)
def test_the_decision_is_a_colour_and_a_word(
    bundle: Bundle, verdict: Verdict, badge: str, word: str, said: str
) -> None:
    page = Page(review_page(replace(bundle, verdict=verdict, rehearsal=REHEARSAL), [], InThisProcess()))
    page.check_alone()
    tones = [attributes.get("class") for _, attributes in page.tags if "badge" in (attributes.get("class") or "")]
    assert tones[0] == f"badge {badge}"
    assert word in page.text
    assert verdict.decision.upper() in page.text
    assert said in page.text
    assert page.with_class("wrong") == (4 if verdict is REJECTED else 0)


def test_each_probe_has_a_mark_and_what_was_measured(bundle: Bundle) -> None:
    page = Page(review_page(replace(bundle, verdict=REJECTED), [], InThisProcess()))
    for each in REJECTED.probes:
        shown = page.text + "".join(attributes.get("title") or "" for _, attributes in page.tags)
        # What a program costs is drawn.
        assert each.said in shown or each.name == "cost", each.name
    assert "There is no program." in page.text, "for the sub-task that has none"
    assert "12,000 of 500 \u00b5s" in page.text
    labels = {attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg"}
    assert {"120%, the limit is 100%", "66.7%, the limit is 100%", "50%, the limit is 33.3%"} <= labels


def test_shows_strips_around_the_moment_on_every_expert(page: Page) -> None:
    assert page.text.count("credited on frame") >= 3 * 15
    assert page.with_class("credited") == page.with_class("strip")
    assert page.text.count(f"{15 - SHOWN} more experts") == 3


def test_of_random_episodes_only_some_are_shown(page: Page) -> None:
    assert f"The first {MOST} are shown." in page.text
    assert page.text.count("Nobody knows here whether these are right") >= 1
    assert page.with_class("strip") <= 3 * (15 + MOST)


def test_shows_every_question_and_answer(page: Page) -> None:
    for place, reply in RIGHT.items():
        assert f"{'-'.join(each for each in place[:2] if each)}, attempt 1" in page.text
        assert isinstance(reply, str)
        assert reply.strip() in page.text


def test_says_how_to_decide_and_on_what(page: Page, bundle: Bundle) -> None:
    assert f"car review {bundle.path} --approve" in page.text
    assert bundle.manifest_sha256[:16] in page.text


def test_a_small_page(html: str) -> None:
    assert len(html) < 1_000_000


def test_works_without_trajectories(bundle: Bundle) -> None:
    page = Page(review_page(bundle, [], InThisProcess()))
    page.check_alone()
    assert "Record them with car record doorkey-6x6" in page.text
    assert page.with_class("strip") == 0
    assert "never" not in page.text.partition("Every question")[0]


def test_shows_the_decision(doorkey: Split, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, doorkey)
    decide(bundle, "rejected", f"Too fast. {BAD}")
    page = Page(review_page(load_bundle(bundle.path), [], InThisProcess()))
    assert f"rejected: Too fast. {BAD}" in page.text


SEES_THE_GOAL_EVERYWHERE = """
def check(found, current):
    return bool((found != current).any())
"""


def test_shows_goals_that_were_not_reached(doorkey: Split, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, doorkey, {("checker", GOAL, 1): program(SEES_THE_GOAL_EVERYWHERE)}, attempts=1)
    trajectories = [*doorkey.refine, *doorkey.verdict]
    page = Page(review_page(bundle, trajectories, InThisProcess()))
    failed = [each for each in trajectories if each.who == "random" and each.success is False]
    fired = [each for each in failed if (each.pictures[each.order] != each.frame(0)).any()]
    assert len(fired) > SHOWN
    assert "False firings on random trajectories" in page.text
    assert f"{len(fired) - SHOWN} more false firings" in page.text
    assert page.with_class("suspect") == len(fired)
    assert "fires on frame" in page.text, "also where it comes too early to be credited"
    assert "not verified" in page.text


def _pictures(page: Page) -> dict[str, Frame]:
    """The pictures that decide something, by what is written below them."""
    shown = {
        at["alt"] or "": at["src"] or "" for tag, at in page.tags if tag == "img" and "episode" in (at["alt"] or "")
    }
    return {
        alt: from_picture(base64.b64decode(source.partition(",")[2])) for alt, source in shown.items() if "frame" in alt
    }


def test_a_finding_is_shown_with_its_two_decisive_frames(doorkey: Split, tmp_path: Path) -> None:
    script = {("checker", GOAL, 1): program(planted.GOAL_ONE_STEP_EARLY)}
    bundle = _bundle(tmp_path, doorkey, script, attempts=1)
    (found,) = bundle.verdict.of(GOAL)
    assert found.trajectory is not None
    assert found.time is not None
    # In another order than that in which they were judged, and with others among them.
    everything = [*reversed(doorkey.verdict), *doorkey.refine]
    page = Page(review_page(bundle, everything, InThisProcess()))
    shown, judged = _pictures(page), doorkey.verdict[found.trajectory]
    assert len(shown) == 2
    for time in (found.time - 1, found.time):
        caption = f"expert episode {found.trajectory + 1}, frame {time}"
        assert (shown[caption] == judged.frame(time)).all()
    assert page.text.count("fires too early") >= 3, "in the headline, in the table, and beside the program"
    assert _pictures(Page(review_page(bundle, everything[1:], InThisProcess()))) == {}, (
        "which one is meant is not known"
    )


def test_the_blank_picture_of_an_exploit_is_shown(doorkey: Split, bundle: Bundle) -> None:
    against = Finding(Rule.EXPLOITABLE, GOAL, "It pays for nothing.", 0, 3, "black")
    accused = replace(bundle, verdict=replace(bundle.verdict, decision=Decision.REJECTED, findings=(against,)))
    page = Page(review_page(accused, doorkey.verdict, InThisProcess()))
    assert "expert episode 1, frame 3" in page.text
    assert "then the black picture" in page.text


def test_a_right_goal_has_no_false_firings(page: Page) -> None:
    assert page.with_class("suspect") == 0
    assert "False firings" not in page.text


def test_says_that_a_program_never_fires_on_experts(doorkey: Split, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, doorkey, {("checker", KEY, 1): program(planted.ALWAYS_FALSE)}, attempts=1)
    page = Page(review_page(bundle, doorkey.verdict, InThisProcess()))
    assert page.text.count("It is never credited on an expert.") == 3
    assert page.text.count("It never fires on the 48 random trajectories.") == 3


def test_a_subtask_without_a_program_is_in_the_verdict(doorkey: Split, tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, doorkey, {("checker", KEY, 1): "no"}, attempts=1)
    page = Page(review_page(bundle, doorkey.verdict, InThisProcess()))
    assert f"{KEY}: No reply held a program that may run." in page.text


def test_hostile_text_is_only_text(doorkey: Split, tmp_path: Path) -> None:
    key = SubTask(KEY, f"The key is gone. {BAD}")
    source = f'MARK = "{BAD}"\n# </pre></div>{BAD}\n{planted.RIGHT_KEY}'
    script: Script = {
        ("goal", "", 1): f"The goal. {BAD}",
        ("subtasks", "", 1): naming(key, planted.DOOR, planted.GOAL, goal=f"Reach it. {BAD}"),
        ("checker", KEY, 1): program(f"{BAD}\n"),
        ("refine", KEY, 2): f"</pre></details>{BAD}\n{program(source)}",
    }
    draft = told(doorkey, script).draft
    page = Page(review_page(_kept(tmp_path, doorkey, draft, BAD), doorkey.refine, InThisProcess()))
    page.check_alone()
    assert draft.verdict.accepted
    assert page.text.count(BAD) >= 7
