"""The ratios as a table at the end; the times of the calls alone say little."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    session = getattr(config, "_benchmarksession", None)
    for each in session.benchmarks if session else ():
        said = ", ".join(f"{name} {value}" for name, value in each.extra_info.items())
        terminalreporter.write_line(f"{each.group}, {each.name}: {said}")
