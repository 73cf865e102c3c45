"""The command's mistakes, each in a sentence."""

from pathlib import Path

import pytest

from tests.unit.audit.planted_audit import FALSE, FINE, written
from tests.unit.cli.planted_session import car


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "There is no reward bundle 'nothing'"),
        (("doorkey-8x8", "--wrong", "1"), "must be EPISODE:SUBTASK"),
        (("doorkey-8x8", "--wrong", "1:door-opened"), "There is no audit in"),
        (("doorkey-8x8", "--task", "unlock"), "is not that of this bundle: its name is 'unlock'"),
        (("doorkey-8x8", "--steps", "0"), "greater than or equal to 1"),
    ],
)
def test_mistakes_are_said_and_begin_nothing(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    result = car("audit", *arguments, "--out", tmp_path / "audit")
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert not (tmp_path / "audit").exists()


def test_a_judgement_is_kept_and_the_page_written_anew(tmp_path: Path) -> None:
    folder = written(tmp_path / "planted", FALSE, FINE)
    result = car("audit", "doorkey-8x8", "--out", folder.path, "--wrong", "2:dim", "--right", "1:bright")
    assert result.exit_code == 0, result.output
    assert "2:dim is wrong, a person says." in result.stdout
    assert "a person explained those that were kept" in result.stdout
    assert folder.page.exists()
    assert "--from-audit" in result.stdout.splitlines()[-1]


def test_generating_from_an_audit_needs_one(tmp_path: Path) -> None:
    result = car("generate", "doorkey-8x8", "--vlm", "replay/doorkey-8x8", "--from-audit", "--audits", tmp_path)
    assert result.exit_code == 2
    assert "make one with `car audit doorkey-8x8`" in " ".join(result.output.split())
