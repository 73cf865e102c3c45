"""The tool that tests the verifier: what it changes, what it leaves alone, and how it counts."""

import ast
from pathlib import Path

import pytest

from car.sandbox.process import ProcessSandbox
from car.verify import Rule, Split
from tests.planted import doorkey as planted
from tools.mutants.case import Case, SetSize
from tools.mutants.found import finds_the_same
from tools.mutants.judge_all import CERTAIN, judged, replaced, try_mutant
from tools.mutants.mutate import SWAPPED, Mutant, mutants_of, swapped
from tools.mutants.page import page
from tools.mutants.reach import keys_read, lean
from tools.mutants.report import count, grouped, kill_rate
from tools.mutants.results import Differs, Outcome, Result, append, key_of, load
from tools.mutants.run import Job, drawn


def _made(body: str, operator: str, before: str = "") -> set[str]:
    """What an operator makes of the body of `check`, each on one line."""
    source = f"{before}\n\ndef check(found, current):\n    {body}\n"
    original = ast.unparse(ast.parse(source))
    made = [each for each in mutants_of(source) if each.operator == operator]
    assert all(ast.unparse(ast.parse(each.source)) != original for each in made)
    return {each.after.strip() for each in made}


@pytest.mark.parametrize(
    ("operator", "body", "expected"),
    [
        (
            "number",
            "return found > f(300)",
            {f"return found > f({each})" for each in ("301", "299", "600", "150", "0", "-300")},
        ),
        ("number", "return found > f(0.5)", {f"return found > f({each})" for each in ("1.0", "0.25", "0.0", "-0.5")}),
        (
            "colour bound",
            "return bool(current > 200)",
            {f"return bool(current > {each})" for each in ("216", "184", "136")},
        ),
        (
            "colour bound",
            "return g([0, 255, 100])",
            {
                f"return g([{each}])"
                for each in (
                    "16, 255, 100",
                    "64, 255, 100",
                    "0, 239, 100",
                    "0, 191, 100",
                    "0, 255, 116",
                    "0, 255, 84",
                    "0, 255, 164",
                    "0, 255, 36",
                )
            },
        ),
        ("channel", "return f(current[..., 0])", {"return f(current[..., 1])", "return f(current[..., 2])"}),
        ("channel", "return f(current[0, 0])", set()),
        (
            "axis",
            "return current.max(axis=-1)",
            {f"return current.max(axis={each})" for each in (0, 1, 2)},
        ),
        (
            "axis",
            "return current.max(axis=(2, 3))",
            {f"return current.max(axis={each})" for each in ("(3,)", "(2,)", "(0, 3)", "(1, 3)", "(2, 0)", "(2, 1)")},
        ),
        (
            "comparison",
            "return found < current",
            {f"return found {each} current" for each in ("<=", ">", ">=", "==", "!=")},
        ),
        ("comparison", "return found is None", {"return found is not None"}),
        ("arithmetic", "return found + current", {"return found - current", "return found * current"}),
        ("arithmetic", "return found // current", {"return found * current", "return found % current"}),
        ("arithmetic", "return f(-found)", {"return f(found)"}),
        ("and/or", "return found and current", {"return found or current"}),
        ("and/or", "return found & current", {"return found | current"}),
        ("dropped operand", "return found & current", {"return found", "return current"}),
        (
            "dropped operand",
            "return f(found and current and g)",
            {"return f(current and g)", "return f(found and g)", "return f(found and current)"},
        ),
        ("negation", "return f(~current)", {"return f(current)"}),
        ("negation", "return found == 3", {"return not found == 3"}),
        ("negation", "return 1 if found else 2", {"return 1 if not found else 2"}),
        ("flag", "f(True); return found", {"f(False)"}),
        ("returned constant", "return found", {"return True", "return False"}),
    ],
)
def test_each_operator_makes_what_it_says(operator: str, body: str, expected: set[str]) -> None:
    assert _made(body, operator) == expected


def test_identify_may_return_what_it_got() -> None:
    made = _made("return found == 3", "returned constant", "def identify(initial):\n    return initial.sum()")
    assert {"return initial", "return None"} <= made


def test_statements_are_dropped_but_not_the_only_assignment_to_a_name() -> None:
    source = "def check(found, current):\n    a = 1\n    b = 2\n    if found:\n        b = 3\n    return a < b\n"
    made = {each.lean for each in mutants_of(source) if each.operator == "dropped statement"}
    assert all("a = 1" in each for each in made)
    assert any("b = 2" not in each and "b = 3" in each for each in made)
    assert any("if found" not in each for each in made)


