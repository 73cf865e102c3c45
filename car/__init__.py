"""Code as Reward: a vision-language model writes reward programs from two frames; verified, they train agents."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from car.option import options

__version__ = "0.1.0"

__all__ = ["__version__", "options"]


def __getattr__(name: str) -> Any:
    # At first use, because NumPy and Gymnasium come with it.
    if name != "options":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from car.option import options

    return options
