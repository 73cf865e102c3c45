from pathlib import Path

import pytest

from car.batch import Order
from car.batch.places import errand_of, with_recording
from car.errors import UserError
from car.tasks import find_task
from car.verify import Bar
from car.vlm.price import FREE, Price

UNLOCK = find_task("unlock")


def test_the_name_of_the_task_goes_into_the_spec() -> None:
    assert Order("replay/{task}").spec("unlock") == "replay/unlock"
    assert Order("openai/gpt-4o").spec("unlock") == "openai/gpt-4o"


def test_what_is_paid_has_limits_and_a_price() -> None:
    paid = Order("openai/gpt-4o", cost=2.0, price=(3, 15), random=0.2).budget
    assert (paid.cost, paid.price, paid.max_output) == (2.0, Price(3, 15), 8000)
    replayed = Order("replay/{task}", price=(3, 15), random=0.2)
    assert (replayed.budget.price, replayed.budget.max_output) == (FREE, None)
    assert replayed.bar == Bar(1.0, 0.2)


def test_words_that_are_wrong() -> None:
    with pytest.raises(UserError, match="needs a model"):
        Order("openai/").check()


def test_an_errand_has_the_key_apart_and_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-of-another")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    errand = errand_of(UNLOCK, Order("openai/gpt-4o"), tmp_path / "trajectories", tmp_path / "rewards")
    assert errand.environment == {"OPENAI_API_KEY": "sk-planted"}
    assert "sk-planted" not in errand.told
    assert "sk-planted" not in repr(errand)
    assert errand.parts == (".journal/unlock", ".journal/.made/unlock", ".journal/.log/unlock.txt")
    assert errand.reads == {"trajectories": tmp_path / "trajectories" / "unlock"}


def test_a_recording_that_is_a_file_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    order = Order("replay/sessions/{task}.json")
    assert "recording" not in errand_of(UNLOCK, order, tmp_path, tmp_path).reads
    Path("sessions").mkdir()
    Path("sessions/unlock.json").touch()
    assert errand_of(UNLOCK, order, tmp_path, tmp_path).reads["recording"] == Path("sessions/unlock.json")
    assert with_recording(order, {"recording": "/there/unlock.json"}).spec("unlock") == "replay//there/unlock.json"
    assert with_recording(order, {}) == order
