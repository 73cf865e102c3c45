import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import question

from car.errors import BadRecording
from car.vlm import Finish, Reply, Request, Usage
from car.vlm.recording import Exchange, Recorder, Recording, load_recording, save_recording

REPLY = Reply("def check(found, current): ...\n", Finish.TRUNCATED, Usage(7, 3), "some-model-1", "A note.")


class Parrot:
    """Repeats the last part of the request."""

    name = "parrot/1"

    def __init__(self, model: str = "polly") -> None:
        self.model, self.heard = model, list[Request]()

    def ask(self, request: Request) -> Reply:
        self.heard.append(request)
        return Reply(str(request.parts[-1]), usage=Usage(1, 1), model=self.model)


def test_a_recording_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    exchanges = (Exchange.of(question("a"), REPLY), Exchange.of(question("b", "checker", "key", 2), Reply("\ud83d")))
    recording = Recording("Answered by hand.", "some-model-1", exchanges)
    save_recording(recording, tmp_path / "a.json")
    assert load_recording(tmp_path / "a.json") == recording


def test_the_file_is_as_documented(tmp_path: Path) -> None:
    Recorder(Parrot(), tmp_path / "a.json", "Made in a test.").ask(question("Why?", "refine", "key", 2))
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "format": "car-recording/1",
        "made": "Made in a test.",
        "model": "polly",
        "exchanges": [
            {
                "request_sha256": question("Why?").sha256,
                "stage": "refine",
                "subject": "key",
                "attempt": 2,
                "finish": "complete",
                "model": "polly",
                "usage": {"input_tokens": 1, "output_tokens": 1},
                "text": "Why?",
            }
        ],
    }


def test_records_every_reply_at_once_and_no_request_twice(tmp_path: Path) -> None:
    path, parrot = tmp_path / "folder" / "a.json", Parrot()
    recorder = Recorder(parrot, path, "Made in a test.")
    assert not path.exists()
    for number, text in enumerate(["a", "b", "b"], start=1):
        assert recorder.ask(question(text)).text == text
        assert len(load_recording(path).exchanges) == min(number, 2)
    assert len(parrot.heard) == 3


def test_continues_a_file_and_says_how_both_parts_were_made(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    Recorder(Parrot("first"), path, "Answered by hand.").ask(question("a"))
    Recorder(Parrot("second"), path, "Answered by a parrot.").ask(question("b"))
    recorder = Recorder(Parrot("third"), path, "Answered by hand.")
    recorder.ask(question("a"))
    recording = load_recording(path)
    assert recording == recorder.recording
    assert recording.made == "Answered by hand. Answered by a parrot."
    assert recording.model == "first"
    assert [(exchange.reply.text, exchange.reply.model) for exchange in recording.exchanges] == [
        ("a", "third"),
        ("b", "second"),
    ]


def test_a_provider_that_names_no_model_is_recorded_under_its_own_name(tmp_path: Path) -> None:
    Recorder(Parrot(""), tmp_path / "a.json", "Made.").ask(question())
    assert load_recording(tmp_path / "a.json").model == "parrot/1"


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match=r"none\.json cannot be read: No such file"):
        load_recording(tmp_path / "none.json")


@pytest.mark.parametrize("data", [b"", b'{"format": "car-rec', b"\xff\xfe"])
def test_what_is_not_json_is_damaged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(BadRecording, match=r"a\.json is damaged: it is not JSON"):
        load_recording(tmp_path / "a.json")


@pytest.mark.parametrize("values", [[], {}, {"format": "car-recording/2"}, "car-recording/1"])
def test_another_format_is_refused(tmp_path: Path, values: object) -> None:
    (tmp_path / "a.json").write_text(json.dumps(values))
    with pytest.raises(BadRecording, match=r"is not a recording that this version reads.*'car-recording/1'"):
        load_recording(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda values: values.pop("made"), "'made' is missing or not of type str"),
        (lambda values: values.update(exchanges={}), "'exchanges' is missing or not of type list"),
        (lambda values: values["exchanges"].append(3), "an exchange is not an object"),
        (lambda values: values["exchanges"][0].pop("text"), "'text' is missing or not of type str"),
        (lambda values: values["exchanges"][0].update(attempt="1"), "'attempt' is missing or not of type int"),
        (lambda values: values["exchanges"][0].update(attempt=True), "'attempt' is missing or not of type int"),
        (lambda values: values["exchanges"][0].update(finish="done"), "'done' is not a valid Finish"),
        (lambda values: values["exchanges"][0]["usage"].clear(), "'input_tokens' is missing or not of type int"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: Callable[[Any], object], words: str) -> None:
    path = tmp_path / "a.json"
    save_recording(Recording("Made.", "m", (Exchange.of(question(), REPLY),)), path)
    values = json.loads(path.read_text())
    damage(values)
    path.write_text(json.dumps(values))
    with pytest.raises(BadRecording, match=words):
        load_recording(path)


def test_a_recorder_does_not_write_over_what_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(BadRecording):
        Recorder(Parrot(), tmp_path / "notes.json", "Made.")
    assert (tmp_path / "notes.json").read_text() == "{}"


def test_exchanges_are_put_into_the_order_of_the_questions_behind_those_of_other_sessions(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    Recorder(Parrot(), path, "Made.").ask(question("before"))
    recorder = Recorder(Parrot(), path, "Made.")
    for text in ("c", "a", "b"):
        recorder.ask(question(text))
    recorder.arrange([question(text) for text in ("a", "b", "c", "never asked")])
    expected = [question(text).sha256 for text in ("before", "a", "b", "c")]
    assert [each.request_sha256 for each in load_recording(path).exchanges] == expected
    recorder.ask(question("d"))
    assert [each.request_sha256 for each in load_recording(path).exchanges] == [*expected, question("d").sha256]


def test_tokens_of_a_cache_come_back_and_are_left_out_where_there_are_none(tmp_path: Path) -> None:
    for usage, names in ((Usage(9, 2, 5, 1), 4), (Usage(9, 2), 2)):
        values = Exchange.of(question(), replace(REPLY, usage=usage)).to_json()
        assert len(values["usage"]) == names  # type: ignore[arg-type]
        assert Exchange.from_json(values).reply.usage == usage
