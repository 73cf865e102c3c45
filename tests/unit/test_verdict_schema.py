"""The schema of a verdict describes what the code writes, all of it and nothing else."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from car.bundle.form import as_json
from car.verify import Bar, Decision, Finding, Mistake, Probe, Rule, Split, Verdict, compared, observe
from car.verify.judge import judge
from car.verify.verdict import FORMAT, verdict_from
from tests.planted import doorkey as planted
from tests.unit.full_verdict import ACCEPTED, LONG, REHEARSAL, REJECTED, UNDECIDED
from tests.unit.refine.scripted import GOAL, KEY, InThisProcess, Script, program, told

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "verdict.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
FULL = [ACCEPTED, REJECTED, UNDECIDED, REHEARSAL]

Where = tuple[str | int, ...]


def written(verdict: Verdict) -> Any:
    """The verdict as its file holds it."""
    return json.loads(as_json(verdict.as_dict()))


def wrong(document: Any) -> list[str]:
    return [f"{list(each.path)}: {each.message}" for each in VALIDATOR.iter_errors(document)]


def check(verdict: Verdict) -> None:
    """Asserts that what is written fits the schema, and that nothing is lost on the way."""
    document = written(verdict)
    assert wrong(document) == []
    assert verdict_from(document) == verdict
    assert written(verdict_from(document)) == document


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["format"] == {"const": FORMAT}


@pytest.mark.parametrize("verdict", FULL, ids=["accepted", "rejected", "undecided", "rehearsal"])
def test_a_verdict_with_everything_in_it(verdict: Verdict) -> None:
    check(verdict)


def test_the_schema_knows_every_rule_and_every_kind_of_mistake() -> None:
    finding = SCHEMA["$defs"]["finding"]["properties"]
    assert finding["rule"]["enum"] == [each.value for each in Rule]
    assert finding["mistake"]["enum"] == [each.value for each in Mistake]
    assert SCHEMA["properties"]["decision"]["enum"] == [each.value for each in Decision]
    for rule in Rule:
        check(replace(REJECTED, findings=(Finding(rule, "rest", "It is so.", 1, 2),)))


SCRIPTS: dict[str, Script] = {
    "accepted": {},
    "early": {("checker", GOAL, 1): program(planted.GOAL_ONE_STEP_EARLY)},
    "always": {("checker", KEY, 1): program(planted.ALWAYS_TRUE)},
    "never": {("checker", KEY, 1): program(planted.ALWAYS_FALSE)},
    "crashes": {("checker", KEY, 1): program(planted.CRASHES_WHEN_DONE)},
    "impure": {("checker", KEY, 1): program(planted.KEEPS_STATE)},
    "no program": {("checker", KEY, 1): "no"},
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_a_generation_writes(name: str, doorkey: Split) -> None:
    draft = told(doorkey, SCRIPTS[name], attempts=1).draft
    assert draft.verdict.decision is (Decision.ACCEPTED if name == "accepted" else Decision.REJECTED)
    assert draft.rehearsal.decision is not Decision.ACCEPTED, "three experts are too few"
    for verdict in (draft.verdict, draft.rehearsal, draft.verdict.without_times()):
        check(verdict)


@pytest.mark.parametrize(("confidence", "decision"), [(None, "accepted"), (0.9, "undecided")])
def test_what_is_judged_with_a_confidence(confidence: float | None, decision: str, doorkey: Split) -> None:
    checkers = planted.chain()
    with InThisProcess().open(checkers) as session:
        seen = observe(session, doorkey.verdict)
    verdict = judge(checkers, seen, Bar(confidence=confidence))
    assert verdict.decision == decision
    assert (verdict.isolation is not None, written(verdict)["isolation"]["level"]) == (True, 0)
    check(verdict)
    check(replace(verdict, isolation=None))


def test_an_over_fitted_one() -> None:
    verdict = compared(REJECTED, ACCEPTED)
    assert Rule.OVER_FITTED in {each.rule for each in verdict.findings}
    check(verdict)


# What is not one


def objects(document: Any, where: Where = ()) -> Iterator[tuple[Where, dict[str, Any]]]:
    """Every object of a document whose fields are fixed, with the way to it."""
    if isinstance(document, dict):
        if where[-1:] not in (("values",), ("layers",)):
            yield where, document
        for name, each in document.items():
            yield from objects(each, (*where, name))
    elif isinstance(document, list) and document:
        yield from objects(document[0], (*where, 0))


def at(document: Any, where: Where) -> Any:
    for step in where:
        document = document[step]
    return document


DOCUMENTS = {each.decision: written(each) for each in (ACCEPTED, REJECTED, UNDECIDED)}
PLACES = [(name, where, fields) for name, document in DOCUMENTS.items() for where, fields in objects(document)]


def test_every_kind_of_object_is_among_the_places() -> None:
    kinds = {"".join(step for step in where if isinstance(step, str)) for _, where, _ in PLACES}
    assert kinds == {"", "subtasks", "chain", "findings", "needs", "probes", "isolation"}


@pytest.mark.parametrize(
    ("name", "where", "fields"), PLACES, ids=lambda each: None if isinstance(each, dict) else str(each)
)
def test_an_unknown_field_is_wrong(name: str, where: Where, fields: dict[str, Any]) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    at(document, where)["extra"] = 1
    assert any("'extra' was unexpected" in each for each in wrong(document)) or where == ("isolation",)
    assert wrong(document)


@pytest.mark.parametrize(
    ("name", "where", "field"), [(name, where, field) for name, where, fields in PLACES for field in fields]
)
def test_a_missing_field_is_wrong(name: str, where: Where, field: str) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    del at(document, where)[field]
    assert wrong(document)


@pytest.mark.parametrize(
    ("name", "where", "value"),
    [
        ("accepted", ("format",), "car-verdict/1"),
        ("accepted", ("accepted",), False),
        ("rejected", ("accepted",), True),
        ("rejected", ("findings",), []),
        ("undecided", ("needs",), []),
        ("undecided", ("decision",), "accepted"),
        ("accepted", ("decision",), "maybe"),
        ("accepted", ("chain", "expert_interval"), [0.1]),
        ("accepted", ("chain", "expert_interval"), [0.1, 0.2, 0.3]),
        ("accepted", ("chain", "random_interval"), [0.1, 1.2]),
        ("accepted", ("chain", "experts_done"), -1),
        ("accepted", ("chain", "experts_done"), 1.5),
        ("accepted", ("subtasks", 0, "checker_sha256"), "0" * 63),
        ("accepted", ("subtasks", 0, "expert_first"), [-1]),
        ("accepted", ("probes", 0, "values"), {"it": []}),
        ("accepted", ("probes", 0, "strict"), None),
        ("accepted", ("isolation", "level"), 4),
        ("rejected", ("findings", 0, "rule"), "ugly"),
        ("undecided", ("needs", 0, "who"), "nobody"),
        ("undecided", ("needs", 0, "more"), 0),
    ],
)
def test_a_wrong_value_is_wrong(name: str, where: Where, value: object) -> None:
    document = copy.deepcopy(DOCUMENTS[name])
    at(document, where[:-1])[where[-1]] = value
    assert wrong(document)


def test_the_values_of_a_probe_may_have_any_name() -> None:
    more = Probe("new", LONG, False, True, "It is.", {"a": 1.5, "b": None, "c": "text", "d": True})
    check(ACCEPTED.with_probes((more,)))


PAGE = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text("utf-8")


def test_the_page_describes_every_field_every_rule_and_every_mistake() -> None:
    kinds = (SCHEMA, *(each for each in SCHEMA["$defs"].values() if "properties" in each))
    words = {name for kind in kinds for name in kind["properties"]} | {each.value for each in (*Rule, *Mistake)}
    assert {word for word in words if f"`{word}`" not in PAGE} == set()


def test_the_page_pairs_each_rule_with_its_kind_of_mistake() -> None:
    for rule in Rule:
        mistake = Finding(rule, "", "").mistake
        assert any(f"`{rule}`" in line and f"| `{mistake}` |" in line for line in PAGE.splitlines()), rule


SHIPPED = sorted((Path(__file__).parents[2] / "generated_rewards").glob("*/*.json"))


@pytest.mark.parametrize("path", [each for each in SHIPPED if each.stem in ("verdict", "rehearsal")], ids=str)
def test_the_verdicts_that_ship(path: Path) -> None:
    assert wrong(json.loads(path.read_text("utf-8"))) == []
