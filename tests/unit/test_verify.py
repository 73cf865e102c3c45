"""The verifier, tested with planted programs: right ones must pass, each wrong one must fail by the rule for it."""

import inspect
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.checker import Checker
from car.errors import BadTrajectory
from car.sandbox import Limits
from car.sandbox.process import ProcessSandbox
from car.trajectory import Trajectory
from car.verify import Bar, Decision, Rule, Split, Verdict, judge, observe, split, verdict_on
from car.verify.credit import credited
from car.verify.rules import Case
from car.verify.verdict import verdict_from
from tests.planted import doorkey as planted
from tests.unit.refine.scripted import InThisProcess

_FOREVER = "def check(found, current):\n    while True:\n        pass\n"

WRONG = {
    "always true": ("key", planted.ALWAYS_TRUE, Rule.TRUE_AT_START),
    "always false": ("key", planted.ALWAYS_FALSE, Rule.NEVER_ON_EXPERT),
    "always false, in the middle": ("door", planted.ALWAYS_FALSE, Rule.NEVER_ON_EXPERT),
    "inverted": ("key", planted.INVERTED_KEY, Rule.TRUE_AT_START),
    "wrong colour": ("key", planted.WRONG_COLOUR_KEY, Rule.NEVER_ON_EXPERT),
    "one step early": ("goal", planted.GOAL_ONE_STEP_EARLY, Rule.GOAL_TOO_EARLY),
    "any movement, first": ("key", planted.ANY_MOVEMENT, Rule.TOO_EASY),
    "has turned, first": ("key", planted.HAS_TURNED, Rule.TOO_EASY),
    "any movement, in the middle": ("door", planted.ANY_MOVEMENT, Rule.TOO_EARLY),
    "any movement, goal": ("goal", planted.ANY_MOVEMENT, Rule.TOO_EARLY),
    "duplicate": ("door", planted.RIGHT_KEY, Rule.DUPLICATE),
    "goal is another sub-task": ("goal", planted.RIGHT_DOOR, Rule.GOAL_TOO_EARLY),
    "keeps state": ("key", planted.KEEPS_STATE, Rule.NOT_PURE),
    "mutates the frame": ("key", planted.MUTATES_FRAME, Rule.CRASHES),
    "crashes when done": ("key", planted.CRASHES_WHEN_DONE, Rule.CRASHES),
    "answers a number": ("key", planted.ANSWERS_A_NUMBER, Rule.CRASHES),
    "runs for ever": ("key", _FOREVER, Rule.CRASHES),
}


def _judged(checkers: Sequence[Checker], trajectories: Sequence[Trajectory], bar: Bar = Bar()) -> Verdict:
    return verdict_on(checkers, trajectories, ProcessSandbox(), bar, limits=Limits(frame_seconds=1.5))


@pytest.fixture(scope="module")
def right(doorkey: Split) -> Verdict:
    return _judged(planted.chain(), doorkey.verdict)


def test_accepts_right_programs(right: Verdict) -> None:
    assert right.accepted
    assert right.findings == ()
    assert right.chain.experts_done == right.chain.experts == 12
    assert right.chain.false_goals == 0
    assert right.rule == (
        "experts: the whole chain in at least 100%; random: the whole chain without success in fewer than 10%, of 100 "
        "(the rule of the Code as Reward paper)"
    )


def test_an_easy_first_subtask_is_not_held_against_it(right: Verdict) -> None:
    key = right.subtasks[0]
    assert key.randoms_done > 0.3 * key.randoms


def test_evidence_says_when_each_subtask_was_done(right: Verdict) -> None:
    key, door, goal = (each.expert_first for each in right.subtasks)
    assert all(
        a is not None and b is not None and c is not None and 0 < a < b < c
        for a, b, c in zip(key, door, goal, strict=True)
    )


def test_looks_at_each_distinct_frame_of_an_episode_once(right: Verdict, doorkey: Split) -> None:
    assert right.frames == sum(len(each) for each in doorkey.verdict)
    assert right.distinct == sum(len({each.frame(t).tobytes() for t in range(len(each))}) for each in doorkey.verdict)
    assert right.distinct < 0.6 * right.frames


