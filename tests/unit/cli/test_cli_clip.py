"""`car clip`, and `car bench` with CLIP rewards."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers")

from car.cli import clip
from tests.unit.cli import planted_session


def car(*arguments: object) -> tuple[int, str, str]:
    done = planted_session.car(*arguments)
    return done.exit_code, done.stdout, done.stderr


def _told(*arguments: object) -> dict[str, Any]:
    code, said, notes = car(*arguments, "--json")
    assert code == 0, notes
    return json.loads(said)  # type: ignore[no-any-return]


def test_an_evaluation_measures_and_draws(tmp_path: Path) -> None:
    out = tmp_path / "evaluation"
    found = _told(
        "clip", "evaluate", "doorkey-5x5", "--template", "plain", "--template", "screenshot", "--alpha", "0",
        "--alpha", "0.5", "--episodes", "9", "--out", out,
    )  # fmt: skip
    assert [each["template"] for each in found["curves"]] == ["plain", "screenshot"]
    assert [each["alpha"] for each in found["distances"]] == [0.0, 0.5]
    assert found["curves"][0]["auc"] > 0.95
    assert [Path(each).is_file() for each in found["plots"]] == [True, True]
    assert json.loads((out / "clip.json").read_text("utf-8"))["task"] == "doorkey-5x5"


def test_a_calibration_can_be_trained_with() -> None:
    from car.rewards.clip import read_reference

    found = _told("clip", "calibrate", "doorkey-5x5", "--episodes", "18", "--negatives", "4")
    settings = read_reference(found["reward"])
    assert (settings.tau, settings.beta) == (found["tau"], found["beta"])
    assert len(settings.negative) == 4
    assert found["precision"] > 0.9


def test_tables_are_for_people() -> None:
    code, said, _ = car("clip", "calibrate", "doorkey-5x5", "--episodes", "18")
    assert code == 0
    assert "F0.5" in said
    assert "Next: car train doorkey-5x5 --reward 'clip-softmax:worlds?" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate", "doorkey-5x5", "--model", "nothing"), "There is no CLIP 'nothing'"),
        (("evaluate", "doorkey-5x5", "--alpha", "2", "--episodes", "6"), "alpha is 2.0; it must be 0 to 1"),
        (("evaluate", "doorkey-5x5", "--template", "none"), "There is no template 'none'"),
        (("evaluate", "doorkey-5x5", "--goal", " "), "A prompt of the goal is empty"),
        (("calibrate", "doorkey-5x5", "--negatives", "0"), "it takes at least one"),
        (("calibrate", "doorkey-5x5", "--model", "a/b", "--model", "c/d"), "give --model once"),
        (("train", "--size", "xxl"), "There is no size of CLIP 'xxl'"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    code, _, notes = car("clip", *arguments)
    assert code == 2
    assert said in " ".join(notes.split())
    assert notes.count("error:") == 1


def test_what_was_trained_is_shown_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training itself has tests of its own."""
    made: list[tuple[object, ...]] = []

    def make(sizes, seeds, frames, steps, threads, out, advance):
        from car.clip.making import Made

        made.append((tuple(sizes), tuple(seeds), frames, steps))
        return [Made(str(out / size), size, 0, 1000, frames, steps, 1.0, 0.9, 0.8, 0.7, {}) for size in sizes]

    monkeypatch.setattr("car.clip.making.make_clips", make)
    found = _told("clip", "train", "--size", "xs", "--size", "s", "--seeds", "2", "--steps", "10", "--out", tmp_path)
    assert made == [(("xs", "s"), (0, 1), 12_000, 10)]
    assert [each["goal_auc"] for each in found["models"]] == [0.9, 0.9]


def test_the_words_for_people_do_not_break() -> None:
    assert "zero-shot" in (clip.train.__doc__ or "")


def test_a_benchmark_has_clip_rewards_as_rows_and_says_how_right_they_are(tmp_path: Path) -> None:
    out = tmp_path / "bench"
    arguments = (
        "bench", "doorkey-6x6", "--reward", "sparse", "--reward", "generated", "--reward", "clip-cosine",
        "--reward", "clip-gated", "--seeds", "1", "--steps", "256", "--jobs", "1", "--out", out,
    )  # fmt: skip
    found = _told(*arguments)
    assert [each["label"] for each in found["rows"]] == ["sparse", "generated", "clip-cosine", "clip-gated"]
    quality = {each["label"]: each for each in found["quality"]}
    assert set(quality) == {"generated", "clip-cosine", "clip-gated"}
    for each in quality.values():
        parts = {part["name"]: part for part in each["parts"]}
        assert set(parts) == {"key-picked-up", "door-open", "goal"}
        assert parts["goal"]["precision"] > 0.9
        assert each["frames_per_second"] > 0
    assert "precision" in (out / "bench.md").read_text("utf-8")
    before = (out / "quality.json").read_bytes()
    assert _told(*arguments)["quality"] == found["quality"]
    assert (out / "quality.json").read_bytes() == before
    (out / "quality.json").write_text("[{}]")
    code, _, notes = car(*arguments)
    assert code == 2
    assert "quality.json is damaged" in " ".join(notes.split())
