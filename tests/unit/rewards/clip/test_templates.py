"""The words around a task."""

from pathlib import Path

import pytest

from car.errors import UserError
from car.rewards.clip.templates import TEMPLATES, filled, lines_of, templates_of


def test_the_papers_templates_have_names() -> None:
    assert templates_of(["plain", "open", "open-app"]) == ("[TASK]", "Open [TASK]", "Open the [TASK] app")
    assert templates_of(["screenshot", "screenshot-android"]) == (
        "Screenshot of [TASK]",
        "Screenshot of [TASK] on Android",
    )
    assert all(template.count("[TASK]") == 1 for template in TEMPLATES.values())


def test_without_any_the_task_stands_alone() -> None:
    assert templates_of([]) == ("[TASK]",)
    assert filled("[TASK]", "the door is open") == "the door is open"


def test_a_template_of_ones_own_and_one_that_is_given_twice() -> None:
    own = "A picture in which [TASK]"
    assert templates_of([own, "plain", own, "plain"]) == (own, "[TASK]")
    assert filled(own, "the door is open") == "A picture in which the door is open"
    assert filled("[TASK], yes: [TASK]", "it is \\1 [x]") == "it is \\1 [x], yes: it is \\1 [x]"


def test_a_file_has_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "templates.txt"
    file.write_text("  Bild von [TASK] – schön\n\n[TASK]\n", encoding="utf-8")
    assert templates_of([str(file), "open"]) == ("Bild von [TASK] – schön", "[TASK]", "Open [TASK]")


def test_a_line_without_the_slot_is_named(tmp_path: Path) -> None:
    file = tmp_path / "templates.txt"
    file.write_text("a [TASK]\na picture\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"The template 'a picture' in .*templates\.txt has no \[TASK\] in it\."):
        templates_of([str(file)])


def test_what_is_neither_a_name_nor_a_template_nor_a_file_is_refused(tmp_path: Path) -> None:
    for name in ("close", str(tmp_path / "no.txt"), str(tmp_path), ""):
        with pytest.raises(UserError, match=r"There is no template .*: say one of plain, open, .* or a file\."):
            templates_of([name])


def test_lines_that_cannot_be_had_are_one_sentence(tmp_path: Path) -> None:
    empty, latin = tmp_path / "empty.txt", tmp_path / "latin.txt"
    empty.write_text("\n  \n", encoding="utf-8")
    latin.write_bytes(b"Tr\xe4ger\n")
    with pytest.raises(UserError, match=r"The file of negatives .*empty\.txt is empty; it has one a line\."):
        lines_of(empty, "negatives")
    with pytest.raises(UserError, match=r"The file of negatives .*latin\.txt cannot be read: it is not UTF-8 text\."):
        lines_of(latin, "negatives")
    with pytest.raises(UserError, match=r"none\.txt cannot be read: No such file or directory\."):
        lines_of(tmp_path / "none.txt", "negatives")