@pytest.mark.parametrize("name", WRONG)
def test_rejects_wrong_programs_by_the_right_rule(name: str, doorkey: Split) -> None:
    place, source, rule = WRONG[name]
    verdict = _judged(planted.chain(**{place: source}), doorkey.verdict)
    subtask = {"key": planted.KEY, "door": planted.DOOR, "goal": planted.GOAL}[place].name
    assert not verdict.accepted
    assert [finding.rule for finding in verdict.of(subtask)] == [rule]


def test_what_an_expert_does_in_a_step_and_a_random_agent_in_a_few_is_too_easy(doorkey: Split) -> None:
    """Held against the first limit alone, a program for "the agent has turned" would pass as one for the key."""
    verdict = _judged(planted.chain(key=planted.HAS_TURNED), doorkey.verdict, Bar(early_share=1.0))
    (finding,) = verdict.of(planted.KEY.name)
    assert finding.rule is Rule.TOO_EASY
    assert "steps it is done in" in finding.message
    assert _judged(
        planted.chain(key=planted.HAS_TURNED), doorkey.verdict, Bar(early_share=1.0, soon_share=1.0)
    ).accepted


def test_rejects_a_swapped_order(doorkey: Split) -> None:
    verdict = _judged(planted.chain(key=planted.RIGHT_DOOR, door=planted.RIGHT_KEY), doorkey.verdict)
    assert [finding.rule for finding in verdict.of(planted.DOOR.name)] == [Rule.TOO_EARLY]


