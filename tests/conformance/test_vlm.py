"""What every VLM must do, asked of each."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "unit" / "vlm"))

from loopback import Loopback, from_anthropic, from_openai, from_responses, question

from car.vlm import VLM, Finish, Reply, Usage
from car.vlm.anthropic import AnthropicVLM
from car.vlm.compatible import CompatibleVLM
from car.vlm.journal import Journal
from car.vlm.manual import ManualVLM
from car.vlm.openai import OpenAIVLM
from car.vlm.recording import Exchange, Recorder, Recording, save_recording
from car.vlm.replay import ReplayVLM

TEXT = "The goal is the green square.\n\n```python\ndef check(found, current):\n    return True\n```\n"


def openai(folder: Path, stack: ExitStack) -> VLM:
    return OpenAIVLM("some-model", stack.enter_context(Loopback(from_responses(TEXT))).url)


def compatible(folder: Path, stack: ExitStack) -> VLM:
    return CompatibleVLM("some-model", stack.enter_context(Loopback(from_openai(TEXT))).url)


def anthropic(folder: Path, stack: ExitStack) -> VLM:
    return AnthropicVLM("some-model", stack.enter_context(Loopback(from_anthropic(TEXT))).url)


def manual(folder: Path, stack: ExitStack) -> VLM:
    stop = threading.Event()

    def answer() -> None:
        while not stop.wait(0.01):
            for prompt in folder.glob("[0-9]*/prompt.md"):
                prompt.with_name("reply.md").write_text(TEXT)

    person = threading.Thread(target=answer)
    person.start()
    stack.callback(person.join)
    stack.callback(stop.set)
    return ManualVLM(folder, poll_seconds=0.05)


def replay(folder: Path, stack: ExitStack) -> VLM:
    reply = Reply(TEXT, usage=Usage(7, 3), model="some-model-1")
    save_recording(Recording("Made in a test.", "some-model-1", (Exchange.of(question(), reply),)), folder / "a.json")
    return ReplayVLM(folder / "a.json")


def recorder(folder: Path, stack: ExitStack) -> VLM:
    return Recorder(replay(folder, stack), folder / "copy.json", "Copied in a test.")


def journal(folder: Path, stack: ExitStack) -> VLM:
    return Journal(replay(folder, stack), folder / "replies")


@pytest.fixture(
    params=[openai, compatible, anthropic, manual, replay, recorder, journal], ids=lambda make: make.__name__
)
def vlm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VLM]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-two")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    make: Callable[[Path, ExitStack], VLM] = request.param
    with ExitStack() as stack:
        yield make(tmp_path, stack)


def test_has_a_name(vlm: VLM) -> None:
    assert vlm.name.strip()
    assert vlm.name == vlm.name.strip()


def test_gives_the_text_as_it_came(vlm: VLM) -> None:
    assert vlm.ask(question()).text == TEXT


def test_says_how_the_reply_ended_and_who_gave_it(vlm: VLM) -> None:
    reply = vlm.ask(question())
    assert reply.finish is Finish.COMPLETE
    assert reply.model
    assert reply.note == ""


def test_tokens_are_never_negative(vlm: VLM) -> None:
    usage = vlm.ask(question()).usage
    assert usage.input_tokens >= 0
    assert usage.output_tokens >= 0


def test_the_same_question_gets_the_same_answer(vlm: VLM) -> None:
    assert vlm.ask(question()) == vlm.ask(question())


def test_asking_does_not_change_the_request(vlm: VLM) -> None:
    request = question()
    vlm.ask(request)
    assert request.sha256 == question().sha256


def test_can_be_asked_from_several_threads(vlm: VLM) -> None:
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(vlm.ask(question()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.text for reply in replies] == [TEXT] * 4
