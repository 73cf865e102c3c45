"""A CLIP reward in one line, so that settings, jobs and other machines can name it.

``clip-cosine:MODEL?goal=...&baseline=...&alpha=0.3`` or ``clip-softmax:MODEL?goal=...&negative=...&beta=0.9``, with
the rules of a URL's query: a parameter may come several times, and ``%xx`` and ``+`` stand for what cannot be written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from car.errors import UnknownName, UserError
from car.rewards.clip.encoder import checked_sentences
from car.rewards.clip.templates import templates_of
from car.rewards.clip_kinds import KINDS

DEFAULT_MODEL = "worlds"

_COSINE = {"alpha"}
_SOFTMAX = {"negative", "negatives", "seed", "tau", "beta", "template", "end"}
_BOTH = {"goal", "baseline", "stretch", "gate"}
_SEVERAL = {"goal", "baseline", "negative", "template"}
_NUMBERS = {"alpha", "tau", "beta"}
_COUNTS = {"negatives", "seed"}
_SWITCHES = {"stretch", "end"}


@dataclass(frozen=True)
class ClipSettings:
    """What a CLIP reward is made from.

    Args:
        kind: ``clip-cosine`` (Rocamonde et al.) or ``clip-softmax`` (Baumli et al.).
        model: the CLIP; see docs/clip.md for what can be said.
        goal: what a frame of the goal shows; several stand for their mean. Without any, the task's own.
        baseline: what every frame shows; without any, the task's own.
        alpha: of ``clip-cosine``, 0 to 1: the strength of the regularisation.
        negative: of ``clip-softmax``: other goals. Without any, `negatives` are drawn.
        negatives: of ``clip-softmax``: how many goals of the built-in tasks are drawn, once and for all.
        seed: of ``clip-softmax``: decides which are drawn.
        tau: of ``clip-softmax``: temperature.
        beta: of ``clip-softmax``, 0 to 1: the reward is 1 where the goal's share is above it, and else 0.
        template: of ``clip-softmax``: words around each goal, see `car.rewards.clip.templates`.
        end: of ``clip-softmax``: whether the episode ends where the reward is 1.
        stretch: whether frames are stretched to the square, in place of the model's own preprocessing.
        gate: a bundle whose programs say what is done; CLIP then only shapes the sub-task that comes next.

    Raises:
        UnknownName: no such kind.
        UserError: an empty prompt, a goal that is its baseline or a negative, or a number out of its range.
    """

    kind: str
    model: str = DEFAULT_MODEL
    goal: tuple[str, ...] = ()
    baseline: tuple[str, ...] = ()
    alpha: float = 0.0
    negative: tuple[str, ...] = ()
    negatives: int = 8
    seed: int = 0
    tau: float = 0.1
    beta: float = 0.15
    template: tuple[str, ...] = ()
    end: bool = False
    stretch: bool = False
    gate: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName("kind of CLIP reward", self.kind, list(KINDS))
        for name in ("goal", "baseline", "negative"):
            object.__setattr__(self, name, checked_sentences(getattr(self, name), name))
        for name in ("alpha", "beta"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise UserError(f"{name} is {getattr(self, name)}; it must be 0 to 1.")
        if not 0.0 < self.tau < float("inf"):
            raise UserError(f"tau is {self.tau}; it must be a positive number.")
        for name in ("baseline", "negative"):
            if same := set(self.goal) & set(getattr(self, name)):
                raise UserError(f"{sorted(same)[0]!r} is the goal and also its {name}; say something else for one.")
        if self.negatives < 1 or self.seed < 0:
            raise UserError(f"{self.negatives} negatives, seed {self.seed}: it takes at least one, and a seed from 0.")
        if self.gate and self.end:
            raise UserError("A gated CLIP ends no episode: its milestones are those of the programs.")
        templates_of(self.template)

    @property
    def reference(self) -> str:
        """The reward in one line; `read_reference` reads it."""
        plain = ClipSettings(self.kind)
        said: list[tuple[str, str]] = []
        for name in sorted(_BOTH | (_COSINE if self.kind == KINDS[0] else _SOFTMAX)):
            value = getattr(self, name)
            if value != getattr(plain, name):
                values = value if isinstance(value, tuple) else (value,)
                said += [(name, _written(each)) for each in values]
        query = urlencode(said)
        return f"{self.kind}:{quote(self.model, safe='/:.~@')}{'?' + query if query else ''}"

    def as_dict(self) -> dict[str, Any]:
        """What is not as by default, as JSON-serialisable fields."""
        plain = ClipSettings(self.kind, self.model)
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
            if name in ("kind", "model") or value != getattr(plain, name)
        }


def parameters_of(reference: str) -> frozenset[str]:
    """The parameters that a CLIP reward of this kind has.

    Raises:
        UnknownName: there is no such kind.
    """
    kind = reference.partition("?")[0].partition(":")[0]
    if kind not in KINDS:
        raise UnknownName("kind of CLIP reward", kind, list(KINDS))
    return frozenset(_BOTH | (_COSINE if kind == KINDS[0] else _SOFTMAX))


def read_reference(reference: str, others: Mapping[str, Any] | None = None) -> ClipSettings:
    """The settings that a line names.

    Args:
        reference: as `ClipSettings.reference` writes it.
        others: further settings, which go before those of the line; None counts as not given.

    Raises:
        UnknownName: no such kind or parameter.
        UserError: a value that cannot be; see `ClipSettings`.
    """
    head, _, query = reference.partition("?")
    kind, _, model = head.partition(":")
    known = parameters_of(reference)
    given = parse_qs(query, keep_blank_values=True)
    if unknown := sorted(given.keys() - known):
        raise UnknownName(f"parameter of {kind}", unknown[0], sorted(known))
    said = {name: _read(name, values) for name, values in given.items()}
    more = {name: value for name, value in (others or {}).items() if value is not None}
    if unknown := sorted(more.keys() - known):
        raise UserError(f"A {kind} reward has no {unknown[0]}; it has: {', '.join(sorted(known))}.")
    return replace(ClipSettings(kind), **{"model": unquote(model) or DEFAULT_MODEL, **said, **more})


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(name: str, values: Sequence[str]) -> Any:
    if name in _SEVERAL:
        return tuple(values)
    if len(values) > 1:
        raise UserError(f"The parameter {name} of a CLIP reward is given {len(values)} times.")
    value = values[0]
    if name in _SWITCHES:
        if value.lower() not in ("true", "false"):
            raise UserError(f"The parameter {name} = {value!r} of a CLIP reward must be true or false.")
        return value.lower() == "true"
    if name not in _NUMBERS | _COUNTS:
        return value
    try:
        return int(value) if name in _COUNTS else float(value)
    except ValueError:
        what = "whole number" if name in _COUNTS else "number"
        raise UserError(f"The parameter {name} = {value!r} of a CLIP reward must be a {what}.") from None
