"""The examples run as they are, for a few steps, and the bundle pays in each of them."""

import importlib.util
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
EXAMPLES = TOP / "examples"
HAS_RLLIB = all(importlib.util.find_spec(each) for each in ("ray", "tree", "pandas", "pyarrow", "lz4", "ormsgpack"))

Paid = Callable[[str, int], float]


@pytest.fixture
def paid(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Paid:
    """Runs an example as a script in this process, and gives what it says that the bundle paid."""
    monkeypatch.chdir(TOP)

    def ran(name: str, steps: int) -> float:
        monkeypatch.setattr(sys, "argv", [name, "--steps", str(steps)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        said = capsys.readouterr().out
        found = re.search(r"^(\d+) steps, \d+ episodes; dense reward paid: (\S+)$", said, re.M)
        assert found is not None, said
        assert int(found[1]) >= steps
        assert re.search(r"^success in .*: \d+%$", said, re.M)
        return float(found[2])

    return ran


def test_ppo_of_stable_baselines3(paid: Paid) -> None:
    assert paid("sb3_ppo.py", 2048) > 0


def test_dqn_of_stable_baselines3(paid: Paid) -> None:
    assert paid("sb3_dqn.py", 2000) > 0


def test_sac_of_stable_baselines3_on_a_continuous_task(paid: Paid) -> None:
    assert paid("sb3_sac.py", 600) > 0


def test_a_trainer_in_one_file(paid: Paid) -> None:
    assert paid("cleanrl_style.py", 2048) > 0


@pytest.mark.skipif(not HAS_RLLIB, reason="RLlib's packages are not installed; docs/trainers.md says how")
@pytest.mark.filterwarnings("default")
def test_ppo_of_rllib(paid: Paid) -> None:
    assert paid("rllib_ppo.py", 4096) > 0


def test_the_page_on_trainers_names_every_example() -> None:
    text = (TOP / "docs" / "trainers.md").read_text("utf-8")
    assert [path.name for path in sorted(EXAMPLES.glob("*.py")) if f"../examples/{path.name}" not in text] == []
