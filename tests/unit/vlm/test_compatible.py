import base64
from dataclasses import replace

import numpy as np
import pytest
from loopback import FIRST, GOAL, Answer, Loopback, from_openai, openai_error, question

from car.errors import MissingKey, ProviderError, UserError
from car.frames import from_picture
from car.vlm import Finish, Reply, Usage
from car.vlm.compatible import CompatibleVLM

SECRET = "sk-proj-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def vlm_at(server: Loopback, max_retries: int = 1) -> CompatibleVLM:
    return CompatibleVLM("some-model", f"{server.url}/v1", max_retries=max_retries, timeout=10)


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
    with Loopback(from_openai("The goal is the green square.")) as server:
        vlm_at(server).ask(question())
    sent = server.received[0]
    system, user = sent.body["messages"]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {SECRET}"
    assert sent.body["model"] == "some-model"
    assert sent.body["max_tokens"] == 8000
    assert "response_format" not in sent.body
    assert system == {"role": "system", "content": "You see frames of a task."}
    assert user["role"] == "user"
    assert [part["type"] for part in user["content"]] == ["text", "text", "image_url", "text", "image_url", "text"]
    texts = [part["text"] for part in user["content"] if part["type"] == "text"]
    assert texts == ["Look at two frames.", "first frame", "goal frame", "What is the goal?"]
    for part, frame in zip([user["content"][2], user["content"][4]], [FIRST, GOAL], strict=True):
        start, data = part["image_url"]["url"].split(",")
        assert start == "data:image/png;base64"
        assert base64.b64decode(data).startswith(b"\x89PNG")
        np.testing.assert_array_equal(from_picture(base64.b64decode(data)), frame)


def test_gives_text_tokens_and_model() -> None:
    assert ask(from_openai("Open the door.")) == Reply(
        "Open the door.", Finish.COMPLETE, Usage(19, 10, cache_read_tokens=6), "some-model-2026-01-01"
    )


def test_a_reply_cut_off_is_truncated() -> None:
    reply = ask(from_openai("def check(", "length"))
    assert (reply.text, reply.finish) == ("def check(", Finish.TRUNCATED)


@pytest.mark.parametrize(
    ("answer", "text"),
    [(from_openai("", "content_filter"), ""), (from_openai(None, "stop", "I cannot help."), "I cannot help.")],
)
def test_a_filtered_or_refused_reply_is_refused(answer: Answer, text: str) -> None:
    reply = ask(answer)
    assert (reply.text, reply.finish) == (text, Finish.REFUSED)


@pytest.mark.parametrize("content", ["", None])
def test_an_empty_reply_is_an_empty_text(content: str | None) -> None:
    reply = ask(from_openai(content))
    assert (reply.text, reply.finish) == ("", Finish.COMPLETE)


def test_a_server_that_counts_no_tokens_and_names_no_model() -> None:
    answer = from_openai("Yes.")
    bare = {"choices": answer.body["choices"]}
    assert ask(Answer(bare)) == Reply("Yes.", model="some-model")


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert ask(from_openai("a\ud83db")).text == "a?b"


def test_a_wrong_key_gives_the_providers_words_without_the_key() -> None:
    words = failure(
        openai_error(401, f"Incorrect API key provided: {SECRET}. See sk-proj-*****mnop.", "invalid_api_key")
    )
    assert "answered 401: Incorrect API key provided: ***." in words
    assert words.endswith("Check OPENAI_API_KEY.")
    assert "mnop" not in words


def test_the_key_is_in_no_traceback_and_no_repr() -> None:
    with Loopback(openai_error(401, f"Wrong key {SECRET}")) as server:
        vlm = vlm_at(server)
        with pytest.raises(ProviderError) as caught:
            vlm.ask(question())
    assert SECRET not in repr(vlm)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_unknown_model_is_named_and_not_tried_again() -> None:
    words, times = asked_for_good(openai_error(404, "The model `some-model` does not exist", "model_not_found"))
    assert words.endswith("404: The model `some-model` does not exist. Check the name of the model, 'some-model'.")
    assert times == 1


def test_a_rate_limit_passes() -> None:
    busy = openai_error(429, "Rate limit reached", "rate_limit_exceeded", retry_after_ms="1")
    with Loopback(busy, busy, from_openai("Now.")) as server:
        assert vlm_at(server, max_retries=2).ask(question()).text == "Now."
    assert len(server.received) == 3


def test_an_empty_balance_is_reported_as_such_and_asked_once() -> None:
    words, times = asked_for_good(
        openai_error(429, "You exceeded your current quota, please check your plan", "insufficient_quota")
    )
    assert "429: You exceeded your current quota, please check your plan. Look at the account's billing." in words
    assert times == 1


