"""A task: an environment, what counts as success in it, where its frames come from, how an expert acts in it."""

import dataclasses
import importlib
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import gymnasium as gym

from car.errors import BadTask
from car.frames import Frame, as_frame

Env = gym.Env[Any, Any]


class Camera(Protocol):
    """Takes the frame that shows an environment's present state; one camera serves one environment."""

    def __call__(self, env: Env, observation: Any) -> Frame:
        """The frame, uint8 RGB of shape (H, W, 3)."""


class Policy(Protocol):
    """Acts in one environment for one episode."""

    def __call__(self, observation: Any) -> Any:
        """The next action."""


ExpertMaker = Callable[[Env], Policy]
"""Makes the policy for an episode of this environment that was just reset."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Task:
    """One task, as data that can be written to a manifest and read back.

    Args:
        name: lower-case letters, digits, ``-``, ``_`` and ``.``; names the folders of the task.
        env_id: what `gymnasium.make` takes; ``package.module:Name-v0`` imports the module first.
        env_kwargs: further arguments of `gymnasium.make`.
        camera: ``render`` (the environment's own `render()` with ``rgb_array``), ``observation`` (the observation is
            the frame), ``observation:KEY`` (one entry of a Dict observation), or ``module:attribute`` of a function
            without arguments that returns a `Camera`.
        expert: ``module:attribute`` of an `ExpertMaker`, or None if demonstrations come from elsewhere.
        success: ``reward`` (the episode terminated with a positive reward) or ``info:KEY`` (a true value there).
        agent_view: ``module:attribute`` of a function that wraps the environment for the training agent, or None.
        summary: one sentence for people; no prompt ever holds it.
        goal_prompt: what a frame of the goal shows, in words for CLIP; may be empty.
        baseline_prompt: what every frame shows, in words for CLIP; may be empty.

    Raises:
        BadTask: a field that cannot serve.
    """

    name: str
    env_id: str
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    camera: str = "render"
    expert: str | None = None
    success: str = "reward"
    agent_view: str | None = None
    summary: str = ""
    goal_prompt: str = ""
    baseline_prompt: str = ""

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            optional = each.name in ("expert", "agent_view")
            if each.name != "env_kwargs" and not (isinstance(value, str) or (optional and value is None)):
                raise BadTask(f"The task's {each.name} is {value!r}; it must be text.")
        if not isinstance(self.env_kwargs, Mapping):
            raise BadTask(f"The task's env_kwargs is {self.env_kwargs!r}; it must be a table of arguments.")
        if not _NAME.fullmatch(self.name or ""):
            raise BadTask(f"The task name {self.name!r} must be lower-case letters, digits, '-', '_' and '.'.")
        if not self.env_id:
            raise BadTask(f"The task {self.name!r} names no environment.")
        if self.success != "reward" and not re.fullmatch(r"info:.+", self.success):
            raise BadTask(f"success = {self.success!r} of task {self.name!r} must be 'reward' or 'info:KEY'.")
        if self.camera == "observation:":
            raise BadTask(f"camera = {self.camera!r} of task {self.name!r} names no key of the observation.")

    def make_env(self) -> Env:
        """A new environment of this task, able to give frames.

        Raises:
            BadTask: the environment does not exist or cannot be made.
        """
        kwargs = dict(self.env_kwargs)
        if self.camera == "render":
            kwargs.setdefault("render_mode", "rgb_array")
        _import_registrations(self.env_id)
        try:
            return gym.make(self.env_id, **kwargs)
        except Exception as error:  # an environment is foreign code: it may raise anything while it is made
            raise BadTask(
                f"The environment {self.env_id!r} of task {self.name!r} cannot be made: {_told(error)}"
            ) from error

    def make_camera(self) -> Camera:
        """A new camera for one environment of this task.

        Raises:
            BadTask: the camera cannot be imported or made.
        """
        if self.camera == "render":
            return _render
        if self.camera == "observation" or self.camera.startswith("observation:"):
            return _ObservationCamera(self.camera.partition(":")[2] or None)
        return cast(Camera, self._made("camera", self.camera))

    def make_expert(self, env: Env) -> Policy:
        """The expert for the episode of `env` that was just reset.

        Raises:
            BadTask: the task has no expert, or it cannot be imported or made.
        """
        if self.expert is None:
            raise BadTask(
                f"The task {self.name!r} names no expert: give it one, or import demonstrations with "
                f"`car record {self.name} --import PATH`."
            )
        return cast(Policy, self._made("expert", self.expert, env))

    def viewed(self, env: Env) -> Env:
        """The environment as the training agent sees it.

        Raises:
            BadTask: the view cannot be imported or made.
        """
        return env if self.agent_view is None else cast(Env, self._made("agent_view", self.agent_view, env))

    def _made(self, what: str, reference: str, *given: Env) -> Any:
        maker = resolve(reference)
        if not callable(maker):
            raise BadTask(f"{what} = {reference!r} of task {self.name!r} is no function; it is {maker!r:.100}.")
        try:
            made = maker(*given)
        except BadTask:
            raise
        except Exception as error:  # the task's own code may raise anything
            raise BadTask(f"{what} = {reference!r} of task {self.name!r} failed: {_told(error)}") from error
        if what != "agent_view" and not callable(made):
            raise BadTask(
                f"{what} = {reference!r} of task {self.name!r} must return a function; it returned {made!r:.100}."
            )
        return made

    def succeeded(self, reward: float, terminated: bool, info: Mapping[str, Any]) -> bool:
        """The environment's own success at this step."""
        if self.success == "reward":
            return bool(terminated) and float(reward) > 0
        return bool(info.get(self.success.partition(":")[2], False))

    def as_dict(self) -> dict[str, Any]:
        """The task as JSON-serialisable fields; `Task(**fields)` makes it again."""
        fields = {**dataclasses.asdict(self), "env_kwargs": dict(self.env_kwargs)}
        # What was kept before tasks had prompts is that of the same task.
        return {name: value for name, value in fields.items() if value or not name.endswith("_prompt")}


