"""What can go wrong outside a checker, as one tree.

::

    CarError                    every error this package raises on purpose; one clear sentence
    |-- UserError               exit code 2: the person who called can put it right
    |   |-- UnknownName         a task, model, algorithm or option that does not exist; says which do
    |   |-- BadFrame            a picture that is not uint8 RGB of shape (H, W, 3), or of another size than the rest
    |   |-- BadTrajectory       a recording that is missing, damaged, incomplete or of another task
    |   |-- BadTask             a task file or an environment that cannot serve as a task
    |   |-- BadBundle           a reward bundle that is missing, damaged or was changed by hand
    |   |-- BadRecording        a recorded VLM session that is missing, damaged or does not fit the request
    |   |   `-- NotRecorded     it holds no answer to a question
    |   |-- MissingKey          no API key; names the variable and the way without a key
    |   |-- MissingExtra        an optional package that is not installed; names the extra
    |   `-- SandboxUnavailable  this machine cannot run checkers in a process of their own
    |-- BudgetSpent             exit code 1: the budget ended before there was any program to keep
    |-- RewardChanged           exit code 1: in training, a program said of the same frame something else than before
    `-- ProviderError           exit code 3: the VLM's provider refused or failed, in its own words
        `-- NothingUsable       it answered, and no answer could be used

What a *checker* does wrong is an Outcome (see car.sandbox) and no exception, because it goes back to the VLM. Only
RewardChanged is one: in training nobody is there to ask, and what is learnt from then on is worth nothing.
"""


class CarError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code = 2


class UserError(CarError):
    """Something that the person who called can put right."""


class UnknownName(UserError):
    """A name that does not exist."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        there = ", ".join(known) if known else "none"
        super().__init__(f"There is no {kind} {name!r}. There are: {there}.")


class BadFrame(UserError):
    """A picture that is not uint8 RGB of shape (H, W, 3), or not of the expected size."""


class BadTrajectory(UserError):
    """A recording that is missing, damaged, incomplete or of another task."""


class BadTask(UserError):
    """A task file or an environment that cannot serve as a task."""


class BadBundle(UserError):
    """A reward bundle that is missing, damaged or was changed by hand."""


class BadRecording(UserError):
    """A recorded VLM session that is missing, damaged or does not fit the request."""


class NotRecorded(BadRecording):
    """A recorded VLM session that holds no answer to a question."""


class MissingKey(UserError):
    """No API key in the environment."""


class MissingExtra(UserError):
    """An optional package that is not installed."""


class SandboxUnavailable(UserError):
    """This machine cannot run checkers in a process of their own."""


class BudgetSpent(CarError):
    """The budget ended before there was any program to keep."""

    exit_code = 1


class RewardChanged(CarError):
    """A program said of the same frame something else than before, while an agent trained on what it says."""

    exit_code = 1


class ProviderError(CarError):
    """The VLM's provider refused or failed; the message holds the provider's own words."""

    exit_code = 3


class NothingUsable(ProviderError):
    """The VLM answered as often as it may be asked, and nothing that it said could be used."""