def _without_success(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """The same episodes, of which nobody knows whether they succeeded."""
    return [replace(each, success=None) for each in trajectories]


def test_rejects_a_chain_that_random_completes_where_success_is_not_known(doorkey: Split) -> None:
    seen = _without_success(doorkey.verdict)
    assert _judged(planted.chain(), seen).findings == ()
    lucky = [replace(each, who="random", success=None) for each in doorkey.verdict if each.who == "expert"]
    (finding,) = _judged(planted.chain(), [*seen, *lucky]).findings
    assert finding.rule is Rule.CHAIN_ON_RANDOM
    assert "13 of 60 random trajectories complete the whole chain, and nobody knows if they succeed" in finding.message


def test_what_the_environment_confirms_stays_confirmed_beside_what_nobody_knows(doorkey: Split) -> None:
    lucky = [replace(each, who="random") for each in doorkey.verdict if each.who == "expert"]
    unknown = replace(next(each for each in doorkey.verdict if each.who == "random"), success=None)
    verdict = _judged(planted.chain(), [*doorkey.verdict, *lucky, unknown])
    assert verdict.chain.randoms_done >= len(lucky)
    assert verdict.chain.false_goals == 0
    assert Rule.CHAIN_ON_RANDOM not in [each.rule for each in verdict.findings]


def test_a_chain_that_lacks_a_program_is_completed_by_nobody(doorkey: Split) -> None:
    with InThisProcess().open(planted.chain()[:1]) as session:
        seen = observe(session, doorkey.verdict)
    verdict = judge(planted.chain()[:1], seen, subtasks=[planted.KEY, planted.DOOR, planted.GOAL])
    assert (verdict.chain.experts_done, verdict.chain.randoms_done) == (0, 0)
    assert {each.rule for each in verdict.findings} == {Rule.NO_PROGRAM}


def test_an_expert_that_does_not_finish_accuses_nobody(doorkey: Split) -> None:
    """Whoever stops where it does is paid as much: that is no exploit."""
    experts = [each for each in doorkey.verdict if each.who == "expert"]
    cut = replace(experts[0], order=experts[0].order[:6], actions=None, rewards=None, success=None, terminated=None)
    verdict = _judged(planted.chain(), [*doorkey.verdict, cut], Bar(expert_share=0.9))
    assert verdict.findings == ()
    assert all(each.values["ratio"] < 1 for each in verdict.probes if each.name.startswith("exploit"))


def test_with_a_confidence_a_few_missed_experts_are_too_few_to_decide_on(doorkey: Split) -> None:
    expert = next(each for each in doorkey.verdict if each.who == "expert")
    cut = replace(expert, order=expert.order[:2], actions=None, rewards=None, success=None, terminated=None)
    verdict = _judged(planted.chain(), [*doorkey.verdict, cut], Bar(expert_share=0.95, confidence=0.95))
    assert verdict.findings == ()
    assert verdict.decision is Decision.UNDECIDED


def test_rules_are_listed_in_the_order_in_which_they_are_looked_for() -> None:
    """Refinement knows the better of two wrong programs by it."""
    looked = ["crashes", "not_pure", "true_at_start", "too_early", "goal_too_early", "never_on_expert", "duplicate"]
    order = [*looked, "too_easy", "false_goal", "exploitable"]
    assert [each.name.lower() for each in Rule][1 : 1 + len(order)] == order
    source = inspect.getsource(Case.against)
    places = [source.index(f"self._{name},") for name in order[:-1] if f"self._{name}," in source]
    assert len(places) == len(order) - 1
    assert places == sorted(places)


def test_an_easy_task_is_not_held_against_right_programs(doorkey: Split) -> None:
    """Experts played as if at random: they succeed, and the environment confirms it."""
    lucky = [replace(each, who="random") for each in doorkey.refine if each.who == "expert"]
    verdict = _judged(planted.chain(), [*(each for each in doorkey.verdict if each.who == "expert"), *lucky])
    assert verdict.chain.randoms_done == len(lucky)
    assert verdict.chain.false_goals == 0
    assert Rule.CHAIN_ON_RANDOM not in [finding.rule for finding in verdict.findings]


def test_rejects_a_goal_in_an_episode_without_success(doorkey: Split) -> None:
    failed = [replace(each, who="random", success=False) for each in doorkey.refine if each.who == "expert"]
    verdict = _judged(planted.chain(), [*doorkey.verdict, *failed])
    (finding,) = verdict.of(planted.GOAL.name)
    assert finding.rule is Rule.FALSE_GOAL
    assert f"In {len(failed)} of " in finding.message
    assert verdict.chain.false_goals == len(failed)


def test_a_single_goal_without_success_is_reported_and_not_held_against_the_program(doorkey: Split) -> None:
    """What an agent may do is sometimes not to be told from frames; one episode in fifty proves nothing."""
    failed = next(replace(each, who="random", success=False) for each in doorkey.refine if each.who == "expert")
    verdict = _judged(planted.chain(), [*doorkey.verdict, failed])
    assert verdict.findings == ()
    (probe,) = [each for each in verdict.probes if each.name == "goal without success"]
    assert (probe.strict, probe.passed, probe.values["wrong"]) == (False, False, 1)
    assert verdict.subtasks[-1].false_firings == verdict.chain.false_goals == 1


def test_says_nothing_of_when_the_goal_was_reached_where_nobody_knows(doorkey: Split) -> None:
    """The episode goes on after success, as in a video or in a task with a success flag."""
    longer = [
        replace(each, order=np.append(each.order, [each.order[-1]] * 9), actions=None, rewards=None, terminated=False)
        if each.who == "expert"
        else each
        for each in doorkey.verdict
    ]
    assert _judged(planted.chain(), longer).accepted


def test_state_that_crosses_episodes_is_found(doorkey: Split) -> None:
    """The first first frame that was ever seen is kept for all episodes."""
    keeps = planted.RIGHT_DOOR.replace(
        "    return door_tile(initial)", "    kept.append(door_tile(initial))\n    return kept[0]"
    ).replace("def identify", "kept = []\n\n\ndef identify")
    verdict = _judged(
        planted.chain(door=keeps),
        [each for each in doorkey.verdict if each.who == "expert"][:1]
        + [each for each in doorkey.verdict if each.who == "random"],
    )
    assert [finding.rule for finding in verdict.of(planted.DOOR.name)] in ([Rule.NOT_PURE], [Rule.TRUE_AT_START])


def test_a_subtask_without_a_program_is_held_against_the_chain(doorkey: Split) -> None:
    checkers = [planted.chain()[0], planted.chain()[2]]
    sandbox = ProcessSandbox()
    with sandbox.open(checkers) as session:
        seen = observe(session, doorkey.verdict)
    verdict = judge(checkers, seen, subtasks=[planted.KEY, planted.DOOR, planted.GOAL])
    assert [(each.rule, each.subtask) for each in verdict.findings] == [(Rule.NO_PROGRAM, planted.DOOR.name)]


def test_a_lower_bar_for_experts_forgives_one_that_fails(doorkey: Split) -> None:
    expert = next(each for each in doorkey.verdict if each.who == "expert")
    cut = Trajectory(expert.pictures, expert.order[:3], None, None, 999, "expert", None)
    seen = [*doorkey.verdict, cut]
    assert not _judged(planted.chain(), seen).accepted
    assert _judged(planted.chain(), seen, Bar(expert_share=0.9)).accepted


def test_a_finding_names_trajectory_frame_what_was_said_and_what_was_required(doorkey: Split) -> None:
    finding = _judged(planted.chain(goal=planted.GOAL_ONE_STEP_EARLY), doorkey.verdict).findings[0]
    assert finding.trajectory is not None
    last = len(doorkey.verdict[finding.trajectory]) - 1
    assert finding.time is not None
    assert finding.time < last
    assert f"returned True on frame {finding.time}" in finding.message
    assert f"only on frame {last}, the last. Required: False on frame {finding.time}." in finding.message


def test_the_verdict_survives_json(right: Verdict) -> None:
    import json

    assert verdict_from(json.loads(json.dumps(right.as_dict()))) == right


def test_needs_both_kinds_of_trajectories(doorkey: Split) -> None:
    experts = [each for each in doorkey.verdict if each.who == "expert"]
    with pytest.raises(BadTrajectory, match="needs expert and random trajectories; there are 12 and 0"):
        judge(planted.chain(), [_nothing_done(each) for each in experts])


def _nothing_done(trajectory: Trajectory):
    from car.verify import Observation

    return Observation(trajectory, np.zeros((len(trajectory), 3), bool))


@given(
    st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=12),
    st.sampled_from([[[], [0], [1]], [[], [], [0, 1]], [[], [0], [0]]]),
)
def test_crediting_is_once_in_order_and_never_before_what_it_depends_on(
    done: list[list[bool]], after: list[list[int]]
) -> None:
    times = credited(np.array(done), after)
    for index, time in enumerate(times):
        before = [times[each] for each in after[index]]
        if time is not None:
            assert done[time][index]
            assert all(each is not None and each <= time for each in before)
        elif all(each is not None for each in before):
            start = max((each for each in before if each is not None), default=0)
            assert not any(row[index] for row in done[start:])


