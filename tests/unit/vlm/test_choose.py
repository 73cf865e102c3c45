import subprocess
import sys
from pathlib import Path

import pytest
from loopback import Loopback, from_openai, question

from car.errors import MissingKey, UnknownName, UserError
from car.vlm import Reply
from car.vlm.anthropic import AnthropicVLM
from car.vlm.choose import vlm_from, warning_about
from car.vlm.compatible import CompatibleVLM
from car.vlm.manual import ManualVLM
from car.vlm.openai import OpenAIVLM
from car.vlm.recording import Exchange, Recording, save_recording
from car.vlm.remote import RemoteVLM

SERVER = "http://localhost:8000/v1"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-two")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)


def test_providers() -> None:
    assert vlm_from("openai/some-model") == OpenAIVLM("some-model")
    assert vlm_from("openai/some-model", base_url=SERVER) == OpenAIVLM("some-model", SERVER)
    assert vlm_from("compatible/org/model:7b", base_url=SERVER) == CompatibleVLM("org/model:7b", SERVER)
    assert vlm_from("anthropic/some-model") == AnthropicVLM("some-model")
    assert vlm_from("anthropic/some-model", base_url=SERVER) == AnthropicVLM("some-model", SERVER)


@pytest.mark.parametrize("kind", ["openai", "compatible", "anthropic"])
def test_the_limit_of_an_answer(kind: str) -> None:
    usual, larger = vlm_from(f"{kind}/m", base_url=SERVER), vlm_from(f"{kind}/m", base_url=SERVER, max_output=9)
    assert isinstance(usual, RemoteVLM)
    assert isinstance(larger, RemoteVLM)
    assert (usual.max_output, larger.max_output) == (8000, 9)


@pytest.mark.parametrize(("spec", "variable"), [("openai/m", "OPENAI_BASE_URL"), ("anthropic/m", "ANTHROPIC_BASE_URL")])
def test_the_name_says_which_server_the_environment_means(
    monkeypatch: pytest.MonkeyPatch, spec: str, variable: str
) -> None:
    monkeypatch.setenv(variable, SERVER)
    assert vlm_from(spec).name == f"{spec} at localhost:8000"
    assert vlm_from(spec, base_url="http://other:1").name == f"{spec} at other:1"


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with Loopback(from_openai("Yes.")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        vlm = vlm_from("compatible/some-model")
        assert vlm.ask(question()).text == "Yes."
    assert vlm.name.startswith("compatible/some-model at ")


@pytest.mark.parametrize(
    ("spec", "folder", "expected"),
    [
        ("manual", None, "manual"),
        ("manual", Path("run/questions"), "run/questions"),
        ("manual/", None, "manual"),
        ("manual/here/or there", Path("run/questions"), "here/or there"),
        ("manual//tmp/there", None, "/tmp/there"),
    ],
)
def test_manual(spec: str, folder: Path | None, expected: str) -> None:
    vlm = vlm_from(spec, folder=folder)
    assert isinstance(vlm, ManualVLM)
    assert vlm.folder == Path(expected)


@pytest.mark.parametrize("strict", [False, True])
def test_replay(tmp_path: Path, strict: bool) -> None:
    path = tmp_path / "session.json"
    save_recording(Recording("Made.", "m", (Exchange.of(question(), Reply("Yes.")),)), path)
    vlm = vlm_from(f"replay/{path}", strict=strict)
    assert vlm.name == "replay/session"
    assert vlm.ask(question()) == Reply("Yes.", model="m")
    if strict:
        with pytest.raises(UserError, match="--strict"):
            vlm.ask(question("changed"))


@pytest.mark.parametrize("spec", ["", "gpt", "google/some-model", "replay", "replay/", "/manual"])
def test_another_form_gets_the_list_of_forms(spec: str) -> None:
    with pytest.raises(UnknownName, match=r"There is no VLM .* There are: openai/MODEL, anthropic/MODEL, compatible/"):
        vlm_from(spec)


@pytest.mark.parametrize("spec", ["openai", "openai/", "anthropic", "compatible/"])
def test_a_provider_needs_a_model(spec: str) -> None:
    with pytest.raises(UserError, match=r"needs a model: \w+/MODEL\."):
        vlm_from(spec, base_url=SERVER)


def test_compatible_needs_an_address() -> None:
    with pytest.raises(UserError, match=r"compatible/some-model needs the server's address: --base-url URL"):
        vlm_from("compatible/some-model")


@pytest.mark.parametrize("spec", ["manual", "replay/session"])
def test_an_address_for_nothing_is_refused(spec: str) -> None:
    with pytest.raises(UserError, match=r"--base-url goes with openai, anthropic and compatible, not with"):
        vlm_from(spec, base_url=SERVER)


def test_a_missing_key_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(MissingKey, match="ANTHROPIC_API_KEY"):
        vlm_from("anthropic/some-model")


@pytest.mark.parametrize(
    ("spec", "loaded"),
    [("manual", []), ("openai/m", ["openai"]), ("anthropic/m", ["anthropic"])],
)
def test_an_sdk_is_loaded_only_where_it_is_chosen(spec: str, loaded: list[str]) -> None:
    program = (
        "import sys; from car.vlm.choose import vlm_from; import car.vlm.replay, car.vlm.journal; "
        f"vlm_from({spec!r}); print([name for name in ('anthropic', 'openai') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(loaded)


def test_the_end_of_a_model_is_said_where_the_sdk_knows_it() -> None:
    from anthropic.resources.messages import DEPRECATED_MODELS

    model, end = next(iter(DEPRECATED_MODELS.items()))
    assert (
        warning_about(f"anthropic/{model}")
        == f"Anthropic retires {model} on {end}; another model will do the same work."
    )
    assert [warning_about(each) for each in ("anthropic/no-such", "openai/gpt-4o", "manual", "replay/x")] == [""] * 4