def test_a_server_that_stays_broken_ends_the_retries() -> None:
    words, times = asked_for_good(openai_error(500, "The server had an error", retry_after_ms="1"))
    assert words.endswith("answered 500: The server had an error. Try again later.")
    assert times == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>\n  Bad gateway</html>", "502: <html> Bad gateway</html>"),
        ({"error": "upstream is down"}, "502: upstream is down"),
        ({"detail": "no such route"}, '502: {"detail": "no such route"}'),
        (b"", "502: nothing that says why."),
    ],
)
def test_errors_in_other_formats_keep_their_words(body: object, words: str) -> None:
    assert words in failure(Answer(body, 502))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b'{"choices": [{"message": {"con'),
        Answer(b"<html>Welcome</html>", headers={"content-type": "text/html"}),
        Answer(b"\xff\xfe\xfa"),
        Answer({}),
        Answer({"choices": []}),
        Answer({"choices": [{"index": 0, "message": None}]}),
        Answer({"choices": [{"index": 0, "message": {"role": "assistant", "content": 7}}]}),
        Answer([1, 2]),
    ],
)
def test_an_answer_that_is_no_reply_is_an_error(answer: Answer) -> None:
    assert "answered with something that is not a reply" in failure(answer)


def test_a_server_that_hangs_up() -> None:
    assert "could not be reached: Connection error. (Server disconnected" in failure(Answer(None))


def test_a_server_that_is_not_there() -> None:
    with Loopback(Answer({})) as server:
        vlm = vlm_at(server, max_retries=0)
    with pytest.raises(ProviderError, match=r"The server at http://127\.0\.0\.1:\d+/v1 could not be reached"):
        vlm.ask(question())


def test_needs_an_address() -> None:
    with pytest.raises(UserError, match=r"compatible/some-model needs the server's address: --base-url URL, or"):
        CompatibleVLM("some-model")


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with Loopback(from_openai("Yes.")) as server:
        assert vlm_at(server).ask(question()).text == "Yes."
    assert server.received[0].headers["authorization"] == "Bearer none"


def test_the_word_none_is_no_key_to_be_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "none of the slots is free" in failure(openai_error(503, "none of the slots is free"))


@pytest.mark.parametrize("bad", ["sk-\u201cquoted\u201d", "sk-two words", "sk-a\nsk-b"])
def test_what_cannot_be_a_key_is_said_before_it_is_sent(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", bad)
    with pytest.raises(MissingKey, match=r"OPENAI_API_KEY holds characters that no API key has"):
        CompatibleVLM("some-model", "http://localhost:1/v1")


@pytest.mark.parametrize("bad", ["localhost:8000", "ftp://there/v1", "http://", "http://[bad", "http://host:port/v1"])
def test_an_address_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(UserError, match=r"is not the address of a server"):
        CompatibleVLM("some-model", bad)


def test_a_password_in_the_address_is_not_shown() -> None:
    with Loopback(openai_error(403, "No")) as server:
        vlm = CompatibleVLM("some-model", server.url.replace("//", "//user:hunter2@") + "/v1", max_retries=0)
        with pytest.raises(ProviderError) as caught:
            vlm.ask(question())
    assert "hunter2" not in str(caught.value)


def test_a_key_is_masked_in_whatever_form_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "tok4711-abcdefghijklmnop")
    words = failure(openai_error(401, "Wrong: tok4711-abcdefghijklmnop, tok471****mnop, tok4711-abc...mnop."))
    assert "Wrong: ***, ***, ***" in words
    assert "mnop" not in words


@pytest.mark.parametrize("start", ["sk-or-v1-", "gsk_", "xai-", "hf_", "AIza", "nvapi-"])
def test_another_key_is_masked(start: str) -> None:
    words = failure(openai_error(401, f"Wrong: {start}0123456789abcdefghij"))
    assert "Wrong: " in words
    assert "0123456789" not in words


def test_a_key_at_the_end_of_what_is_shown_is_not_cut_into_something_that_is_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "tok4711-abcdefghijklmnop")
    words = failure(openai_error(401, f"{'x' * 494} tok4711-abcdefghijklmnop"))
    assert "tok47" not in words
    assert "xxx ***" in words


def test_no_money_is_said_once() -> None:
    words, times = asked_for_good(openai_error(402, "Insufficient Balance"))
    assert words.endswith("answered 402: Insufficient Balance. Look at the account's billing.")
    assert times == 1


def test_a_quota_per_minute_passes() -> None:
    busy = Answer(
        {"error": {"code": 429, "message": "You exceeded your current quota", "status": "RESOURCE_EXHAUSTED"}},
        429,
        {"retry-after-ms": "1"},
    )
    with Loopback(busy, from_openai("Now.")) as server:
        assert vlm_at(server).ask(question()).text == "Now."


def test_sends_the_schema() -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    with Loopback(from_openai("{}")) as server:
        vlm_at(server).ask(replace(question(), schema=schema))
    described = {"name": "answer", "schema": schema, "strict": True}
    assert server.received[0].body["response_format"] == {"type": "json_schema", "json_schema": described}


def test_names() -> None:
    assert CompatibleVLM("some/model", "http://localhost:1/v1").name == "compatible/some/model at localhost:1"
    assert CompatibleVLM("some/model", "http://me:secret@server/v1").name == "compatible/some/model at server"


def test_has_no_way_to_count_tokens_beforehand() -> None:
    with Loopback(from_openai("Yes.")) as server:
        assert vlm_at(server).count(question()) is None
    assert not server.received
