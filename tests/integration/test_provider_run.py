"""`car generate` and `car doctor` with a provider: money, limits, recordings, interrupts."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from car.vlm.journal import alone
from tests.integration.planted_provider import Provider
from tests.integration.test_interrupt import Command
from tests.unit.cli.planted_session import car
from tests.unit.vlm.loopback import Answer, Loopback, from_anthropic, from_openai, from_responses, openai_error

_KEY = "sk-proj-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, _KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("CAR_CONFIG", "CAR_VLM", "CAR_BASE_URL", "CAR_MAX_COST", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def _options(provider: Provider, trajectories: Path, *more: object) -> list[object]:
    server = ["--vlm", "openai/gpt-4o", "--base-url", provider.url]
    return ["generate", "doorkey-6x6", *server, "--trajectories", trajectories, "--rewards", "rewards", *more]


def _manifest() -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(Path("rewards/doorkey-6x6/manifest.json").read_text())
    return manifest


def _cost(usage: dict[str, int], price: tuple[float, float] = (3, 15)) -> float:
    return (usage["input_tokens"] * price[0] + usage["output_tokens"] * price[1]) / 1e6


class TestMoney:
    def test_is_foretold_counted_and_kept(self, provider: Provider, doorkey_folder: Path) -> None:
        ran = car(*_options(provider, doorkey_folder, "--price", "3/15", "--json"))
        assert ran.exit_code == 0, ran.stderr
        document, manifest = json.loads(ran.stdout), _manifest()
        assert document["calls"] == manifest["calls"] == 7
        assert manifest["cost"] == {"amount": round(document["cost"], 6), "prices": "--price 3/15"}
        assert document["cost"] == pytest.approx(_cost(manifest["usage"]))
        assert "Expected: 8 calls, " in ran.stderr
        assert "with bad luck 105 calls, " in ran.stderr
        assert f"{document['cost']:.4f} so far" in ran.stderr

    def test_an_unknown_price_is_said(self, provider: Provider, doorkey_folder: Path) -> None:
        ran = car(*_options(provider, doorkey_folder))
        assert ran.exit_code == 0, ran.stderr
        assert "8 calls, " in ran.stderr
        assert "price unknown" in ran.stderr
        assert "price unknown" in ran.stdout
        assert _manifest()["cost"]["amount"] is None

    def test_a_limit_of_an_unknown_price_asks_nothing(self, provider: Provider, doorkey_folder: Path) -> None:
        ran = car(*_options(provider, doorkey_folder, "--max-cost", "1"))
        assert ran.exit_code == 2
        assert "needs a price" in ran.stderr
        assert not provider.book.asked

    def test_a_dry_run_asks_nothing(self, provider: Provider, doorkey_folder: Path) -> None:
        ran = car(*_options(provider, doorkey_folder, "--dry-run", "--price", "3/15"))
        assert ran.exit_code == 0
        assert "three sub-tasks, each mended once" in ran.stdout
        as_json = json.loads(car(*_options(provider, doorkey_folder, "--dry-run", "--json")).stdout)
        assert as_json["forecast"]["likely"]["calls"] == 8
        assert as_json["forecast"]["likely"]["cost"] is None
        assert not provider.book.asked
        assert not Path("rewards").exists()


class TestALimit:
    @pytest.mark.parametrize(
        ("limit", "asked"),
        [
            (["--max-calls", "4"], 4),
            (["--max-tokens", "9500", "--max-output", "300"], None),
            (["--max-cost", "0.045", "--max-output", "300"], None),
        ],
        ids=["calls", "tokens", "cost"],
    )
    def test_stops_before_the_call_that_would_go_over_and_keeps_all(
        self, limit: list[str], asked: int | None, provider: Provider, doorkey_folder: Path
    ) -> None:
        ran = car(*_options(provider, doorkey_folder, "--price", "3/15", *limit))
        assert ran.exit_code == 1, ran.stderr
        manifest = _manifest()
        made = manifest["calls"]
        assert 2 < made < 7
        assert made == (asked or made)
        assert sum(provider.book.asked.values()) == made
        assert sum(manifest["usage"].values()) <= (9500 if "--max-tokens" in limit else 10**6)
        assert _cost(manifest["usage"]) <= 0.045
        assert "The budget ended the search: " in ran.stderr

    def test_a_larger_one_goes_on_from_there(self, provider: Provider, doorkey_folder: Path) -> None:
        assert car(*_options(provider, doorkey_folder, "--max-calls", "2")).exit_code == 1
        assert car(*_options(provider, doorkey_folder)).exit_code == 0
        assert set(provider.book.asked.values()) == {1}
        assert len(provider.book.asked) == 7

    def test_that_ends_before_any_program_is_one_sentence(self, provider: Provider, doorkey_folder: Path) -> None:
        ran = car(*_options(provider, doorkey_folder, "--max-tokens", "5000"))
        assert ran.exit_code == 1
        assert "The budget ended before the goal was named: 0 of 5,000 tokens are used, and the next" in ran.stderr
        assert not provider.book.asked


def test_a_recording_is_in_order_and_gives_the_same_bundle(provider: Provider, doorkey_folder: Path) -> None:
    assert car(*_options(provider, doorkey_folder, "--record", "session.json", "--parallel", "4")).exit_code == 0
    live = {str(each): each.read_bytes() for each in sorted(Path("rewards/doorkey-6x6").rglob("*")) if each.is_file()}
    exchanges = json.loads(Path("session.json").read_text())["exchanges"]
    assert [each["request_sha256"] for each in exchanges] == _manifest()["requests"]
    replay = ["generate", "doorkey-6x6", "--vlm", "replay/session.json", "--strict", "--trajectories", doorkey_folder]
    bundles = []
    for folder in ("one", "two"):
        ran = car(*replay, "--rewards", folder)
        assert ran.exit_code == 0, ran.stderr
        files = sorted(Path(folder, "doorkey-6x6").rglob("*"))
        bundles.append({str(each.relative_to(folder)): each.read_bytes() for each in files if each.is_file()})
        bundles[-1].pop("doorkey-6x6/measured.json")
    assert bundles[0] == bundles[1]
    # Against the live one, all is the same but where the answers came from and what they cost.
    different = {name for name, content in bundles[0].items() if live[f"rewards/{name}"] != content}
    assert different == {"doorkey-6x6/manifest.json"}
    ours, theirs = json.loads(bundles[0]["doorkey-6x6/manifest.json"]), _manifest()
    assert {name for name in ours if ours[name] != theirs[name]} == {"provenance", "cost"}


def test_a_second_command_on_the_same_task_would_pay_twice_and_is_refused(
    provider: Provider, doorkey_folder: Path
) -> None:
    with alone(Path("rewards/.journal/doorkey-6x6")):
        ran = car(*_options(provider, doorkey_folder))
        assert ran.exit_code == 2
        assert "Another command is at work with the replies in" in ran.stderr
        assert car(*_options(provider, doorkey_folder, "--fresh")).exit_code == 2
    assert not provider.book.asked


def test_the_key_is_nowhere(provider: Provider, doorkey_folder: Path) -> None:
    ran = car(*_options(provider, doorkey_folder, "--record", "session.json", "--max-calls", "2"))
    assert Path("session.json").exists()
    assert _KEY not in ran.stdout + ran.stderr
    assert not [each for each in Path().rglob("*") if each.is_file() and _KEY.encode() in each.read_bytes()]


class TestAnInterrupt:
    def test_waits_for_the_answers_on_their_way_and_they_are_kept(
        self, provider: Provider, doorkey_folder: Path, tmp_path: Path
    ) -> None:
        provider.delay = 1.5
        command = Command(tmp_path, *_options(provider, doorkey_folder))
        command.interrupt_when(lambda: sum(provider.book.asked.values()) == 5)
        said = command.was_interrupted()
        assert "Interrupted. Waiting for the 3 answers that are on the way" in " ".join(said.split())
        assert len(list(Path("rewards/.journal/doorkey-6x6").glob("*.json"))) == 5
        provider.delay = 0
        assert car(*_options(provider, doorkey_folder)).exit_code == 0
        assert set(provider.book.asked.values()) == {1}

    def test_a_second_one_leaves_at_once(self, provider: Provider, doorkey_folder: Path, tmp_path: Path) -> None:
        provider.delay = 30
        command = Command(tmp_path, *_options(provider, doorkey_folder))
        command.interrupt_when(lambda: sum(provider.book.asked.values()) == 1)
        time.sleep(0.5)
        began = time.monotonic()
        command.interrupt_when(lambda: True)
        command.was_interrupted()
        assert time.monotonic() - began < 10


def _seen(body: Any) -> str:
    """The colour in the middle of the picture, from whichever protocol."""
    text = json.dumps(body)
    start = text.index("iVBOR")
    data = base64.b64decode(text[start : text.index('"', start)])
    b, g, r = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[64, 64]
    return {(220, 30, 30): "Red", (30, 170, 50): "Green", (40, 60, 220): "Blue", (240, 220, 40): "Yellow"}[(r, g, b)]


class TestTheDoctor:
    @pytest.mark.parametrize(
        ("spec", "made", "path"),
        [
            ("openai/gpt-4o", from_responses, "/v1"),
            ("compatible/llava", from_openai, "/v1"),
            ("anthropic/some-claude", from_anthropic, ""),
        ],
    )
    def test_asks_one_small_question_with_a_picture(self, spec: str, made: Any, path: str) -> None:
        with Loopback(lambda body: made(_seen(body))) as server:
            ran = car("doctor", "--vlm", spec, "--base-url", server.url + path, "--price", "3/15", "--json")
        assert ran.exit_code == 0, ran.stdout
        assert len(server.received) == 1
        answered, sees, costs = json.loads(ran.stdout)["findings"][-3:]
        assert answered["said"].startswith("answered: some-model-2026")
        assert "square and said: " in sees["said"]
        assert sees["fine"] is True
        assert costs["said"].startswith("1 call, ")
        assert costs["said"].endswith("; prices: --price 3/15")
        assert costs["details"]["cost"] > 0

    def test_a_model_that_sees_nothing_is_found_out(self) -> None:
        with Loopback(from_openai("I see no picture.")) as server:
            ran = car("doctor", "--vlm", "compatible/m", "--base-url", f"{server.url}/v1")
        assert ran.exit_code == 3
        assert "Does this model see pictures?" in " ".join(ran.stdout.split())
        assert "price unknown" in ran.stdout

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (openai_error(401, f"Incorrect API key provided: {_KEY}."), "Incorrect API key provided: ***"),
            (openai_error(404, "The model `m` does not exist"), "Check the name of the model"),
        ],
    )
    def test_says_what_is_wrong_in_the_providers_words(self, answer: Answer, words: str) -> None:
        with Loopback(answer) as server:
            ran = car("doctor", "--vlm", "openai/m", "--base-url", f"{server.url}/v1")
        assert ran.exit_code == 3
        assert words in " ".join(ran.stdout.split())
        assert _KEY not in ran.stdout

    def test_no_key_is_a_users_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ANTHROPIC_API_KEY")
        ran = car("doctor", "--vlm", "anthropic/m")
        assert ran.exit_code == 2
        assert "set ANTHROPIC_API_KEY" in ran.stderr

    @pytest.mark.parametrize("spec", ["manual", "replay/taxi"])
    def test_those_who_cannot_fail_are_not_asked(self, spec: str) -> None:
        assert "asks nobody that could fail" in car("doctor", "--vlm", spec).stderr

    def test_a_default_in_car_toml_does_not_make_it_ask(self) -> None:
        with Loopback(from_openai("Red")) as server:
            Path("car.toml").write_text(f'vlm = "compatible/m"\nbase-url = "{server.url}/v1"\n')
            assert car("doctor").exit_code == 0
        assert not server.received


class TestADefaultAddress:
    """In the environment or in car.toml, for a server of one's own."""

    def test_is_nothing_to_those_who_ask_nobody(self, doorkey_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CAR_BASE_URL", "http://127.0.0.1:9/v1")
        ran = car(
            "generate", "doorkey-6x6", "--vlm", "replay/doorkey-8x8", "--trajectories", doorkey_folder, "--strict"
        )
        assert "was made with another prompt" in ran.stderr
        typed = car("generate", "doorkey-6x6", "--vlm", "replay/doorkey-8x8", "--base-url", "http://127.0.0.1:9/v1")
        assert "--base-url goes with openai" in typed.stderr

    @pytest.mark.parametrize("spec", ["openai/gpt-4o", "anthropic/some-claude"])
    def test_does_not_get_the_key_of_another_provider(
        self, spec: str, doorkey_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Loopback(from_openai("Red")) as server:
            Path("car.toml").write_text(f'base-url = "{server.url}/v1"\n')
            monkeypatch.delenv("OPENAI_API_KEY")
            monkeypatch.delenv("ANTHROPIC_API_KEY")
            ran = car("doctor", "--vlm", spec)
        assert ran.exit_code == 2
        assert "There is no API key" in ran.stderr
        assert not server.received

    def test_is_used_for_a_compatible_server(self) -> None:
        with Loopback(lambda body: from_openai(_seen(body))) as server:
            Path("car.toml").write_text(f'base-url = "{server.url}/v1"\n')
            assert car("doctor", "--vlm", "compatible/m").exit_code == 0
        assert len(server.received) == 1


def test_fresh_without_a_key_leaves_the_replies_where_they_are(
    provider: Provider, doorkey_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert car(*_options(provider, doorkey_folder, "--max-calls", "2")).exit_code == 1
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    ran = car("generate", "doorkey-6x6", "--vlm", "anthropic/m", "--fresh", "--rewards", "rewards")
    assert ran.exit_code == 2
    assert car(*_options(provider, doorkey_folder, "--max-calls", "2")).exit_code == 1
    assert list(provider.book.asked.values()) == [1, 1]


def test_fresh_asks_anew_and_keeps_what_was_paid_for(provider: Provider, doorkey_folder: Path) -> None:
    for _ in range(3):
        assert car(*_options(provider, doorkey_folder, "--fresh", "--max-calls", "2")).exit_code == 1
    assert set(provider.book.asked.values()) == {3}
    journals = sorted(each.name for each in Path("rewards/.journal").iterdir())
    assert journals == ["doorkey-6x6", "doorkey-6x6.1", "doorkey-6x6.2", "doorkey-6x6.3"]
    assert [len(list(Path("rewards/.journal", each).glob("*.json"))) for each in journals] == [2, 0, 2, 2]


def test_a_price_and_a_limit_in_car_toml_do_not_bill_a_replay(provider: Provider, doorkey_folder: Path) -> None:
    assert car(*_options(provider, doorkey_folder, "--record", "session.json")).exit_code == 0
    Path("car.toml").write_text('price = "3000/15000"\nmax-cost = 0.01\n')
    replay = ["generate", "doorkey-6x6", "--vlm", "replay/session.json", "--trajectories", doorkey_folder, "--json"]
    ran = car(*replay)
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout)["cost"] == 0


def test_a_server_that_counts_nothing_is_limited_by_estimates(
    provider: Provider, doorkey_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.uncounted = True
    ran = car(*_options(provider, doorkey_folder, "--price", "3/15", "--max-tokens", "20000", "--max-output", "300"))
    assert ran.exit_code == 1
    assert 3 <= _manifest()["calls"] < 7
    assert _manifest()["cost"]["amount"] is None
    assert "tokens are reckoned as used, for no tokens are counted" in " ".join(ran.stderr.split())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--vlm", "compatible/m", "--dry-run"], "compatible/m needs the server's address"),
        (["--vlm", "openai/", "--dry-run"], "'openai' needs a model"),
        (
            ["--vlm", "compatible/m", "--base-url", "http://bob:hunter2@127.0.0.1:80x/v1"],
            "'http://***@127.0.0.1:80x/v1'",
        ),
        (["--vlm", "compatible/m", "--base-url", "bob:hunter2@host/v1"], "'***@host/v1' is not the address"),
        (["--vlm", "AIzaSyA1234567890abcdefghijk"], "There is no VLM 'AIza***'"),
    ],
)
def test_what_cannot_be_asked_is_said_without_secrets(options: list[str], words: str) -> None:
    ran = car("generate", "doorkey-6x6", *options)
    assert ran.exit_code == 2
    assert words in ran.stderr
    assert "hunter2" not in ran.stderr


def test_a_limit_that_is_too_small_is_said_before_anything_is_asked(provider: Provider, doorkey_folder: Path) -> None:
    options = _options(provider, doorkey_folder, "--price", "3/15", "--max-cost", "0.05")
    for more in (["--dry-run"], []):
        ran = car(*options, *more)
        said = " ".join((ran.stdout + ran.stderr).split())
        assert "The limit is too small for the first question: 0.00 of 0.0500 are spent, and the next call" in said
    assert ran.exit_code == 1
    assert not provider.book.asked


def test_what_cannot_be_used_is_read_again_and_the_way_out_is_said(doorkey_folder: Path) -> None:
    with Loopback(from_responses("")) as server:
        options = ["--vlm", "openai/m", "--base-url", f"{server.url}/v1", "--trajectories", doorkey_folder]
        for _ in range(2):
            ran = car("generate", "doorkey-6x6", *options)
            assert ran.exit_code == 3
            said = " ".join(ran.stderr.split())
            assert "The same command would read these answers again: --fresh asks anew; or try another model." in said
    asked = [each for each in server.received if not each.path.endswith("/input_tokens")]
    assert len(asked) == 3


def test_answers_that_were_on_disk_are_told_apart(provider: Provider, doorkey_folder: Path) -> None:
    assert car(*_options(provider, doorkey_folder, "--max-calls", "2")).exit_code == 1
    ran = car(*_options(provider, doorkey_folder, "--max-calls", "2"))
    assert ran.stderr.count(", from disk, ") == 2


def test_a_verified_bundle_is_not_replaced_by_one_that_is_not(provider: Provider, doorkey_folder: Path) -> None:
    assert car(*_options(provider, doorkey_folder)).exit_code == 0
    assert car(*_options(provider, doorkey_folder, "--max-calls", "3")).exit_code == 1
    verdicts = {
        each.parent.name: json.loads(each.read_text())["accepted"] for each in Path("rewards").glob("*/verdict.json")
    }
    assert sorted(verdicts.values()) == [False, True]
    assert verdicts["doorkey-6x6"] is False
    (aside,) = set(verdicts) - {"doorkey-6x6"}
    assert aside.startswith("doorkey-6x6.")


def test_who_leaves_does_not_try_again(provider: Provider, doorkey_folder: Path, tmp_path: Path) -> None:
    """An error that may pass is no answer on its way: trying again would cost anew."""
    with Loopback(openai_error(500, "Broken", retry_after_ms="1500")) as server:
        options = ["--vlm", "openai/m", "--base-url", f"{server.url}/v1", "--trajectories", doorkey_folder]
        command = Command(tmp_path, "generate", "doorkey-6x6", *options)
        asked = lambda: sum(each.path.endswith("/responses") for each in server.received)  # noqa: E731
        command.interrupt_when(lambda: asked() == 1)
        time.sleep(0.2)
        before = asked()
        command.was_interrupted()
        assert asked() == before == 1
