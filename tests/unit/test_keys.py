"""What looks like a key, and how it is masked."""

import pytest

from car.keys import holds_a_secret, masked, without_secrets


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        ("http://bob:hunter2@host:80x/v1", "http://***@host:80x/v1"),
        ("bob:hunter2@host/v1", "***@host/v1"),
        ("https://gw/v1?api_key=abc&x=1", "https://gw/v1?api_key=***&x=1"),
        ("https://gw/sk-abcdefgh", "https://gw/sk-***"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address: str, shown: str) -> None:
    assert without_secrets(address) == shown


@pytest.mark.parametrize("secret", ["sk-abcdef", " sk-", "hf_0123456789abcdefgh", "http://a:b@c", "x?token=1"])
def test_secrets_are_known(secret: str) -> None:
    assert holds_a_secret(secret)


@pytest.mark.parametrize("plain", ["anthropic/MODEL", "max-tokens", "http://127.0.0.1:8000/v1", "3/15", "task-skill"])
def test_what_is_none_is_not(plain: str) -> None:
    assert not holds_a_secret(plain)
    assert masked(plain) == plain


def test_the_key_that_was_sent_is_masked_whole_and_in_part() -> None:
    assert masked("wrong key abcdefghijklmnop", "abcdefghijklmnop") == "wrong key ***"
    assert masked("wrong key abcdefgh****mnop", "abcdefghijklmnop") == "wrong key ***"