def load_task(path: Path) -> Task:
    """The task in a TOML file; see docs/tasks.md for its keys.

    Raises:
        BadTask: there is no such file, it is not TOML, or a key is missing, unknown or wrong.
    """
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadTask(f"The task file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTask(f"The task file {path} is not TOML: {error}.") from error
    if "env" in fields:
        fields["env_id"] = fields.pop("env")
    known = {each.name for each in dataclasses.fields(Task)}
    if unknown := sorted(set(fields) - known):
        allowed = ", ".join(sorted((known - {"env_id"}) | {"env"}))
        raise BadTask(f"The task file {path} has the unknown key {unknown[0]!r}. The keys are: {allowed}.")
    if missing := [key for key, field_ in (("name", "name"), ("env", "env_id")) if field_ not in fields]:
        raise BadTask(f"The task file {path} lacks the key {missing[0]!r}.")
    _find_modules_in(path.parent)
    return Task(**fields)


def resolve(reference: str) -> Any:
    """What ``module:attribute`` refers to; modules in the current folder are found too.

    Raises:
        BadTask: no such module or attribute.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or module_name.startswith(".") or not attribute:
        raise BadTask(f"{reference!r} is not of the form module:attribute.")
    _find_modules_in(Path.cwd())
    try:
        thing: Any = importlib.import_module(module_name)
    except Exception as error:  # a module is foreign code: it may raise anything while it is imported
        raise BadTask(f"The module of {reference!r} cannot be imported: {_told(error)}") from error
    for part in attribute.split("."):
        if not hasattr(thing, part):
            raise BadTask(f"The module {module_name!r} has no {attribute!r}.")
        thing = getattr(thing, part)
    return thing


def _told(error: Exception) -> str:
    """The error on one line, as the end of a sentence."""
    said = " ".join(str(error).split())
    # Without its kind, the message of these alone says what is wrong.
    plain = said and isinstance(error, gym.error.Error | ImportError | SyntaxError | TypeError | ValueError)
    line = said if plain else f"{type(error).__name__}: {said}" if said else type(error).__name__
    return line if line[-1] in ".!?" else f"{line}."


def _find_modules_in(folder: Path) -> None:
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))


def _import_registrations(env_id: str) -> None:
    """Imports the package that registers well-known environments, so that a task needs to name its id alone."""
    prefixes = {"MiniGrid-": "minigrid", "BabyAI-": "minigrid", "Panda": "panda_gym"}
    for prefix, package in prefixes.items():
        if env_id.startswith(prefix) and env_id not in gym.registry:
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise BadTask(f"{env_id!r} needs the package {package!r}, which is not installed.") from error
            except Exception as error:  # as in resolve
                raise BadTask(f"{env_id!r} needs the package {package!r}: {_told(error)}") from error


def _render(env: Env, observation: Any) -> Frame:
    return as_frame(env.render(), "rendered frame")


class _ObservationCamera:
    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, env: Env, observation: Any) -> Frame:
        if self._key is None:
            return as_frame(observation, "observation")
        if not isinstance(observation, Mapping) or self._key not in observation:
            there = ", ".join(map(str, observation)) if isinstance(observation, Mapping) else type(observation).__name__
            raise BadTask(f"The observation has no entry {self._key!r}; it has: {there}.")
        return as_frame(observation[self._key], f"observation[{self._key!r}]")