def test_a_mutant_says_where_it_differs() -> None:
    source = "LIMIT = 3\n\n\ndef check(found, current):\n    return bool(current < LIMIT)\n"
    (made,) = [each for each in mutants_of(source) if each.after == "LIMIT = 6"]
    assert (made.operator, made.line, made.before, made.in_check) == ("number", 1, "LIMIT = 3", True)
    assert mutants_of(source) == mutants_of(source)


def test_no_two_mutants_are_the_same_program() -> None:
    made = mutants_of(planted.RIGHT_KEY)
    assert len({each.lean for each in made}) == len(made) > 100


def test_what_identify_and_check_cannot_reach_is_not_changed() -> None:
    source = planted.RIGHT_GOAL + "\n\nSPARE = 7\n\n\ndef spare():\n    return SPARE\n"
    start = source[: source.index("def progress")].count("\n")
    made = mutants_of(source)
    assert made
    assert all(0 < each.line <= start for each in made)
    assert all("SPARE = 7" in each.source for each in made)
    assert "progress" not in ast.unparse(lean(ast.parse(source)))


def test_reaches_what_is_filled_at_the_top_level() -> None:
    source = (
        "TABLE = [1]\nTABLE[0] = 5\nOTHER = 3\n\n\ndef check(found, current):\n    return bool(current < TABLE[0])\n"
    )
    small = ast.unparse(lean(ast.parse(source)))
    assert "TABLE[0] = 5" in small
    assert "OTHER" not in small


def test_which_entries_check_may_read() -> None:
    source = (
        "def identify(initial):\n    return {'a': 1, 'b': 2}\n\n\ndef check(found, current):\n    return found['a']\n"
    )
    assert keys_read(ast.parse(source)) == {"a"}
    assert keys_read(ast.parse(source.replace("found['a']", "all(found.values())"))) is None


@pytest.fixture(scope="module")
def case(doorkey: Split) -> Case:
    """The planted chain; what the refinement would see is the independent set."""
    subtasks = (planted.KEY, planted.DOOR, planted.GOAL)
    return Case("planted", planted.chain(), subtasks, doorkey.verdict, doorkey.refine, ProcessSandbox())


def _mutant(source: str, in_check: bool = True) -> Mutant:
    return Mutant("by hand", 1, "", "", source, ast.unparse(lean(ast.parse(source))), in_check)


def test_the_original_survives(case: Case) -> None:
    verdict = judged(case, 0, case.checkers[0])
    assert verdict.findings == ()


def test_a_gross_mutant_is_killed(case: Case) -> None:
    result = try_mutant(case, 0, _mutant(planted.INVERTED_KEY), "key", "verifier")
    assert (result.outcome, result.rules) == (Outcome.KILLED, (str(Rule.TRUE_AT_START),))
    assert (result.bundle, result.subtask, result.key) == ("planted", planted.KEY.name, "key")


def test_a_rule_that_more_episodes_may_put_right_ends_nothing_early() -> None:
    assert not CERTAIN & {Rule.FALSE_GOAL, Rule.TOO_EASY, Rule.DUPLICATE, Rule.CHAIN_ON_RANDOM}


def test_the_program_of_another_subtask_is_killed(case: Case) -> None:
    mutants = list(swapped(case.checkers, 1))
    assert [each.operator for each in mutants] == [SWAPPED, SWAPPED]
    assert [try_mutant(case, 1, each, "", "").outcome for each in mutants] == [Outcome.KILLED] * 2


def test_equivalents_are_set_aside(case: Case) -> None:
    same = planted.RIGHT_DOOR.replace("< 40", "<= 39")
    assert try_mutant(case, 1, _mutant(same), "", "").outcome is Outcome.EQUIVALENT


def test_equal_findings_are_equivalent_without_a_look_at_the_frames(case: Case) -> None:
    same = planted.RIGHT_DOOR.replace("> 55", "> 56")
    assert finds_the_same(case, planted.RIGHT_DOOR, same)
    assert not finds_the_same(case, planted.RIGHT_DOOR, planted.RIGHT_DOOR.replace("row, column\n", "column, row\n"))
    assert try_mutant(case, 1, _mutant(same, in_check=False), "", "").outcome is Outcome.EQUIVALENT


