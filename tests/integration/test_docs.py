"""What the README and the user guide say, done as written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_TOP = Path(__file__).parents[2]
_PAGES = (
    "README.md", "docs/audit.md", "docs/benchmark.md", "docs/clip.md", "docs/generating.md", "docs/library.md",
    "docs/options.md", "docs/ray.md"
)  # fmt: skip
# What is in docs/audit.md takes minutes.
_BLOCKS = [
    (page, number, code)
    for page in _PAGES
    if page != "docs/audit.md"
    for number, code in enumerate(
        re.findall(r"^```python\n(.*?)^```", (_TOP / page).read_text("utf-8"), re.M | re.S), 1
    )
]


@pytest.mark.parametrize(("page", "number", "code"), _BLOCKS, ids=[f"{page}-{number}" for page, number, _ in _BLOCKS])
def test_python_blocks_run(page: str, number: int, code: str, tmp_path: Path) -> None:
    (tmp_path / "generated_rewards").symlink_to(_TOP / "generated_rewards")
    ran = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "page", sorted(path.relative_to(_TOP) for path in [_TOP / "README.md", *_TOP.glob("docs/**/*.md")])
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)", (_TOP / page).read_text("utf-8"))
    assert [target for target in targets if not ((_TOP / page).parent / target).exists()] == []


@pytest.mark.parametrize("page", _PAGES)
def test_commands_and_options_in_the_pages_exist(page: str) -> None:
    import typer

    from car.cli.app import app

    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    text = (_TOP / page).read_text("utf-8")
    for line in re.findall(r"^\s*car ([^#\n]*)", text, re.M):
        name, *words = line.split()
        assert name in commands, line
        command = commands[name]
        if words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_the_shipped_bundles_are_whole_verified_and_reviewed() -> None:
    from car.bundle import list_bundles, load_bundle

    bundles = [load_bundle(path) for path in list_bundles(_TOP / "generated_rewards")]
    assert {"doorkey-8x8", "unlock"} <= {each.task.name for each in bundles}
    assert all(each.verdict.accepted and each.approved for each in bundles)


def test_the_shipped_sessions_say_how_they_were_made_and_one_was_mended() -> None:
    from car.vlm.recording import load_recording

    sessions = [load_recording(path) for path in sorted((_TOP / "car" / "recordings").glob("*.json"))]
    assert all("Made through the manual way" in each.made for each in sessions)
    assert any(exchange.stage == "refine" for each in sessions for exchange in each.exchanges)
