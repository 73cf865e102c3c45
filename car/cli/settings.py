"""Defaults for the command line from a file, `car.toml`."""

import os
import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from car.errors import UserError
from car.keys import holds_a_secret

_VARIABLE, _FILE = "CAR_CONFIG", "car.toml"
# The file may have come with a folder from somebody else, and these give up a protection, speak for a person, or pay
# for the same once more.
_TYPED = frozenset({"approve", "reject", "allow-unreviewed", "isolation", "fresh"})
# What a command does only if it is told to at that moment: a plain `car doctor` must ask nobody who charges for it.
_ASKED_FOR = {"doctor": frozenset({"vlm"})}
_SECRET_NAME = re.compile(r"(key|token|secret|credential)s?$|passw|passphrase|secret", re.IGNORECASE)

_Options = Mapping[str, Any]
"""The options of a command, by their long names without the dashes."""


def defaults(ctx: Any, commands: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the file sets for one command, as a default map of click.

    The names in the file are checked for all commands, the values for this one: an option of the same name may take
    something else in another.

    Args:
        ctx: the context of the group.
        commands: all commands, by name.
        name: the command that is run.

    Raises:
        UserError: the file is missing though it is named, is damaged, holds a secret, or sets what cannot be set.
    """
    path = _path()
    if path is None:
        return {}
    document = _read(path)
    options = {each: _options(command) for each, command in commands.items()}
    _refuse_secrets(path, document, _all(options))
    chosen = _chosen(path, document, options, name)
    return {
        parameter.name: _checked(ctx, f"{chosen[option][0]}: {option!r} of `car {name}`", parameter, chosen[option][1])
        for option, parameter in options[name].items()
        if option in chosen and option not in _ASKED_FOR.get(name, ())
    }


def _chosen(
    path: Path, document: dict[str, Any], options: Mapping[str, _Options], name: str
) -> dict[str, tuple[str, Any]]:
    """What the file sets for a command: by option, where in the file, and the value.

    Raises:
        UserError: there is a command or an option in the file, for whatever command, that does not exist.
    """
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    general = {key: value for key, value in document.items() if key not in tables}
    chosen = {option: (str(path), value) for option, value in _by_option(str(path), general, _all(options)).items()}
    for table, written in tables.items():
        if table not in options:
            near = _near(table, options, "`car --help` lists them.")
            raise UserError(f"{path}: there is no command {table!r}; {near}")
        where = f"{path}, [{table}]"
        found = _by_option(where, written, options[table])
        if asked_for := _ASKED_FOR.get(table, frozenset()) & found.keys():
            option = min(asked_for)
            raise UserError(f"{where}: {option!r} cannot be set for this command; type --{option} where you mean it.")
        if table == name:
            chosen |= {option: (where, value) for option, value in found.items()}
    return chosen


def _all(options: Mapping[str, _Options]) -> set[str]:
    return {option for some in options.values() for option in some}


def _path() -> Path | None:
    """The file that is in use; None if there is none.

    Raises:
        UserError: the variable names a file that does not exist.
    """
    named = os.environ.get(_VARIABLE)
    path = Path(named or _FILE)
    if path.exists():
        return path
    if named:
        raise UserError(f"{_VARIABLE} names {path}, and there is no such file.")
    return None


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(f"{path} is not valid TOML: {error}.") from error


def _options(command: Any) -> _Options:
    return {
        opt.removeprefix("--"): parameter
        for parameter in command.params
        for opt in parameter.opts
        if opt.startswith("--")
    }


def _refuse_secrets(path: Path, document: dict[str, Any], options: Collection[str]) -> None:
    for names, value in _leaves(document):
        secret = isinstance(value, str) and holds_a_secret(value)
        if secret or any(_names_a_secret(name, options) for name in names):
            last = "a name" if holds_a_secret(names[-1]) else repr(names[-1])
            raise UserError(
                f"{path}: {last} holds what looks like a secret; keys come from the environment only "
                "(ANTHROPIC_API_KEY, OPENAI_API_KEY), so take it out of the file."
            )


def _leaves(value: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every single value, at whatever depth, with the names that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*names, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, names)
    else:
        yield names, value


def _names_a_secret(name: str, options: Collection[str]) -> bool:
    # `max-token` is a slip of the pen for an option and no secret.
    is_option = get_close_matches(_dashed(name), options, n=1, cutoff=0.9)
    return bool(holds_a_secret(name) or (_SECRET_NAME.search(name) and not is_option))


def _by_option(where: str, written: dict[str, Any], options: Collection[str]) -> dict[str, Any]:
    """What a table sets, by the names of the options.

    Raises:
        UserError: a key is no option of these, is there twice, or can only be typed.
    """
    found: dict[str, Any] = {}
    for key, value in written.items():
        option = _dashed(key)
        if option not in options:
            near = _near(option, options, "`car COMMAND --help` lists the options; nothing else can be set.")
            raise UserError(f"{where}: there is no option {key!r}; {near}")
        if option in _TYPED:
            raise UserError(f"{where}: {key!r} cannot be set in a file; type --{option} where you mean it.")
        if option in found:
            raise UserError(f"{where}: {option!r} is set twice, with - and with _.")
        found[option] = value
    return found


def _dashed(key: str) -> str:
    return key.replace("_", "-")


def _near(name: str, known: Collection[str], otherwise: str) -> str:
    """The end of a sentence about an unknown name."""
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def _checked(ctx: Any, what: str, parameter: Any, value: Any) -> Any:
    """The value, if the option can take it.

    Raises:
        UserError: it is of another kind, or out of range.
    """
    if parameter.is_flag and not isinstance(value, bool):
        raise UserError(f"{what} is a flag; set it to true or false.")
    if isinstance(value, bool) and not parameter.is_flag:
        raise UserError(f"{what} is no flag; give it a value other than true or false.")
    if parameter.multiple and not isinstance(value, list):
        raise UserError(f"{what} can have several values; write them as a list, in [ ].")
    if isinstance(value, list) and not parameter.multiple:
        raise UserError(f"{what} can have one value only, and no list.")
    try:
        parameter.process_value(ctx, value)
    except typer.BadParameter as error:
        raise UserError(f"{what} does not fit: {str(error).rstrip('.')}.") from error
    return value
