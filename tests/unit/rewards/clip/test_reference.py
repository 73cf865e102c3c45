"""A CLIP reward in one line."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from car.errors import UnknownName, UserError
from car.rewards.clip import ClipSettings, is_clip, read_reference

sentences = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool)
prompts = st.lists(sentences, max_size=3).map(tuple)
shares = st.floats(0, 1)
models = st.one_of(
    st.sampled_from(["worlds", "ViT-B-32/openai", "/my models/clip #1", "./ü?&=+%20/b", "C:/clips", "a/b.safetensors"]),
    sentences,
)


@st.composite
def settings(draw: st.DrawFn) -> ClipSettings:
    goal, baseline, negative = draw(prompts), draw(prompts), draw(prompts)
    fields: dict[str, Any] = {
        "model": draw(models),
        "goal": goal,
        "baseline": tuple(each for each in baseline if each not in goal),
        "stretch": draw(st.booleans()),
    }
    if draw(st.booleans()):
        return ClipSettings("clip-cosine", **fields, alpha=draw(shares), gate=draw(st.sampled_from(["", "a/b &c"])))
    return ClipSettings(
        "clip-softmax",
        **fields,
        negative=tuple(each for each in negative if each not in goal),
        negatives=draw(st.integers(1, 99)),
        seed=draw(st.integers(0, 2**40)),
        tau=draw(st.floats(1e-9, 1e9)),
        beta=draw(shares),
        template=draw(st.sampled_from([(), ("open",), ("a & b = [TASK]?", "plain")])),
        end=draw(st.booleans()),
    )


@given(settings())
def test_what_is_written_is_read_again(made: ClipSettings) -> None:
    assert read_reference(made.reference) == made
    assert read_reference(made.reference).reference == made.reference
    assert is_clip(made.reference)
    assert "\n" not in made.reference
    assert made.reference.isascii()


@pytest.mark.parametrize(
    "goal",
    ["a & b = c?", "100 % sure", "1 + 1", "%20", "die Tür ist öffen – ja", "鍵", "a;b#c", "quo\"te's", "a\nb", "\\"],
)
def test_odd_characters_in_a_prompt_come_through(goal: str) -> None:
    made = ClipSettings("clip-softmax", model="/tmp/my models/ü?", goal=(goal, "other"), negative=("&negative=",))
    again = read_reference(made.reference)
    assert (again.model, again.goal, again.negative) == ("/tmp/my models/ü?", (goal, "other"), ("&negative=",))


def test_a_line_that_a_person_writes() -> None:
    read = read_reference("clip-cosine:ViT-B-32/openai?goal=the door is open&goal=door%20up&baseline=a+door&alpha=0.3")
    assert read == ClipSettings(
        "clip-cosine", "ViT-B-32/openai", ("the door is open", "door up"), ("a door",), alpha=0.3
    )
    assert read_reference("clip-softmax:worlds?end=TRUE&negatives=3&stretch=false") == ClipSettings(
        "clip-softmax", end=True, negatives=3
    )


def test_without_a_model_it_is_the_one_that_comes_with_the_package() -> None:
    assert read_reference("clip-cosine").model == read_reference("clip-cosine:").model == "worlds"
    assert ClipSettings("clip-cosine").reference == "clip-cosine:worlds"


def test_what_is_as_by_default_is_not_written() -> None:
    made = ClipSettings("clip-softmax", goal=(" x ",), tau=ClipSettings.tau, beta=0.9)
    assert made.reference == "clip-softmax:worlds?beta=0.9&goal=x"
    assert made.as_dict() == {"kind": "clip-softmax", "model": "worlds", "goal": ["x"], "beta": 0.9}
    assert ClipSettings("clip-cosine", "a").as_dict() == {"kind": "clip-cosine", "model": "a"}


@given(settings())
def test_the_fields_are_json_and_make_it_again(made: ClipSettings) -> None:
    fields = json.loads(json.dumps(made.as_dict()))
    assert ClipSettings(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}) == made


def test_other_settings_go_before_those_of_the_line() -> None:
    line = "clip-cosine:m?goal=a&alpha=0.5&baseline=b"
    read = read_reference(line, {"goal": ("c",), "alpha": 0.25, "baseline": None})
    assert (read.goal, read.alpha, read.baseline) == (("c",), 0.25, ("b",))
    with pytest.raises(UserError, match=r"A clip-cosine reward has no beta; it has: alpha, baseline, gate, goal"):
        read_reference(line, {"beta": 0.25})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("clip-dance:worlds", "There is no kind of CLIP reward 'clip-dance'. There are: clip-cosine, clip-softmax."),
        ("clip-cosine:m?gaol=x", "There is no parameter of clip-cosine 'gaol'. There are: alpha, baseline, gate, goal"),
        ("clip-cosine:m?beta=0.5", "There is no parameter of clip-cosine 'beta'."),
        ("clip-softmax:m?alpha=0.5", "There is no parameter of clip-softmax 'alpha'."),
        ("clip-cosine:m?alpha=much", "The parameter alpha = 'much' of a CLIP reward must be a number."),
        ("clip-cosine:m?alpha=", "The parameter alpha = '' of a CLIP reward must be a number."),
        ("clip-cosine:m?alpha=0.1&alpha=0.2", "The parameter alpha of a CLIP reward is given 2 times."),
        ("clip-softmax:m?negatives=2.5", "The parameter negatives = '2.5' of a CLIP reward must be a whole number."),
        ("clip-softmax:m?end=maybe", "The parameter end = 'maybe' of a CLIP reward must be true or false."),
        ("clip-cosine:m?alpha=1.5", "alpha is 1.5; it must be 0 to 1."),
        ("clip-cosine:m?alpha=-0.1", "alpha is -0.1; it must be 0 to 1."),
        ("clip-cosine:m?alpha=nan", "alpha is nan; it must be 0 to 1."),
        ("clip-softmax:m?beta=1.01", "beta is 1.01; it must be 0 to 1."),
        ("clip-softmax:m?tau=0", "tau is 0.0; it must be a positive number."),
        ("clip-softmax:m?tau=nan", "tau is nan; it must be a positive number."),
        ("clip-softmax:m?tau=inf", "tau is inf; it must be a positive number."),
        ("clip-softmax:m?negatives=0", "0 negatives, seed 0: it takes at least one, and a seed from 0."),
        ("clip-softmax:m?seed=-1", "8 negatives, seed -1: it takes at least one, and a seed from 0."),
        ("clip-cosine:m?goal=", "A prompt of the goal is empty; say in words what a frame shows."),
        ("clip-cosine:m?goal=a&goal=+", "A prompt of the goal is empty"),
        ("clip-cosine:m?goal=a&baseline=%09", "A prompt of the baseline is empty"),
        ("clip-softmax:m?goal=a&negative=", "A prompt of the negative is empty"),
        ("clip-cosine:m?goal=a&baseline=a", "'a' is the goal and also its baseline; say something else for one."),
        ("clip-softmax:m?goal=a&goal=b&negative=c&negative=b+", "'b' is the goal and also its negative"),
        ("clip-softmax:m?template=nothing", "There is no template 'nothing'"),
        ("clip-softmax:m?gate=g&end=true", "A gated CLIP ends no episode: its milestones are those of the programs."),
    ],
)
def test_a_line_that_cannot_be_is_one_sentence(line: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read_reference(line)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_only_a_line_with_its_kind_is_a_clip_reward(tmp_path: Path) -> None:
    assert all(map(is_clip, ("clip-cosine", "clip-softmax:", "clip-cosine:a?goal=b", "clip-softmax:a:b")))
    others = ("clip", "clip-cosine-2:a", "module:attribute", "sparse", "", tmp_path, None, 3, "a/clip-cosine:b")
    assert not any(map(is_clip, others))


def test_a_changed_setting_is_checked_too() -> None:
    made = ClipSettings("clip-cosine", goal=("a",))
    with pytest.raises(UserError, match="also its baseline"):
        dataclasses.replace(made, baseline=("a",))
    with pytest.raises(UnknownName, match="There is no kind of CLIP reward 'cosine'"):
        dataclasses.replace(made, kind="cosine")
