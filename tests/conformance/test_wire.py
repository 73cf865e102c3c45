"""What every provider that is asked over the network makes of what can happen there."""

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "unit" / "vlm"))

from loopback import (
    HANG_UP,
    RESET,
    SILENCE,
    Answer,
    Loopback,
    anthropic_error,
    cut,
    from_anthropic,
    from_openai,
    from_responses,
    half,
    openai_error,
    question,
    slow,
)

from car.errors import ProviderError
from car.vlm import VLM, Finish, Reply, Usage
from car.vlm.anthropic import AnthropicVLM
from car.vlm.compatible import CompatibleVLM
from car.vlm.openai import OpenAIVLM
from car.vlm.remote import RemoteVLM

SECRET = "sk-proj-abcdefghijklmnop"
SCHEMA = {"type": "object", "properties": {"goal": {"type": "string"}}, "required": ["goal"]}
STRUCTURED = replace(question(), schema=SCHEMA)
AT_ONCE = {"retry-after-ms": "1"}
REFUSAL = "I cannot help with that."


@dataclass(frozen=True)
class Wire:
    """How one provider says what all of them say."""

    vlm: type[RemoteVLM[Any]]
    variable: str
    good: Callable[[str], Answer]
    cut_off: Callable[[str], Answer]
    empty: Answer
    refused: Answer
    filtered: Answer
    error: Callable[[int, str], Answer]
    broke: Answer
    no_schema: Answer
    too_large: Answer
    schema: Callable[[Any], object]
    usage: Usage

    def at(self, server: Loopback, max_retries: int = 2, timeout: float = 10.0) -> VLM:
        return self.vlm("some-model", f"{server.url}/v1", max_retries=max_retries, timeout=timeout)

    def passing(self, status: int, words: str = "Not now") -> Answer:
        """An error that asks to be tried again at once."""
        return replace(self.error(status, words), headers=AT_ONCE)


NO_MONEY = "You exceeded your current quota, please check your plan and billing details."
OPENAI = Wire(
    vlm=OpenAIVLM,
    variable="OPENAI_API_KEY",
    good=from_responses,
    cut_off=partial(from_responses, reason="max_output_tokens"),
    empty=from_responses(""),
    refused=from_responses(None, refusal=REFUSAL),
    filtered=from_responses("", "content_filter"),
    error=openai_error,
    broke=replace(openai_error(429, NO_MONEY, "insufficient_quota"), headers=AT_ONCE),
    no_schema=openai_error(400, "Invalid parameter: 'text.format' of type 'json_schema' is not supported."),
    too_large=openai_error(400, "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 4096"),
    schema=lambda body: body.get("text"),
    usage=Usage(36, 87, 16, 5),
)
COMPATIBLE = Wire(
    vlm=CompatibleVLM,
    variable="OPENAI_API_KEY",
    good=from_openai,
    cut_off=partial(from_openai, finish="length"),
    empty=from_openai(""),
    refused=from_openai(None, refusal=REFUSAL),
    filtered=from_openai("", "content_filter"),
    error=openai_error,
    broke=replace(openai_error(429, NO_MONEY, "insufficient_quota"), headers=AT_ONCE),
    no_schema=Answer({"detail": [{"loc": ["body", "response_format"], "msg": "extra fields not permitted"}]}, 422),
    too_large=openai_error(400, "'max_tokens' is too large: 8000. This model's maximum context length is 4096 tokens"),
    schema=lambda body: body.get("response_format"),
    usage=Usage(19, 10, 6),
)
ANTHROPIC = Wire(
    vlm=AnthropicVLM,
    variable="ANTHROPIC_API_KEY",
    good=from_anthropic,
    cut_off=partial(from_anthropic, stop="max_tokens"),
    empty=from_anthropic(""),
    refused=from_anthropic(REFUSAL, "refusal", "It is against the policy."),
    filtered=from_anthropic(None, "refusal"),
    error=lambda status, words: anthropic_error(status, "some_error", words),
    broke=anthropic_error(400, "invalid_request_error", "Your credit balance is too low to access the API."),
    no_schema=anthropic_error(400, "invalid_request_error", "output_config.format: Extra inputs are not permitted"),
    too_large=anthropic_error(400, "invalid_request_error", "max_tokens: 8000 > 4096, the limit of this model"),
    schema=lambda body: body.get("output_config"),
    usage=Usage(12 + 4 + 3, 10, 3, 4),
)


