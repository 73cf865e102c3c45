"""A verdict as JUnit XML, which CI services show as a list of tests."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from car.outline import CHAIN, headline, place, span, subject, typical, unjudged
from car.verify import ChainEvidence, Decision, Finding, Probe, SubTaskEvidence, Verdict

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Case:
    """One test.

    Args:
        group: ``subtasks`` or ``probes``.
        name: stable from run to run.
        out: what was measured.
        outcomes: tag, type and message of each thing that was wrong; empty if it passes.
    """

    group: str
    name: str
    out: str
    outcomes: tuple[tuple[str, str, str], ...] = ()


def junit_xml(verdict: Verdict, name: str) -> bytes:
    """The verdict as one test suite.

    A test for each sub-task and one for the whole chain, with a failure for each finding; where the verdict is
    undecided, the chain's test is an error that says what is missing. A test for each probe: one that is strict and
    fails is a failure, one that was not made is skipped, one that is only reported passes, with what it measured as
    its output. Names stay the same from run to run; what a program wrote that XML cannot hold becomes U+FFFD.

    Args:
        verdict: what is written.
        name: of the suite, e.g. the task's.
    """
    cases = [*_judged(verdict), *map(_probed, verdict.probes)]
    counts = {
        "tests": len(cases),
        "failures": _having(cases, "failure"),
        "errors": _having(cases, "error"),
        "skipped": _having(cases, "skipped"),
    }
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(name), **_texts(counts)})
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in _properties(verdict):
        ElementTree.SubElement(properties, "property", {"name": key, "value": _clean(value)})
    for each in cases:
        _add(suite, each, name)
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _having(cases: Iterable[_Case], tag: str) -> int:
    return sum(any(outcome[0] == tag for outcome in each.outcomes) for each in cases)


def _texts(counts: dict[str, int]) -> dict[str, str]:
    return {key: str(value) for key, value in counts.items()}


def _properties(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "decision", verdict.decision
    yield "rule", verdict.rule
    yield "confidence", f"{verdict.confidence:g}"
    yield "isolation", "not measured" if verdict.isolation is None else str(verdict.isolation.level)


def _judged(verdict: Verdict) -> Iterator[_Case]:
    for each in verdict.subtasks:
        yield _Case("subtasks", each.name, _figures(each), _failures(verdict.of(each.name)))
    for missing in unjudged(verdict):
        yield _Case("subtasks", missing, "There is no program.", _failures(verdict.of(missing)))
    outcomes = _failures(verdict.of(""))
    if verdict.decision is Decision.UNDECIDED:
        said = " ".join(each.said for each in verdict.needs) or headline(verdict)
        outcomes += (("error", Decision.UNDECIDED, said),)
    yield _Case("subtasks", CHAIN, f"{_shares(verdict.chain)}\n{headline(verdict)}", outcomes)


def _failures(findings: Iterable[Finding]) -> tuple[tuple[str, str, str], ...]:
    return tuple(("failure", each.rule, _message(each)) for each in findings)


def _message(finding: Finding) -> str:
    where = f" ({place(finding)})" if place(finding) else ""
    return f"{finding.mistake}{where}: {finding.message}"


def _figures(each: SubTaskEvidence) -> str:
    return (
        f"{_shares(each)}\nfirst done by experts at frame {typical(each.expert_first) or 'none'}, by random agents at "
        f"{typical(each.random_first) or 'none'}\nfalse firings: {each.false_firings}"
    )


def _shares(each: SubTaskEvidence | ChainEvidence) -> str:
    held = each.unconfirmed if isinstance(each, ChainEvidence) else each.randoms_done
    return (
        f"experts: {each.experts_done} of {each.experts} ({span(each.expert_interval)}); random: {held} of "
        f"{each.randoms} ({span(each.random_interval)})"
    )


def _probed(probe: Probe) -> _Case:
    outcome: tuple[tuple[str, str, str], ...] = ()
    if probe.passed is None:
        outcome = (("skipped", "", probe.said),)
    elif probe.rejects:
        outcome = (("failure", probe.name, probe.said),)
    verb = "" if probe.passed is None else "passes. " if probe.passed else "fails. " if probe.strict else "weak. "
    return _Case("probes", f"{probe.name}: {subject(probe)}", f"{verb}{probe.said}", outcome)


def _add(suite: ElementTree.Element, case: _Case, name: str) -> None:
    attributes = {"classname": _clean(f"{name}.{case.group}"), "name": _clean(case.name)}
    made = ElementTree.SubElement(suite, "testcase", attributes)
    for tag, kind, message in case.outcomes:
        typed = {"type": kind} if kind else {}
        ElementTree.SubElement(made, tag, {"message": _clean(message), **typed}).text = _clean(message)
    ElementTree.SubElement(made, "system-out").text = _clean(case.out)


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
