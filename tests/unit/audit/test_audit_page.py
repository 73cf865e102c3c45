"""The page that a person looks at."""

import re
from pathlib import Path

from car.audit import Judgement, audit_page
from tests.unit.audit.planted_audit import EARLY, FALSE, FINE, MISSED, played, written

FAR = played((0, 12, 0), 3, success=False)


def page(path: Path, *episodes: object, confirmed: bool = True) -> str:
    return audit_page(written(path, *episodes, confirmed=confirmed).findings(), "audits/planted")  # type: ignore[arg-type]


def test_shows_what_disagrees_by_kind_and_the_best_paid(tmp_path: Path) -> None:
    html = page(tmp_path / "planted", FALSE, EARLY, MISSED, FINE)
    for title in ("Goal without success: 1 episode", "Goal before the success: 1", "Success without the goal: 1"):
        assert title in html
    assert "something speaks against it" in html
    assert html.index("Success without the goal: 1") < html.index("What a person must judge")
    assert "car audit rewards/planted --out audits/planted --wrong EPISODE:SUBTASK" in html


def test_a_sub_task_is_shown_with_the_frame_before_it(tmp_path: Path) -> None:
    slow = played((0, 0, 0, 12, 12, 12, 25, 0), 1, success=False)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page(tmp_path / "planted", slow))
    assert captions == ["0", "2", "3: dim", "5", "6: bright", "last"]


def test_only_the_goal_of_a_false_one_is_accused_and_what_a_person_says(tmp_path: Path) -> None:
    folder = written(tmp_path / "planted", FALSE, FINE)
    folder.judge([Judgement(2, "dim", True)])
    html = audit_page(folder.findings(), "audits/planted")
    accused = re.findall(r'<figure class="seen accused">.*?<figcaption>(.*?)</figcaption>', html)
    assert accused == ["2: bright", "1: dim"]


def test_many_are_folded_away(tmp_path: Path) -> None:
    html = page(tmp_path / "planted", *(played((0, 12, 25, 0), seed, success=False) for seed in range(8)))
    assert "<summary>2 more</summary>" in html


def test_says_when_nothing_was_found_or_nothing_can_be_said(tmp_path: Path) -> None:
    assert "nothing found" in page(tmp_path / "fine", FINE)
    assert '<span class="badge bad">no agent got to the goal</span>' in page(tmp_path / "far", FAR)
    assert "No agent was paid anything" in page(tmp_path / "idle")
    unknown = page(tmp_path / "unknown", FALSE, confirmed=False)
    assert "The environment never reported success" in unknown
    assert "Goal without success" not in unknown


def test_is_one_file(tmp_path: Path) -> None:
    html = page(tmp_path / "planted", FALSE)
    assert not re.findall(r'(?:src|href)="(?!data:)', html)
