"""How few calls the recorded sessions took."""

from car.vlm.tokens import Range
from tools.calls import PAGE, Session, page, sessions


def test_the_page_is_as_the_command_writes_it() -> None:
    """After a change: python -m tools.calls --write-docs"""
    assert PAGE.read_text("utf-8") == page()


def test_every_session_took_no_more_than_two_calls_for_each_sub_task_and_two() -> None:
    found = list(sessions())
    assert {each.name for each in found} >= {"doorkey-8x8", "unlock", "unlockpickup", "taxi", "keycorridor-s3r2"}
    for each in found:
        assert each.subtasks + 2 <= each.calls <= each.allowed, each
        assert each.calls == each.subtasks + 2 + each.wrong
        assert 1000 * each.calls < each.asked.low < each.asked.high


def test_a_row() -> None:
    row = Session("a", 3, 7, 2, Range(12_345, 23_456), Range(1, 999)).row()
    assert row == "| a | 3 | 7 | 8 | 2 | 12,300 to 23,500 | 0 to 1,000 |\n"
