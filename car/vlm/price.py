"""What tokens cost: typed by hand, or from the list of the genai-prices package, which needs no network."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from car.errors import UserError
from car.vlm import Usage

if TYPE_CHECKING:
    import genai_prices

CURRENCY = "USD"
_MILLION = 1_000_000


class Pricing(Protocol):
    """What a model charges."""

    @property
    def source(self) -> str:
        """Where the prices come from, in words."""
        ...

    def of(self, usage: Usage) -> float | None:
        """What the tokens of one call cost; None if the price is not known."""
        ...


@dataclass(frozen=True)
class Price:
    """A price for a million tokens, in a currency of one's own.

    Args:
        input: of the question, pictures and what a cache holds included.
        output: of the answer.

    Raises:
        UserError: a negative price.
    """

    input: float
    output: float

    def __post_init__(self) -> None:
        if not (0 <= self.input < math.inf and 0 <= self.output < math.inf):
            raise UserError("A price must be a number, and cannot be negative.")

    @property
    def source(self) -> str:
        """The two numbers."""
        return f"--price {self.input:g}/{self.output:g}"

    def of(self, usage: Usage) -> float:
        """What these tokens cost."""
        return (usage.input_tokens * self.input + usage.output_tokens * self.output) / _MILLION


@dataclass(frozen=True)
class Free:
    """Nobody is paid: a recorded session, or a person."""

    source: str = "nothing is paid"

    def of(self, usage: Usage) -> float:
        """Nothing."""
        return 0.0


FREE = Free()


@dataclass(frozen=True)
class ListPrice:
    """The price of a model in the list of genai-prices, in US dollars; reading from a cache costs less there.

    Args:
        model: the model, as the provider names it.
        provider: ``openai`` or ``anthropic``; "" to go by `url`.
        url: the address of the server, by which the list knows gateways.
    """

    model: str
    provider: str = ""
    url: str = ""

    @property
    def source(self) -> str:
        """The package and its version."""
        import genai_prices

        return f"genai-prices {genai_prices.__version__}"

    def of(self, usage: Usage) -> float | None:
        """What the tokens of one call cost; None if the list does not know the model or the server."""
        import genai_prices

        counted = _counted(usage)
        try:
            if self.provider:
                found = genai_prices.calc_price(counted, self.model, provider_id=self.provider)
            else:
                found = genai_prices.calc_price(counted, self.model, provider_api_url=self.url)
        except LookupError:
            return None
        # Models that are charged for time or pieces have no price for tokens; that is not known to be nothing.
        return float(found.total_price) or (None if usage.tokens else 0.0)


def _counted(usage: Usage) -> "genai_prices.Usage":
    from genai_prices import Usage as Counted

    # A server that counts wrongly must not end a run: more from the cache than there is at all is cut.
    read = min(usage.cache_read_tokens, usage.input_tokens)
    written = min(usage.cache_write_tokens, usage.input_tokens - read)
    return Counted(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=read or None,
        cache_write_tokens=written or None,
    )


def price_of(spec: str, base_url: str | None = None) -> Pricing:
    """The prices of what a spec such as ``anthropic/MODEL`` names.

    Args:
        spec: as on the command line, see `car.vlm.choose`.
        base_url: the address of the server, if it is not the provider's own.
    """
    kind, _, model = spec.strip().partition("/")
    if kind in {"manual", "replay"}:
        return FREE
    # A gateway charges what it likes, whatever its models are called.
    return ListPrice(model, url=base_url) if base_url else ListPrice(model, provider=kind)
