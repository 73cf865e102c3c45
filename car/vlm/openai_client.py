"""What goes through OpenAI's SDK, whichever of its two protocols is spoken."""

import base64

import openai

from car.vlm.remote import UNDECODED, Answer, RemoteVLM, hooks

# Servers of one's own mostly want no key, but the SDK wants to send one.
_NO_KEY = "none"


class OpenAIClientVLM(RemoteVLM[Answer]):
    """Asks through OpenAI's SDK."""

    variable = "OPENAI_API_KEY"
    keyless = True
    errors = (openai.OpenAIError, *UNDECODED)

    def _client(self) -> openai.OpenAI:
        """A client for one question, to be closed."""
        return openai.OpenAI(
            api_key=self._key() or _NO_KEY,
            base_url=self.base_url,
            max_retries=self.max_retries,
            timeout=self.timeout,
            http_client=openai.DefaultHttpx2Client(
                timeout=self.timeout, event_hooks=hooks(self.timeout, self._leaving[0])
            ),
        )

    def _status(self, error: Exception) -> tuple[int, object] | None:
        return (error.status_code, error.body) if isinstance(error, openai.APIStatusError) else None


def data_url(png: bytes) -> str:
    """A picture as the address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
