"""A session as the command line runs it: journalled, perhaps recorded, with its provenance."""

from pathlib import Path

import numpy as np
import pytest

from car.errors import BadRecording, MissingKey, UnknownName
from car.generation import provenance_of, put_aside, session_with
from car.prompts import GoalPrompt, Scene, request_for
from car.refine import generate
from car.verify import Split
from car.vlm import Reply, Request
from car.vlm.journal import Journal
from car.vlm.recording import Exchange, Recorder, Recording, load_recording, save_recording
from car.vlm.replay import ReplayVLM
from tests.unit.refine.scripted import RIGHT, InThisProcess, Scripted, told


@pytest.fixture
def request_() -> Request:
    frame = np.zeros((8, 8, 3), np.uint8)
    return request_for(GoalPrompt(Scene(frame, frame)))


@pytest.fixture
def recording(tmp_path: Path, request_: Request) -> Path:
    path = tmp_path / "session.json"
    exchange = Exchange.of(request_, Reply("The goal.", model="some-model-1"))
    save_recording(Recording("Made in a test.", "some-model-1", (exchange,)), path)
    return path


def test_a_replay_needs_no_journal(tmp_path: Path, recording: Path, request_: Request) -> None:
    vlm = session_with(f"replay/{recording}", tmp_path / "journal")
    assert isinstance(vlm, ReplayVLM)
    assert vlm.ask(request_).text == "The goal."
    assert not (tmp_path / "journal").exists()


def test_a_strict_replay_refuses_another_prompt(tmp_path: Path, recording: Path) -> None:
    frame = np.ones((8, 8, 3), np.uint8)
    other = request_for(GoalPrompt(Scene(frame, frame)))
    assert session_with(f"replay/{recording}", tmp_path).ask(other).note
    with pytest.raises(BadRecording, match="made with another prompt"):
        session_with(f"replay/{recording}", tmp_path, strict=True).ask(other)


def test_any_other_way_is_journalled(tmp_path: Path) -> None:
    assert isinstance(session_with("manual", tmp_path / "journal"), Journal)
    assert (tmp_path / "journal").is_dir()


def test_a_session_is_recorded_on_request(tmp_path: Path, recording: Path, request_: Request) -> None:
    vlm = session_with(f"replay/{recording}", tmp_path, record=tmp_path / "copy.json", made="Copied in a test.")
    assert isinstance(vlm, Recorder)
    vlm.ask(request_)
    copy = load_recording(tmp_path / "copy.json")
    assert (copy.made, copy.model, len(copy.exchanges)) == ("Copied in a test.", "some-model-1", 1)


def test_what_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(UnknownName):
        session_with("oracle/delphi", tmp_path)
    with pytest.raises(UnknownName):
        session_with("replay/nothing-of-that-name", tmp_path)
    with pytest.raises(MissingKey, match="OPENAI_API_KEY"):
        session_with("openai/some-model", tmp_path)


def test_the_provenance_of_a_live_session(doorkey: Split) -> None:
    run = told(doorkey)
    made = provenance_of(run.vlm, run.draft)
    assert (made.vlm, made.models, made.made) == ("scripted/planted", ("planted-1",), "")


def test_the_provenance_of_a_replay_says_how_it_was_recorded(doorkey: Split, tmp_path: Path) -> None:
    path = tmp_path / "doorkey.json"
    generate(doorkey, Recorder(Scripted(), path, "Planted by hand."), InThisProcess())
    vlm = session_with(f"replay/{path}", tmp_path, strict=True)
    draft = generate(doorkey, vlm, InThisProcess())
    assert draft.verdict.accepted
    assert len(draft.attempts) == len(RIGHT)
    made = provenance_of(vlm, draft)
    assert (made.vlm, made.models, made.made) == ("replay/doorkey", ("planted-1",), "Planted by hand.")


def test_a_journal_is_put_aside_and_never_lost(tmp_path: Path) -> None:
    journal = tmp_path / "doorkey"
    for number in (1, 2, 3):
        journal.mkdir()
        (journal / "reply.json").write_text(str(number))
        assert put_aside(journal) == tmp_path / f"doorkey.{number}"
        assert not journal.exists()
        # Whoever clears up among them must not be in the way.
        (tmp_path / "doorkey.1" / "reply.json").unlink(missing_ok=True)
    assert [(tmp_path / f"doorkey.{number}" / "reply.json").read_text() for number in (2, 3)] == ["2", "3"]
    (tmp_path / "doorkey.2" / "reply.json").unlink()
    (tmp_path / "doorkey.2").rmdir()
    journal.mkdir()
    assert put_aside(journal) == tmp_path / "doorkey.4"
