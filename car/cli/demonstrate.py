"""`car demo`."""


def demo() -> None:
    """x"""