def test_a_survivor_says_where_it_differs(case: Case) -> None:
    """Far too late to be noticed: it forgets that the door was opened once the agent stands on the goal."""
    forgets = (
        planted.RIGHT_DOOR.replace("return bool(", "return bool(not (red(current) & green(found[2])).any() and ")
        .replace("row, column = found", "row, column = found[:2]")
        .replace("return door_tile(initial)", "return (*door_tile(initial), initial)")
    )
    result = try_mutant(case, 1, _mutant(forgets), "", "")
    assert result.outcome is Outcome.SURVIVED
    assert result.held_out.frames >= 12
    assert result.held_out.episodes == 0


def test_only_the_changed_column_is_replaced(case: Case) -> None:
    seen = case.seen[0]
    other = replaced(seen, 1, case.seen[0])
    assert (other.done[:, 1] == seen.done[:, 0]).all()
    assert (other.done[:, [0, 2]] == seen.done[:, [0, 2]]).all()


def _result(outcome: Outcome, **more: object) -> Result:
    fields = {
        "key": "k",
        "verifier": "v",
        "bundle": "b",
        "subtask": "s",
        "operator": "number",
        "line": 3,
        "before": "x",
        "after": "y",
    }
    return Result(**{**fields, "outcome": outcome, **more})  # type: ignore[arg-type]


def test_results_are_kept_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.jsonl"
    kept = _result(Outcome.SURVIVED, rules=("a",), fresh=Differs(3, 1, 0, 1, 0))
    append(path, kept)
    append(path, _result(Outcome.KILLED, key="torn"))
    path.write_text(path.read_text()[:-20])
    assert load(path, "v") == {"k": kept}
    append(path, _result(Outcome.KILLED, key="next"))
    assert list(load(path, "v")) == ["k", "next"]
    assert load(tmp_path / "nothing.jsonl", "v") == {}


def test_what_another_verifier_said_counts_for_equivalents_only(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    for outcome in Outcome:
        append(path, _result(outcome, key=str(outcome)))
    assert list(load(path, "another")) == ["equivalent"]


def test_another_program_chain_or_set_gives_another_key() -> None:
    one, other = _mutant(planted.RIGHT_KEY), _mutant(planted.INVERTED_KEY)
    chain, changed = planted.chain(), planted.chain(goal=planted.ANY_MOVEMENT)
    keys = {key_of(chain, 0, one, "a"), key_of(chain, 0, other, "a"), key_of(chain, 1, one, "a")}
    assert len(keys | {key_of(changed, 0, one, "a"), key_of(chain, 0, one, "b")}) == 5


def test_a_higher_limit_draws_the_same_and_more() -> None:
    jobs = [Job("b", 0, _mutant(planted.RIGHT_KEY), str(number)) for number in range(50)]
    few, many = ({each.key for each in drawn(jobs, limit)} for limit in (5, 20))
    assert few < many
    assert (len(few), len(many)) == (5, 20)
    assert drawn(jobs, None) == jobs


def test_equivalents_do_not_count() -> None:
    results = [_result(Outcome.KILLED)] * 3 + [_result(Outcome.SURVIVED)] + [_result(Outcome.EQUIVALENT)] * 6
    counted = count("all", results)
    assert (counted.made, counted.judged, counted.survived) == (10, 4, 1)
    assert counted.rate == "75.0% (19.4% to 99.4%)"
    assert kill_rate(results) == 0.75
    assert kill_rate(results[4:]) == 1.0


@pytest.mark.parametrize(
    ("held_out", "fresh", "why"),
    [
        (Differs(5), Differs(5), "pays the same"),
        (Differs(), Differs(5, 1), "answers alike on everything that the verdict saw"),
        (Differs(2), Differs(5, 1), "pays the same on everything that the verdict saw"),
        (Differs(2, 1), Differs(5, 1), "pays otherwise on experts, and breaks no rule"),
        (Differs(2, 0, 1), Differs(5, 1), "pays otherwise on random episodes alone, and breaks no rule"),
    ],
)
def test_survivors_are_grouped_by_why(held_out: Differs, fresh: Differs, why: str) -> None:
    assert list(grouped([_result(Outcome.SURVIVED, held_out=held_out, fresh=fresh)])) == [why]


def test_the_page_holds_the_figures_and_every_survivor() -> None:
    survivor = _result(Outcome.SURVIVED, held_out=Differs(2), fresh=Differs(4321, 1))
    text = page([_result(Outcome.KILLED, rules=("crashes",)), survivor], [SetSize("b", 60, 150, 96000, 12345)], 5000)
    for figure in ("5,000", "drawn evenly", "12,345", "4,321", "50.0%", "- x", "+ y", "crashes"):
        assert figure in text
