"""A verdict as JUnit XML, as a CI service reads it."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from car.junit import junit_xml
from car.verify import Finding, Need, Rule, Verdict
from tests.unit.full_verdict import ACCEPTED, FINDINGS, LONG, NAMES, PROBES, REHEARSAL, REJECTED, UNDECIDED

SUBTASKS, LOOKS = "doorkey-8x8.subtasks", "doorkey-8x8.probes"


def suite(verdict: Verdict, name: str = "doorkey-8x8") -> ElementTree.Element:
    (found,) = ElementTree.fromstring(junit_xml(verdict, name))
    return found


def cases(verdict: Verdict) -> dict[tuple[str, str], ElementTree.Element]:
    found = suite(verdict).findall("testcase")
    named = {(each.get("classname", ""), each.get("name", "")): each for each in found}
    assert len(named) == len(found), "names must be of one test each"
    return named


def outcomes(verdict: Verdict, *tags: str) -> dict[str, list[tuple[str | None, str | None]]]:
    """By the name of each test that has one, type and message of what was wrong."""
    return {
        name: [(each.get("type"), each.get("message")) for tag in tags for each in case.findall(tag)]
        for (_, name), case in cases(verdict).items()
        if any(case.findall(tag) for tag in tags)
    }


@pytest.mark.parametrize("verdict", [ACCEPTED, UNDECIDED, REJECTED, REHEARSAL], ids=lambda each: each.decision)
def test_counts_are_those_of_the_tests(verdict: Verdict) -> None:
    found = suite(verdict)
    tests = found.findall("testcase")
    assert found.get("name") == "doorkey-8x8"
    assert found.get("tests") == str(len(tests))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert found.get(attribute) == str(sum(bool(each.findall(tag)) for each in tests))


def test_accepted_is_green() -> None:
    assert outcomes(ACCEPTED, "failure", "error") == {}
    properties = {each.get("name"): each.get("value") for each in suite(ACCEPTED).iter("property")}
    assert properties == {"decision": "accepted", "rule": ACCEPTED.rule, "confidence": "0.95", "isolation": "2"}


def test_there_is_a_test_for_each_sub_task_the_chain_and_each_probe() -> None:
    expected = [(SUBTASKS, name) for name in (*NAMES, "whole chain")]
    expected += [(LOOKS, f"{each.name}: {each.subtask or 'whole chain'}") for each in PROBES]
    assert list(cases(ACCEPTED)) == expected


def test_names_do_not_depend_on_what_was_found() -> None:
    """A CI service follows a test by its name from run to run."""
    assert set(cases(ACCEPTED)) <= set(cases(REJECTED))
    assert set(cases(ACCEPTED)) == set(cases(UNDECIDED))


def test_each_finding_is_a_failure_with_its_rule() -> None:
    found = outcomes(REJECTED, "failure")
    assert found[LONG] == [("before what it depends on", "wrong order (episode 3, frame 3): It is [true] at 3.")]
    assert found["missing"] == [("no program", "no program: No reply held a program that may run.")]
    assert found["whole chain"] == [("chain done by random", "fires on random: 13 of 100.")]
    assert found["exploit: noise: whole chain"] == [("exploit: noise", "Noise pays 1.2.")]
    assert len(found) == len(FINDINGS) + 1


def test_two_findings_against_one_sub_task_are_two_failures() -> None:
    twice = (*FINDINGS, Finding(Rule.OVER_FITTED, LONG, "It fits those that it was mended on."))
    found = outcomes(replace(REJECTED, findings=twice), "failure")
    assert [rule for rule, _ in found[LONG]] == ["before what it depends on", "over-fitted"]


def test_undecided_is_an_error_of_the_chain_that_says_what_is_needed() -> None:
    said = "3 of 3 expert trajectories, too few. 0 of 20, too few."
    assert outcomes(UNDECIDED, "failure", "error") == {"whole chain": [("undecided", said)]}


def test_a_reported_probe_that_fails_is_only_told() -> None:
    case = cases(ACCEPTED)[LOOKS, "shift: pick-up"]
    assert [each.tag for each in case] == ["system-out"]
    assert case.findtext("system-out") == "weak. 189 of 200 answers stay the same."


def test_a_probe_that_was_not_made_is_skipped() -> None:
    skipped = outcomes(ACCEPTED, "skipped")
    assert skipped[f"jpeg: {LONG}"] == [(None, "The program was not asked about changed frames: it fails.")]
    assert len(skipped) == sum(each.passed is None for each in PROBES)


def test_the_figures_are_told() -> None:
    said = cases(REJECTED)[SUBTASKS, LONG].findtext("system-out") or ""
    assert "experts: 20 of 20 (83-100%); random: 3 of 100 (0.6-8.6%)" in said
    assert "by experts at frame 9 (4-12), by random agents at 250 (7-611)" in said
    assert "false firings: 7" in said
    assert "isolation" in {each.get("name") for each in suite(REJECTED).iter("property")}


@pytest.mark.parametrize(
    "text", ["\x00", "\x1b[31m", "\ud800", "\ufffe", "]]>", "<failure/>", "&amp;", '"', "\U0001f600"]
)
def test_whatever_a_program_wrote_is_only_text(text: str) -> None:
    hostile = Finding(Rule.CRASHES, LONG, f"failed with ValueError: {text}!")
    found = outcomes(replace(REJECTED, findings=(hostile,)), "failure")
    ((_, message),) = found[LONG]
    assert message is not None
    assert message.startswith("crashes: failed with ValueError: ")
    assert message.endswith("!")
    legal = text.isprintable() or text == "\U0001f600"
    assert (text in message) == legal


def test_a_name_is_only_text_too() -> None:
    assert suite(ACCEPTED, 'a"<b>\x00').get("name") == 'a"<b>\ufffd'


def test_a_need_that_nothing_meets_is_told() -> None:
    hopeless = replace(UNDECIDED, needs=(Need("random", None, "No number of further ones would decide it."),))
    ((_, said),) = outcomes(hopeless, "error")["whole chain"]
    assert said == "No number of further ones would decide it."
