"""The sub-tasks of a bundle as options, in the sense of Sutton, Precup and Singh (1999); see docs/options.md.

`car.options` opens them, `OptionEnv` makes an environment for learning one of them alone.
"""

from car.option.choice import PolicyOverOptions
from car.option.env import OptionEnv
from car.option.options import Option, Options, options

__all__ = ["Option", "OptionEnv", "Options", "PolicyOverOptions", "options"]
