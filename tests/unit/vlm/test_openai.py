import base64
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from loopback import FIRST, GOAL, Answer, Loopback, failed_response, from_responses, openai_error, question
from openai.types.responses import Response

from car.errors import MissingKey, ProviderError, UserError
from car.frames import from_picture
from car.vlm import Finish, Reply, Usage
from car.vlm.openai import OpenAIVLM

SECRET = "sk-proj-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def vlm_at(server: Loopback, max_retries: int = 1) -> OpenAIVLM:
    return OpenAIVLM("some-model", f"{server.url}/v1", max_retries=max_retries, timeout=10)


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
    with Loopback(from_responses("The goal is the green square.")) as server:
        vlm_at(server).ask(question())
    sent = server.received[0]
    (user,) = sent.body["input"]
    assert sent.path == "/v1/responses"
    assert sent.headers["authorization"] == f"Bearer {SECRET}"
    assert sent.body["model"] == "some-model"
    assert sent.body["instructions"] == "You see frames of a task."
    assert sent.body["max_output_tokens"] == 8000
    assert sent.body["store"] is False
    assert not {"text", "prompt_cache_key"} & set(sent.body)
    assert user["role"] == "user"
    types = ["input_text", "input_text", "input_image", "input_text", "input_image", "input_text"]
    assert [part["type"] for part in user["content"]] == types
    texts = [part["text"] for part in user["content"] if part["type"] == "input_text"]
    assert texts == ["Look at two frames.", "first frame", "goal frame", "What is the goal?"]
    for part, frame in zip([user["content"][2], user["content"][4]], [FIRST, GOAL], strict=True):
        start, data = part["image_url"].split(",")
        assert start == "data:image/png;base64"
        assert part["detail"] == "high"
        assert base64.b64decode(data).startswith(b"\x89PNG")
        np.testing.assert_array_equal(from_picture(base64.b64decode(data)), frame)


def test_sends_the_schema() -> None:
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    with Loopback(from_responses("{}")) as server:
        vlm_at(server).ask(replace(question(), schema=schema))
    described = {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}
    assert server.received[0].body["text"] == {"format": described}


def test_questions_with_the_same_beginning_have_the_same_cache_key() -> None:
    base = replace(question(), shared=(3, 4))
    other = replace(base, parts=(*base.parts[:3], "Anything else?"), subject="key", attempt=2, sample=3)
    asked = [
        base,
        other,
        replace(base, system="Other rules."),
        replace(base, parts=("Look here.", *base.parts[1:])),
        replace(base, parts=(base.parts[0], base.parts[2], *base.parts[2:])),
    ]
    with Loopback(from_responses("Yes.")) as server:
        for request in asked:
            vlm_at(server).ask(request)
    first, same, *others = [sent.body["prompt_cache_key"] for sent in server.received]
    assert first == same
    assert len({first, *others}) == 4
    assert len(first) <= 64


def test_the_sdk_knows_all_of_the_loopbacks_answer() -> None:
    answer = Response.model_validate(from_responses("Yes.").body)
    assert answer.output_text == "Yes."
    Response.model_validate(failed_response("server_error", "Sorry").body)


def test_gives_text_tokens_and_model() -> None:
    assert ask(from_responses("Open the door.")) == Reply(
        "Open the door.",
        Finish.COMPLETE,
        Usage(36, 87, cache_read_tokens=16, cache_write_tokens=5),
        "some-model-2026-01-01",
    )


def test_all_messages_but_commentary_are_the_reply() -> None:
    answer = from_responses("one ")
    thoughts, message = answer.body["output"]
    second = message | {"content": from_responses("two").body["output"][1]["content"], "phase": "final_answer"}
    comment = message | {"content": from_responses("Let me see.").body["output"][1]["content"], "phase": "commentary"}
    assert ask(Answer(answer.body | {"output": [comment, thoughts, message, second]})).text == "one two"


@pytest.mark.parametrize("reason", ["max_output_tokens", "max_messages"])
def test_a_reply_cut_off_is_truncated(reason: str) -> None:
    reply = ask(from_responses("def check(", reason))
    assert (reply.text, reply.finish) == ("def check(", Finish.TRUNCATED)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (from_responses("", "content_filter"), ""),
        (from_responses(None, "content_filter"), ""),
        (from_responses(None, None, "I cannot help."), "I cannot help."),
    ],
)
def test_a_filtered_or_refused_reply_is_refused(answer: Answer, text: str) -> None:
    reply = ask(answer)
    assert (reply.text, reply.finish) == (text, Finish.REFUSED)