@pytest.fixture(params=[OPENAI, COMPATIBLE, ANTHROPIC], ids=["openai", "compatible", "anthropic"])
def wire(request: pytest.FixtureRequest) -> Wire:
    given: Wire = request.param
    return given


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Keys, no proxy, and no key in any log."""
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    caplog.set_level(logging.DEBUG)
    yield
    assert SECRET not in caplog.text


def asked(wire: Wire, *answers: Answer, retries: int = 2, timeout: float = 10.0) -> tuple[Reply, Loopback]:
    """The reply, and the server that was asked."""
    with Loopback(*answers) as server:
        return wire.at(server, retries, timeout).ask(question()), server


def failure(wire: Wire, *answers: Answer, retries: int = 2, timeout: float = 10.0) -> tuple[str, Loopback]:
    """What the error says, which must be without the key, and the server that was asked."""
    with Loopback(*answers) as server:
        vlm = wire.at(server, retries, timeout)
        with pytest.raises(ProviderError) as caught:
            vlm.ask(question())
    shown = "".join(traceback.format_exception(caught.value)) + repr(vlm)
    assert SECRET not in shown
    assert "ghijklmnop" not in shown
    return str(caught.value), server


def gap(server: Loopback) -> float:
    """Seconds between the first two questions."""
    first, second = server.received[:2]
    return second.at - first.at


@pytest.mark.parametrize(
    ("status", "times", "advice"),
    [
        (400, 1, ""),
        (401, 1, " Check KEY."),
        (403, 1, " Check KEY."),
        (404, 1, " Check the name of the model, 'some-model'."),
        (408, 3, " Try again later."),
        (409, 3, " Try again later."),
        (413, 1, ""),
        (429, 3, " Try again later."),
        (500, 3, " Try again later."),
        (529, 3, " Try again later."),
    ],
)
def test_an_error_for_ever(wire: Wire, status: int, times: int, advice: str) -> None:
    words, server = failure(wire, wire.passing(status, f"The provider says no to {SECRET}, sk-proj-***lmnop"))
    assert f"answered {status}: The provider says no to ***" in words
    assert words.endswith(advice.replace("KEY", wire.variable) or "***.")
    assert len(server.received) == times


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_an_error_that_passes(wire: Wire, status: int) -> None:
    reply, server = asked(wire, wire.passing(status), wire.passing(status), wire.good("Now."))
    assert reply.text == "Now."
    assert len(server.received) == 3


def test_a_proxys_page_in_place_of_an_answer(wire: Wire) -> None:
    page = Answer(b"<html>\n  Bad gateway</html>", 502, {"content-type": "text/html"} | AT_ONCE)
    words, server = failure(wire, page)
    assert words.endswith("answered 502: <html> Bad gateway</html>. Try again later.")
    assert len(server.received) == 3


@pytest.mark.parametrize("header", [{"retry-after": "0.6"}, {"retry-after-ms": "600"}])
def test_waits_as_long_as_the_provider_says(wire: Wire, header: dict[str, str]) -> None:
    # By themselves the SDKs would wait no longer than half a second.
    reply, server = asked(wire, replace(wire.error(429, "Slow down"), headers=header), wire.good("Now."))
    assert reply.text == "Now."
    assert len(server.received) == 2
    assert gap(server) >= 0.6


def test_waits_a_little_where_the_provider_does_not_say(wire: Wire) -> None:
    reply, server = asked(wire, wire.error(429, "Slow down"), wire.good("Now."))
    assert reply.text == "Now."
    assert len(server.received) == 2
    assert gap(server) >= 0.3


def test_an_empty_balance_is_asked_once(wire: Wire) -> None:
    words, server = failure(wire, wire.broke)
    assert wire.broke.body["error"]["message"] in words
    assert words.endswith("Look at the account's billing.")
    assert len(server.received) == 1


@pytest.mark.parametrize("fault", [RESET, HANG_UP], ids=["reset", "hang up"])
def test_a_lost_connection_that_comes_back(wire: Wire, fault: Answer) -> None:
    reply, server = asked(wire, fault, wire.good("Now."), retries=1)
    assert reply.text == "Now."
    assert len(server.received) == 2


@pytest.mark.parametrize(
    ("fault", "cause"), [(RESET, "Connection reset"), (HANG_UP, "Server disconnected")], ids=["reset", "hang up"]
)
def test_a_connection_that_is_lost_every_time(wire: Wire, fault: Answer, cause: str) -> None:
    words, server = failure(wire, fault, retries=1)
    assert "could not be reached: Connection error." in words
    assert cause in words
    assert len(server.received) == 2


def test_an_answer_that_breaks_off_is_asked_for_again(wire: Wire) -> None:
    reply, server = asked(wire, cut(wire.good("Half.")), wire.good("Whole."), retries=1)
    assert reply.text == "Whole."
    assert len(server.received) == 2


def test_an_answer_that_breaks_off_every_time(wire: Wire) -> None:
    words, server = failure(wire, cut(wire.good("Half.")), retries=1)
    assert "could not be reached: Connection error. (peer closed connection" in words
    assert len(server.received) == 2


def test_slow_bytes_within_the_limit(wire: Wire) -> None:
    began = time.monotonic()
    reply, server = asked(wire, slow(wire.good("At last."), pause=0.03, pieces=10), timeout=5)
    assert reply.text == "At last."
    assert len(server.received) == 1
    assert time.monotonic() - began >= 0.3


def test_bytes_that_come_for_longer_than_the_limit(wire: Wire) -> None:
    began = time.monotonic()
    words, server = failure(wire, slow(wire.good("Never."), pause=0.1, pieces=50), retries=0, timeout=0.3)
    assert words.endswith("gave no whole answer within 0.3 seconds. Try again later.")
    assert len(server.received) == 1
    assert time.monotonic() - began < 3


def test_the_limit_is_for_each_try(wire: Wire) -> None:
    reply, server = asked(
        wire, slow(wire.good("Never."), pause=0.2, pieces=50), wire.good("Now."), retries=1, timeout=1
    )
    assert reply.text == "Now."
    assert len(server.received) == 2


def test_no_answer_in_time_and_then_one(wire: Wire) -> None:
    reply, server = asked(wire, SILENCE, wire.good("Now."), retries=1, timeout=0.6)
    assert reply.text == "Now."
    assert len(server.received) == 2


def test_no_answer_in_time_for_ever(wire: Wire) -> None:
    words, server = failure(wire, SILENCE, retries=1, timeout=0.3)
    assert words.endswith("gave no whole answer within 0.3 seconds. Try again later.")
    assert len(server.received) == 2


@pytest.mark.parametrize("broken", [half, lambda good: Answer({"hello": "there"}), lambda good: Answer(b"")])
def test_success_that_is_no_reply(wire: Wire, broken: Callable[[Answer], Answer]) -> None:
    words, server = failure(wire, broken(wire.good(f"You sent {SECRET}.")))
    assert "answered with something that is not a reply" in words
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "text",
    [
        "```python\na = 1\n```\n\n```python\nb = 2\n```",
        "There is nothing to program.",
        "Here it is:\n\n```python\ndef check():\n\treturn True\n```\n\nAnything else?\n",
        "  \n\u00fcber \u2603 \U0001f600\r\n\x00 ",
        "x" * 300_000,
    ],
    ids=["two blocks", "none", "prose around", "odd characters", "long"],
)
def test_a_text_comes_through_unchanged(wire: Wire, text: str) -> None:
    reply, server = asked(wire, wire.good(text))
    assert (reply.text, reply.finish, reply.note) == (text, Finish.COMPLETE, "")
    assert len(server.received) == 1


def test_an_empty_reply(wire: Wire) -> None:
    reply, server = asked(wire, wire.empty)
    assert (reply.text, reply.finish, reply.note) == ("", Finish.COMPLETE, "")
    assert len(server.received) == 1


def test_a_reply_cut_off(wire: Wire) -> None:
    reply, server = asked(wire, wire.cut_off("def check("))
    assert (reply.text, reply.finish, reply.note) == ("def check(", Finish.TRUNCATED, "")
    assert len(server.received) == 1


def test_a_limit_used_up_before_anything_was_written(wire: Wire) -> None:
    reply, server = asked(wire, wire.cut_off("\n"))
    assert (reply.text, reply.finish) == ("\n", Finish.TRUNCATED)
    assert reply.note == "The limit of 8000 tokens was used up before anything was written; --max-output raises it."
    assert len(server.received) == 1


def test_a_refusal(wire: Wire) -> None:
    reply, server = asked(wire, wire.refused)
    assert (reply.text, reply.finish) == (REFUSAL, Finish.REFUSED)
    assert len(server.received) == 1


def test_a_filtered_reply(wire: Wire) -> None:
    reply, server = asked(wire, wire.filtered)
    assert (reply.text, reply.finish) == ("", Finish.REFUSED)
    assert len(server.received) == 1


def test_all_tokens_are_counted_and_those_of_the_cache(wire: Wire) -> None:
    assert asked(wire, wire.good("Yes."))[0].usage == wire.usage


def test_a_limit_that_the_model_does_not_have(wire: Wire) -> None:
    words, server = failure(wire, wire.too_large)
    assert wire.too_large.body["error"]["message"] in words
    assert words.endswith("Use --max-output N with a smaller number.")
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Too many images: 30 > 20."),
        (400, "This model's maximum context length is 4096 tokens."),
        (413, "Request exceeds the maximum size"),
    ],
)
def test_too_much_was_sent(wire: Wire, status: int, message: str) -> None:
    words, server = failure(wire, wire.error(status, message))
    assert words.endswith(f"answered {status}: {message.rstrip('.')}.")
    assert len(server.received) == 1


def test_a_schema_is_sent_where_there_is_one(wire: Wire) -> None:
    with Loopback(wire.good("{}")) as server:
        vlm = wire.at(server)
        vlm.ask(STRUCTURED)
        vlm.ask(question())
        vlm.ask(STRUCTURED)
    assert [str(SCHEMA) in str(wire.schema(sent.body)) for sent in server.received] == [True, False, True]


def test_where_there_are_no_schemas_it_asks_without_and_remembers(wire: Wire) -> None:
    with Loopback(wire.no_schema, wire.good("One."), wire.good("Two."), wire.good("Three.")) as server:
        vlm = wire.at(server)
        assert vlm.ask(STRUCTURED).text == "One."
        assert len(server.received) == 2
        assert vlm.ask(STRUCTURED).text == "Two."
        assert len(server.received) == 3
        assert wire.at(server).ask(STRUCTURED).text == "Three."
    assert [wire.schema(sent.body) is not None for sent in server.received] == [True, False, False, True]


def test_what_is_remembered_is_no_part_of_the_value(wire: Wire) -> None:
    with Loopback(wire.no_schema, wire.good("One.")) as server:
        vlm = wire.at(server)
        before = repr(vlm), hash(vlm)
        vlm.ask(STRUCTURED)
        assert (repr(vlm), hash(vlm)) == before
        assert vlm == wire.at(server)


def test_many_threads_learn_that_there_are_no_schemas(wire: Wire) -> None:
    def answer(body: Any) -> Answer:
        return wire.good("Yes.") if wire.schema(body) is None else wire.no_schema

    replies: list[Reply] = []
    with Loopback(answer) as server:
        vlm = wire.at(server)
        threads = [threading.Thread(target=lambda: replies.append(vlm.ask(STRUCTURED))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert vlm.ask(STRUCTURED).text == "Yes."
    assert [reply.text for reply in replies] == ["Yes."] * 6
    assert sum(wire.schema(sent.body) is None for sent in server.received) == 7


@pytest.mark.parametrize(("words", "times"), [("There is no schema for this model", 2), ("Bad picture", 1)])
def test_a_question_that_is_bad_in_any_form(wire: Wire, words: str, times: int) -> None:
    with Loopback(wire.error(400, words)) as server, pytest.raises(ProviderError, match=f"answered 400: {words}"):
        wire.at(server).ask(STRUCTURED)
    assert len(server.received) == times


@pytest.mark.parametrize("status", [401, 404, 500])
def test_only_an_invalid_question_is_asked_without_a_schema(wire: Wire, status: int) -> None:
    with Loopback(wire.error(status, "No json_schema")) as server, pytest.raises(ProviderError, match=str(status)):
        wire.at(server, max_retries=0).ask(STRUCTURED)
    assert len(server.received) == 1


def test_a_proxy_of_the_environment_is_used(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    with Loopback(wire.good("Through it.")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert wire.vlm("some-model", "http://server.invalid/v1", max_retries=0).ask(question()).text == "Through it."
    assert proxy.received[0].path.startswith("http://server.invalid/v1/")


def test_a_redirection_is_followed(wire: Wire) -> None:
    reply, server = asked(wire, Answer(b"", 307, {"location": "/elsewhere"}), wire.good("Here."))
    assert reply.text == "Here."
    assert [sent.path for sent in server.received][1:] == ["/elsewhere"]
