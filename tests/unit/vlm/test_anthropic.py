import base64
from dataclasses import replace

import numpy as np
import pytest
from loopback import FIRST, GOAL, Answer, Loopback, anthropic_error, from_anthropic, question

from car.errors import MissingKey, ProviderError
from car.frames import from_picture
from car.vlm import Finish, Picture, Reply, Request, Usage
from car.vlm.anthropic import AnthropicVLM

SECRET = "sk-ant-api03-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)


def vlm_at(server: Loopback, max_retries: int = 1) -> AnthropicVLM:
    return AnthropicVLM("some-model", server.url, max_retries=max_retries, timeout=10)


def ask(*answers: Answer, max_retries: int = 1) -> Reply:
    with Loopback(*answers) as server:
        return vlm_at(server, max_retries).ask(question())


def failure(answer: Answer) -> str:
    return asked_for_good(answer, max_retries=0)[0]


def asked_for_good(answer: Answer, max_retries: int = 2) -> tuple[str, int]:
    """What the error says, and how often the server was asked."""
    with Loopback(answer) as server, pytest.raises(ProviderError) as caught:
        vlm_at(server, max_retries).ask(question())
    return str(caught.value), len(server.received)


def test_sends_the_system_text_the_parts_in_order_and_the_pictures_as_png() -> None:
    with Loopback(from_anthropic("The goal is the green square.")) as server:
        vlm_at(server).ask(question())
    sent = server.received[0]
    (user,) = sent.body["messages"]
    assert sent.path == "/v1/messages"
    # The SDK decides which of the two headers carries the key.
    assert {sent.headers.get("x-api-key"), sent.headers.get("authorization")} & {SECRET, f"Bearer {SECRET}"}
    assert sent.body["model"] == "some-model"
    assert sent.body["max_tokens"] == 8000
    assert "output_config" not in sent.body
    assert "cache_control" not in str(sent.body)
    assert sent.body["system"] == "You see frames of a task."
    assert user["role"] == "user"
    assert [part["type"] for part in user["content"]] == ["text", "text", "image", "text", "image", "text"]
    texts = [part["text"] for part in user["content"] if part["type"] == "text"]
    assert texts == ["Look at two frames.", "first frame", "goal frame", "What is the goal?"]
    for part, frame in zip([user["content"][2], user["content"][4]], [FIRST, GOAL], strict=True):
        source = part["source"]
        assert (source["type"], source["media_type"]) == ("base64", "image/png")
        assert base64.b64decode(source["data"]).startswith(b"\x89PNG")
        np.testing.assert_array_equal(from_picture(base64.b64decode(source["data"])), frame)


def breakpoints(request: Request) -> list[str]:
    """The blocks that have one, by their texts; pictures are called so."""
    with Loopback(from_anthropic("Yes.")) as server:
        vlm_at(server).ask(request)
    blocks = server.received[0].body["messages"][0]["content"]
    ends = [block for block in blocks if "cache_control" in block]
    assert all(block["cache_control"] == {"type": "ephemeral"} for block in ends)
    return [block.get("text", f"picture {blocks.index(block)}") for block in ends]


@pytest.mark.parametrize(
    ("shared", "ends"),
    [
        ((), []),
        ((1,), ["Look at two frames."]),
        ((2,), ["picture 2"]),
        ((1, 3), ["Look at two frames.", "picture 4"]),
        ((2, 4), ["picture 2", "What is the goal?"]),
    ],
)
def test_a_shared_beginning_ends_with_a_breakpoint_of_the_cache(shared: tuple[int, ...], ends: list[str]) -> None:
    assert breakpoints(replace(question(), shared=shared)) == ends


def test_parts_that_are_not_sent_move_no_breakpoint() -> None:
    parts = (" ", "rules", "", Picture(FIRST, ""), "question")
    assert breakpoints(replace(question(), parts=parts, shared=(1, 3, 4))) == ["rules", "picture 1"]


def test_no_more_breakpoints_than_the_provider_takes() -> None:
    parts = tuple("abcdef")
    assert breakpoints(replace(question(), parts=parts, shared=(1, 2, 3, 4, 5))) == ["b", "c", "d", "e"]


def test_sends_the_schema() -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    with Loopback(from_anthropic("{}")) as server:
        vlm_at(server).ask(replace(question(), schema=schema))
    assert server.received[0].body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


def test_gives_text_all_tokens_and_model() -> None:
    assert ask(from_anthropic("Open the door.")) == Reply(
        "Open the door.", Finish.COMPLETE, Usage(12 + 4 + 3, 10, 3, 4), "some-model-20260101"
    )


