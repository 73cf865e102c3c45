"""What `car doctor` looks at."""

from pathlib import Path

import pytest

from car.doctor import Finding, examine
from car.sandbox.isolation import Layer


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    with pytest.MonkeyPatch.context() as environment:
        environment.chdir(tmp_path_factory.mktemp("nothing"))
        environment.delenv("CAR_CONFIG", raising=False)
        environment.setenv("OPENAI_API_KEY", "sk-secret")
        environment.delenv("ANTHROPIC_API_KEY", raising=False)
        return {each.name: each for each in examine()}


def test_nothing_is_wrong_where_the_tests_run(findings: dict[str, Finding]) -> None:
    assert [each for each in findings.values() if each.fine is False] == []
    assert len(findings) == 15 + len(Layer)


@pytest.mark.parametrize("name", ["python", "numpy", "minigrid", "torch", "prompts", "sandbox"])
def test_looks_at_what_the_commands_need(name: str, findings: dict[str, Finding]) -> None:
    assert findings[name].fine is True
    assert findings[name].said


def test_a_checker_really_ran(findings: dict[str, Finding]) -> None:
    assert findings["sandbox"].said == "a checker ran in a process of its own"


def test_says_how_well_programs_are_isolated_and_by_what(findings: dict[str, Finding]) -> None:
    assert "level" in findings["isolation"].said
    assert findings["isolation"].details["level"] in range(4)
    assert all(findings[layer].part_of == "isolation" for layer in Layer)


def test_keys_are_worth_knowing_and_never_shown(findings: dict[str, Finding]) -> None:
    assert findings["OPENAI_API_KEY"] == Finding("OPENAI_API_KEY", None, "set")
    assert findings["ANTHROPIC_API_KEY"].fine is None
    assert "need none" in findings["ANTHROPIC_API_KEY"].said
    assert not any("sk-secret" in each.said for each in findings.values())


def test_says_which_settings_are_in_use(
    findings: dict[str, Finding], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert findings["car.toml"] == Finding("car.toml", None, "none")
    path = tmp_path / "mine.toml"
    monkeypatch.setenv("CAR_CONFIG", str(path))
    assert _settings().fine is False
    path.write_text("vlm = ")
    assert _settings().fine is False
    path.write_text('vlm = "sk-secret"\nmax-cost = 2.5\n[train]\nreward = ["a", "sparse"]\n')
    said = f"{path}: vlm = sk-***, max-cost = 2.5, [train] reward = ['a', 'sparse']"
    assert _settings() == Finding("car.toml", None, said)


def _settings() -> Finding:
    (found,) = (each for each in examine() if each.name == "car.toml")
    return found
