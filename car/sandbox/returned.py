"""What a checker returned, as an answer or as the reason why it is none; runs in workers, imports nothing of ours."""

import json
import math
from typing import Any

import numpy as np

_FACTS_BYTES = 2000
_NUMBERS = frozenset(
    {int, float, np.float16, np.float32, np.float64, np.longdouble, *(np.dtype(code).type for code in "bhilqBHILQ")}
)
_SHARES = _NUMBERS | {bool, np.bool_}
_SLACK = 1e-6
_LARGEST = 10**300


class NotAnAnswerError(Exception):
    """The checker returned something that is not an answer."""


def truth(said: object) -> bool:
    """What `check` said.

    Raises:
        NotAnAnswerError: it is no bool.
    """
    if said is True or said is False:
        return said
    # `type` and not isinstance: an object can lie about its __class__.
    if type(said) is np.bool_:
        return bool(said)
    raise NotAnAnswerError(f"check must return True or False (a bool or a numpy.bool_); it returned {shown(said)}.")


def share(said: object) -> float:
    """What `progress` said, in [0, 1].

    Raises:
        NotAnAnswerError: it is no number in that range.
    """
    number = said.item() if type(said) is np.ndarray and said.ndim == 0 and said.dtype.kind in "biuf" else said
    if type(number) in _SHARES and -_SLACK <= number <= 1 + _SLACK:  # type: ignore[operator]
        return min(1.0, max(0.0, float(number)))  # type: ignore[arg-type]
    raise NotAnAnswerError(f"progress must return one number in [0, 1]; it returned {shown(said)}.")


def facts(said: object) -> bytes:
    """What `explain` said, as JSON.

    Raises:
        NotAnAnswerError: it is no dict that JSON can hold, or too long.
    """
    if type(said) is not dict:
        raise NotAnAnswerError(f"explain must return a dict of str to what JSON can hold; it returned {shown(said)}.")
    # The host takes values and flat lists; what is nested travels as its own JSON text.
    plain = {key: _dumped(value).decode() if _nested(value) else value for key, value in _fact(said).items()}
    text = _dumped(plain)
    if len(text) > _FACTS_BYTES:
        raise NotAnAnswerError(f"explain must return at most {_FACTS_BYTES} bytes of JSON; it returned {len(text)}.")
    return text


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _nested(value: Any) -> bool:
    return type(value) is dict or (type(value) is list and any(type(each) in (list, dict) for each in value))


def _fact(value: Any) -> Any:
    """The value as JSON has it."""
    kind = type(value)
    # Before they are made into lists.
    if (value.size if kind is np.ndarray else len(value) if kind in (list, tuple, dict) else 0) > _FACTS_BYTES:
        raise NotAnAnswerError(f"explain must return at most {_FACTS_BYTES} bytes of JSON; it holds {shown(value)}.")
    if kind is np.ndarray and value.dtype.kind in "biufU":
        return _fact(value.tolist())
    if kind is dict and all(type(key) is str for key in value):
        return {key: _fact(each) for key, each in value.items()}
    if kind in (list, tuple):
        return [_fact(each) for each in value]
    if kind in (np.bool_, np.str_):
        return value.item()
    if kind in _NUMBERS:
        if kind is int and abs(value) >= _LARGEST:
            raise NotAnAnswerError(f"explain must return numbers that a float can hold; it holds {shown(value)}.")
        value = value if kind is int else float(value) if kind in (float, np.longdouble) else value.item()
        return value if kind is int or math.isfinite(value) else repr(float(value))
    if value is None or kind in (bool, str):
        return value
    raise NotAnAnswerError(f"explain must return a dict of str to what JSON can hold; it holds {shown(value)}.")


def shown(value: object) -> str:
    """What the value is, in at most 200 characters; calls nothing that the checker could have written."""
    kind = type(value)
    if kind is str:
        text = repr(value[:100])  # type: ignore[index]
    elif kind is int and abs(value) >= 1 << 64:  # type: ignore[arg-type]
        text = f"an int of {int.bit_length(value)} bits"  # type: ignore[arg-type]
    elif value is None or kind in (bool, int) or kind in _NUMBERS:
        text = repr(value)
    elif kind is np.ndarray:
        text = f"an array of shape {value.shape} and dtype {value.dtype}"  # type: ignore[attr-defined]
    elif kind in (list, tuple, dict, set):
        text = f"a {kind.__name__} of length {len(value)}"  # type: ignore[arg-type]
    else:
        text = f"an object of type {name_of(kind)}"
    return text[:200]


def name_of(kind: type) -> str:
    """The name of a class, in at most 100 characters."""
    # Past any __name__ that a metaclass of the checker defines.
    return str(type.__dict__["__name__"].__get__(kind))[:100]
