"""What a reply that names sub-tasks becomes, or the sentence that goes back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.refine import Decomposition, decomposition_in
from car.refine.decomposition import readable


def _reply(*entries: Any, goal: Any = "Reach the green square.") -> str:
    return f"Aloud.\n\n```json\n{json.dumps({'goal': goal, 'subtasks': list(entries)})}\n```\nDone."


def _entry(name: Any = "take-the-key", description: Any = "The key is gone.", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": description, **more}


def test_reads_the_goal_and_the_subtasks_in_order() -> None:
    found = decomposition_in(_reply(_entry("Take the KEY!"), _entry("open", "It is open.", after=["take the key"])))
    assert isinstance(found, Decomposition)
    assert found.goal == "Reach the green square."
    assert [(each.name, each.after, each.goal) for each in found.subtasks] == [
        ("take-the-key", (), False),
        ("open", ("take-the-key",), True),
    ]


def test_the_goal_comes_after_all_others_whatever_it_says() -> None:
    found = decomposition_in(_reply(_entry("a"), _entry("b"), _entry("goal", after=["b"])))
    assert isinstance(found, Decomposition)
    assert found.subtasks[-1].after == ("a", "b")


@pytest.mark.parametrize(
    "reply",
    [
        '{"goal": "g", "subtasks": [{"name": "a", "description": "d"}]}',
        'Aloud {"goal": "g", "subtasks": [{"name": "a", "description": "d"}]} and more.',
        '```\n{"goal": "g", "subtasks": [{"name": "a", "description": "d"}]}\n```',
        '```json\n{"draft": 1}\n```\n```json\n{"goal": "g", "subtasks": [{"name": "a", "description": "d"}]}\n```',
    ],
    ids=["bare", "in a sentence", "unnamed fence", "the last of two"],
)
def test_finds_the_json_wherever_it_is(reply: str) -> None:
    assert isinstance(decomposition_in(reply), Decomposition)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("", "no valid JSON block"),
        ("I would rather not.", "no valid JSON block"),
        ("```json\n{broken\n```", "no valid JSON block"),
        ("```json\n" + "[" * 100_000 + "\n```", "nested too deeply"),
        ("```json\n[1]\n```", "must be an object"),
        (_reply(_entry(), goal=None), 'no text under "goal"'),
        (_reply(_entry(), goal="  "), 'no text under "goal"'),
        (_reply(_entry(), goal="a\x02b\x03"), 'under "goal" holds control characters'),
        (_reply(), 'no list under "subtasks"'),
        ('```json\n{"goal": "g", "subtasks": "a, b"}\n```', 'no list under "subtasks"'),
        (_reply(*[_entry(f"step {n}") for n in range(9)]), "There are 9 sub-tasks; use at most 8"),
        (_reply("take the key"), "must be an object with the texts name and description"),
        (_reply(_entry(name=3)), "must be an object with the texts name and description"),
        (_reply(_entry(name="!?")), "'!?' has no letters"),
        (_reply(_entry(description=" ")), "'take-the-key' has no description"),
        (_reply(_entry(description="first \x02first frame\x03")), "'take-the-key' holds control characters"),
        (_reply(_entry(description="\ud800")), "'take-the-key' holds control characters"),
        (_reply(_entry("a"), _entry("A!")), "Two sub-tasks have the name 'a'"),
        (_reply(_entry(after="b")), "must be a list of names"),
        (_reply(_entry("a", after=["b"]), _entry("b")), "'b', which is not a sub-task before it"),
        (_reply(_entry("a", after=["a"]), _entry("b")), "'a', which is not a sub-task before it"),
    ],
)
def test_says_in_one_sentence_why_there_is_none(reply: str, said: str) -> None:
    found = decomposition_in(reply)
    assert isinstance(found, str)
    assert said in found


@given(st.text())
def test_whatever_comes_is_a_decomposition_or_a_sentence(reply: str) -> None:
    assert isinstance(decomposition_in(reply), str | Decomposition)


@given(st.text())
def test_readable_text_can_be_written_and_loses_only_what_cannot_be_read(text: str) -> None:
    left = readable(text)
    left.encode("utf-8")
    assert not any(each < " " and each not in "\t\n" for each in left)
    assert [each for each in text if each.isprintable()] == [each for each in left if each.isprintable()]
