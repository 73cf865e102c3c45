"""What looks like a key or a password, and how a text is shown without it."""

import re

# Of a key that is at least this long, so many first characters give it away where a server repeats only part of it.
_LONG_KEY, _TELLING = 12, 6
# The beginnings of the keys in use, for the case that a provider repeats a key other than the one that was sent.
_KEY = re.compile(
    r"\b(?:(sk-)[\w*.-]{4,}|(AIza|ABSK|eyJ|csk-|fw_|gsk_|hf_|nvapi-|pplx-|r8_|tgp_v1_|xai-)[\w*.=/+-]{16,})"
)
_USER = re.compile(r"[^/@\s]+@")
_QUERY = re.compile(r"([?&][^=&\s]*(?:key|token|secret|passw)[^=&\s]*=)[^&\s]+", re.IGNORECASE)


def masked(text: str, key: str = "") -> str:
    """The text without the key, and without anything that looks like one."""
    if key:
        text = text.replace(key, "***")
    if len(key) >= _LONG_KEY:
        text = re.sub(rf"{re.escape(key[:_TELLING])}[\w*.\u2026-]*", "***", text)
    return _KEY.sub(r"\1\2***", text)


def without_secrets(address: str) -> str:
    """An address, perhaps a wrong one, without a user name, password or key."""
    return masked(_QUERY.sub(r"\1***", _USER.sub("***@", address)))


def holds_a_secret(text: str) -> bool:
    """Whether a text looks like a key, or like an address with a password or key in it."""
    with_a_user = "://" in text and _USER.search(text)
    return bool(text.lstrip().startswith("sk-") or _KEY.search(text) or _QUERY.search(text) or with_a_user)