def _tiny(seed: int | None, who: str, size: int = 8) -> Trajectory:
    return Trajectory(np.zeros((1, size, size, 3), np.uint8), np.zeros(2, np.int64), None, None, seed, who, None)


def test_the_split_shares_no_seed_and_takes_every_fifth() -> None:
    parts = split([_tiny(seed, "expert") for seed in range(25)], [_tiny(seed, "random") for seed in range(100, 225)])
    refine, verdict = ({each.seed for each in part} for part in (parts.refine, parts.verdict))
    assert refine & verdict == set()
    assert (len(refine), len(verdict)) == (30, 120)
    assert {0, 5, 10, 15, 20} <= refine


def test_the_split_does_not_depend_on_the_order_of_the_files() -> None:
    experts, randoms = [_tiny(s, "expert") for s in range(10)], [_tiny(s, "random") for s in range(10, 20)]
    one, two = split(experts, randoms), split(experts[::-1], randoms[::-1])
    assert [each.seed for each in one.verdict] == [each.seed for each in two.verdict]


@pytest.mark.parametrize(
    ("experts", "randoms", "said"),
    [
        ([], [_tiny(1, "random")] * 2, "0 expert trajectories; at least 2"),
        ([_tiny(1, "expert"), _tiny(2, "expert")], [_tiny(3, "random")], "1 random trajectories; at least 2"),
        ([_tiny(1, "expert"), _tiny(1, "expert")], [_tiny(3, "random"), _tiny(4, "random")], "same seed"),
        (
            [_tiny(1, "expert"), _tiny(2, "expert", 9)],
            [_tiny(3, "random"), _tiny(4, "random")],
            "different sizes: 8 x 8, 9 x 9",
        ),
    ],
)
def test_bad_trajectories_are_said_in_one_sentence(
    experts: list[Trajectory], randoms: list[Trajectory], said: str
) -> None:
    with pytest.raises(BadTrajectory, match=said):
        split(experts, randoms)
