import errno
import json
from collections.abc import Callable
from typing import Any

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner, Result

from car.cli.output import INTERRUPTED, Group, Json, next_step, progress, result
from car.errors import ProviderError, UserError


def raising(error: BaseException) -> Callable[..., Result]:
    """Runs a command that raises this."""
    app = typer.Typer(cls=Group, add_completion=False)

    @app.callback()
    def root() -> None:
        """Makes it a group of commands."""

    @app.command()
    def fail(as_json: Json = False) -> None:
        raise error

    return lambda *arguments: CliRunner().invoke(app, ["fail", *arguments])


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UserError("There is no task 'x'."), 2, "error: There is no task 'x'."),
        (ProviderError("It said no."), 3, "error: It said no."),
        (KeyboardInterrupt(), 130, INTERRUPTED),
        (KeyboardInterrupt("Interrupted; go on with --resume."), 130, "Interrupted; go on with --resume."),
        (
            OSError(errno.ENOSPC, "No space left on device", "a/b"),
            2,
            "error: No space left on device (a/b). What was done before is kept; put this right and start again.",
        ),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_code(error: BaseException, code: int, sentence: str) -> None:
    run = raising(error)
    said = run()
    assert (said.exit_code, said.stdout, said.stderr) == (code, "", f"{sentence}\n")
    assert isinstance(said.exception, SystemExit)
    told = run("--json")
    assert (told.exit_code, told.stderr) == (code, f"{sentence}\n")
    assert json.loads(told.stdout) == {"error": sentence.removeprefix("error: "), "exit_code": code}


@pytest.mark.parametrize("words", ["[red]red[/red]", "[/]", r"\[bold]", "a\\", "list[int]", "[link=x]y", ":smile:"])
def test_what_looks_like_markup_is_printed_as_it_is(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(UserError(words))().stderr == f"error: {words}\n"
    result(False, {}, words, Text(words))
    assert capsys.readouterr().out == f"{words}\n{words}\n"


def test_a_long_sentence_stays_on_one_line_where_there_is_no_terminal() -> None:
    assert len(raising(UserError("word " * 100))().stderr.splitlines()) == 1


def test_an_error_that_nobody_foresaw_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        raise raising(ZeroDivisionError())().exception or AssertionError("nothing was raised")


def test_a_wrong_option_is_told_to_machines_too() -> None:
    said = raising(UserError(""))("--json", "--colour")
    assert said.exit_code == 2
    told = json.loads(said.stdout)
    assert "--colour" in told["error"]
    assert told["exit_code"] == 2
    assert "--colour" in said.stderr


def test_a_reader_that_has_enough_is_no_error() -> None:
    said = raising(BrokenPipeError(errno.EPIPE, "Broken pipe"))()
    assert (said.exit_code, said.stderr) == (1, "")


def test_progress_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("counting", 3) as advance:
        advance()
        advance("counting on", 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.strip() == ""


def test_a_result_is_json_or_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[Any] = ["a sentence", next_step("car demo")]
    result(True, {"number": 1}, *shown)
    assert json.loads(capsys.readouterr().out) == {"number": 1}
    result(False, {"number": 1}, *shown)
    assert capsys.readouterr().out == "a sentence\nNext: car demo\n"