def test_only_text_blocks_are_the_reply() -> None:
    answer = from_anthropic("one ")
    thinking = {"type": "thinking", "thinking": "Let me see.", "signature": "x"}
    blocks = [thinking, *answer.body["content"], {"type": "text", "text": "two"}]
    assert ask(Answer(answer.body | {"content": blocks})).text == "one two"


@pytest.mark.parametrize("stop", ["max_tokens", "model_context_window_exceeded"])
def test_a_reply_cut_off_is_truncated(stop: str) -> None:
    reply = ask(from_anthropic("def check(", stop))
    assert (reply.text, reply.finish) == ("def check(", Finish.TRUNCATED)


def test_a_refused_reply_carries_the_explanation() -> None:
    reply = ask(from_anthropic(None, "refusal", "Against the policy."))
    assert (reply.text, reply.finish, reply.note) == ("", Finish.REFUSED, "Against the policy.")


def test_an_empty_reply_is_an_empty_text() -> None:
    reply = ask(from_anthropic(None))
    assert (reply.text, reply.finish) == ("", Finish.COMPLETE)


def test_a_wrong_key_gives_the_providers_words_without_the_key() -> None:
    words = failure(anthropic_error(401, "authentication_error", f"invalid x-api-key {SECRET}"))
    assert words == words.replace(SECRET, "")
    assert "answered 401: invalid x-api-key ***. Check ANTHROPIC_API_KEY." in words


def test_an_unknown_model_is_named_and_not_tried_again() -> None:
    words, times = asked_for_good(anthropic_error(404, "not_found_error", "model: some-model"))
    assert words.endswith("answered 404: model: some-model. Check the name of the model, 'some-model'.")
    assert times == 1


def test_an_empty_balance_is_reported_as_such() -> None:
    words = failure(anthropic_error(400, "invalid_request_error", "Your credit balance is too low."))
    assert words.endswith("answered 400: Your credit balance is too low. Look at the account's billing.")


@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limit_error"), (529, "overloaded_error")])
def test_what_passes_is_tried_again(status: int, kind: str) -> None:
    busy = anthropic_error(status, kind, "Not now", retry_after_ms="1")
    with Loopback(busy, busy, from_anthropic("Now.")) as server:
        assert vlm_at(server, max_retries=2).ask(question()).text == "Now."
    assert len(server.received) == 3


def test_a_server_that_stays_broken_ends_the_retries() -> None:
    words, times = asked_for_good(anthropic_error(500, "api_error", "Internal server error", retry_after_ms="1"))
    assert words.endswith("answered 500: Internal server error. Try again later.")
    assert times == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b'{"content": [{"type": "te'),
        Answer(b"<html>Welcome</html>", headers={"content-type": "text/html"}),
        Answer(b"\xff\xfe\xfa"),
        Answer({}),
        Answer({"content": None}),
        Answer({"content": ["text"]}),
        Answer({"content": [{"type": "text", "text": 7}], "usage": None}),
        Answer([1, 2]),
    ],
)
def test_an_answer_that_is_no_reply_is_an_error(answer: Answer) -> None:
    assert "answered with something that is not a reply" in failure(answer)


def test_a_server_that_hangs_up() -> None:
    assert "could not be reached: Connection error. (Server disconnected" in failure(Answer(None))


def test_no_key_names_the_variable_and_the_way_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "  ")
    with pytest.raises(MissingKey, match=r"set ANTHROPIC_API_KEY.*--vlm manual.*--vlm replay/FILE"):
        AnthropicVLM("some-model")


def test_max_output_can_be_more_than_the_sdk_expects_without_streaming() -> None:
    with Loopback(from_anthropic("Yes.")) as server:
        assert AnthropicVLM("some-model", server.url, max_output=100_000).ask(question()).text == "Yes."
    assert server.received[0].body["max_tokens"] == 100_000


def test_name_and_repr() -> None:
    vlm = AnthropicVLM("some-model")
    assert vlm.name == "anthropic/some-model"
    assert AnthropicVLM("some-model", "http://me:secret@server:1/v1").name == "anthropic/some-model at server:1"
    assert SECRET not in repr(vlm)


def test_counts_tokens_beforehand() -> None:
    with Loopback(Answer({"input_tokens": 1234})) as server:
        assert vlm_at(server).count(question()) == 1234
    (sent,) = server.received
    assert sent.path == "/v1/messages/count_tokens"
    assert sent.body["system"] == "You see frames of a task."
    assert [part["type"] for part in sent.body["messages"][0]["content"]].count("image") == 2


def test_who_does_not_count_is_asked_once_and_that_is_no_error() -> None:
    with Loopback(anthropic_error(529, "overloaded_error", "Not now")) as server:
        assert vlm_at(server, max_retries=3).count(question()) is None
    assert len(server.received) == 1