@pytest.mark.parametrize("content", ["", None])
def test_an_empty_reply_is_an_empty_text(content: str | None) -> None:
    reply = ask(from_responses(content))
    assert (reply.text, reply.finish) == ("", Finish.COMPLETE)


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("server_error", "failed: It went wrong with ***. Try again later."),
        ("invalid_prompt", "failed: It went wrong with ***."),
    ],
)
def test_a_response_that_failed_gives_the_providers_words(code: str, end: str) -> None:
    words, times = asked_for_good(failed_response(code, f"It went wrong with {SECRET}"))
    assert words.endswith(end)
    assert times == 1


def test_a_response_that_failed_and_does_not_say_why() -> None:
    assert failure(Answer(failed_response("", "").body | {"error": None})).endswith("failed: nothing that says why.")


def test_a_server_that_counts_no_tokens_and_names_no_model() -> None:
    assert ask(Answer({"output": from_responses("Yes.").body["output"]})) == Reply("Yes.", model="some-model")


def test_a_server_that_counts_less() -> None:
    body = from_responses("Yes.").body | {"usage": {"input_tokens": 3, "output_tokens": 4, "input_tokens_details": {}}}
    assert ask(Answer(body)).usage == Usage(3, 4)


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert ask(from_responses("a\ud83db")).text == "a?b"


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
    with Loopback(busy, busy, from_responses("Now.")) as server:
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
        Answer(b'{"output": [{"type": "mess'),
        Answer(b"<html>Welcome</html>", headers={"content-type": "text/html"}),
        Answer(b"\xff\xfe\xfa"),
        Answer({}),
        Answer({"output": None}),
        Answer({"output": ["text"]}),
        Answer({"output": [{"type": "message", "content": None}]}),
        Answer({"output": [{"type": "message", "content": [{"type": "output_text", "text": 7}]}]}),
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


def test_no_key_names_the_variable_and_the_way_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(MissingKey, match=r"set OPENAI_API_KEY.*--vlm manual.*--vlm replay/FILE"):
        OpenAIVLM("some-model")


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with Loopback(from_responses("Yes.")) as server:
        assert vlm_at(server).ask(question()).text == "Yes."
    assert server.received[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("bad", ["sk-\u201cquoted\u201d", "sk-two words", "sk-a\nsk-b"])
def test_what_cannot_be_a_key_is_said_before_it_is_sent(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", bad)
    with pytest.raises(MissingKey, match=r"OPENAI_API_KEY holds characters that no API key has"):
        OpenAIVLM("some-model")


@pytest.mark.parametrize("bad", ["localhost:8000", "ftp://there/v1", "http://", "http://[bad", "http://host:port/v1"])
def test_an_address_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(UserError, match=r"is not the address of a server"):
        OpenAIVLM("some-model", bad)


def test_a_password_in_the_address_is_not_shown() -> None:
    with Loopback(openai_error(403, "No")) as server:
        vlm = OpenAIVLM("some-model", server.url.replace("//", "//user:hunter2@") + "/v1", max_retries=0)
        with pytest.raises(ProviderError) as caught:
            vlm.ask(question())
    assert "hunter2" not in str(caught.value)


def test_names() -> None:
    assert OpenAIVLM("some/model").name == "openai/some/model"
    assert OpenAIVLM("some/model", "http://localhost:1/v1").name == "openai/some/model at localhost:1"
    assert OpenAIVLM("some/model", "http://me:secret@server/v1").name == "openai/some/model at server"


def test_counts_tokens_beforehand() -> None:
    with Loopback(Answer({"object": "response.input_tokens", "input_tokens": 1234})) as server:
        assert vlm_at(server).count(question()) == 1234
    (sent,) = server.received
    assert sent.path == "/v1/responses/input_tokens"
    assert sent.body["instructions"] == "You see frames of a task."
    assert [part["type"] for part in sent.body["input"][0]["content"]].count("input_image") == 2


@pytest.mark.parametrize("answer", [openai_error(404, "No such path"), openai_error(500, "Broken"), Answer(b"<html>")])
def test_who_does_not_count_is_asked_once_and_that_is_no_error(answer: Answer) -> None:
    with Loopback(answer) as server:
        assert vlm_at(server, max_retries=3).count(question()) is None
    assert len(server.received) == 1


def test_who_leaves_tries_nothing_again_and_may_ask_later() -> None:
    broken = openai_error(500, "Broken", retry_after_ms="300")
    with Loopback(broken, from_responses("Yes.")) as server:
        vlm, ended = vlm_at(server, max_retries=3), list[BaseException]()

        def ask() -> None:
            try:
                vlm.ask(question())
            except BaseException as error:
                ended.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not server.received:
            time.sleep(0.01)
        vlm.leave()
        thread.join(10)
        assert [type(each) for each in ended] == [KeyboardInterrupt]
        assert len(server.received) == 1
        assert vlm.ask(question()).text == "Yes."
