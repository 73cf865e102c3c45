"""What comes out of the folders of runs, and how it is shown."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from car.bench import Row, row_figures, rows_for, write_results
from car.bench.figures import run_figure
from car.bench.text import TITLES, cells, markdown
from car.frames import read_picture
from car.train import Evaluation, Progress
from car.train.folder import RunFolder

SHIPPED = Path(__file__).parents[3] / "generated_rewards"
BUDGET = 8192


def run(folder: Path, solved_after: int | None, success: float | None = 1.0, seconds: float = 1.0) -> None:
    """A folder as a run of 8,192 steps leaves it; one line each 1,024 steps, `seconds` apart."""
    kept = RunFolder(folder)
    folder.mkdir(parents=True)
    for number in range(1, BUDGET // 1024 + 1):
        steps = 1024 * number
        share = 0.95 if solved_after is not None and steps >= solved_after else 0.1
        clock = seconds * number
        kept.append(Progress(steps, BUDGET, clock, clock / 2, 50 * number, share, credited=0.75))
    if success is not None:
        kept.append(Progress(BUDGET, BUDGET, 99.0, 50.0, 400, share, evaluation=Evaluation(100, success, 9.0, 0.9)))
        kept.policy.write_bytes(b"a policy")


@pytest.fixture
def rows() -> list[Row]:
    found, _ = rows_for("unlock", ["sparse", "generated", "oracle"], BUDGET, SHIPPED)
    return found


def test_a_run_gives_the_steps_and_the_processor_time_to_90_percent(tmp_path: Path) -> None:
    run(tmp_path / "run", 4096, 0.98)
    found = run_figure(tmp_path / "run", 3)
    assert found is not None
    assert (found.seed, found.steps, found.finished, found.solved_at) == (3, BUDGET, True, 4096)
    assert found.solved_cpu_seconds == 2.0
    assert (found.success, found.credited) == (0.98, 0.75)
    # The evaluation took 91 seconds, and counts as no training.
    assert found.steps_per_second == 1024.0


def test_a_run_that_has_not_begun_is_none_and_one_that_goes_on_has_no_success_yet(tmp_path: Path) -> None:
    assert run_figure(tmp_path / "missing", 0) is None
    run(tmp_path / "run", None, None)
    found = run_figure(tmp_path / "run", 0)
    assert found is not None
    assert (found.finished, found.success, found.solved_at, found.solved_cpu_seconds) == (False, None, None, None)


def test_rows_are_estimated_over_their_seeds_and_compared_with_the_oracle(rows: list[Row], tmp_path: Path) -> None:
    after = {"sparse": [None, None, None], "generated": [4096, 4096, 5120], "oracle": [2048, 2048, 3072]}
    for row in rows:
        for seed, steps in enumerate(after[row.label]):
            run(row.folder(seed, tmp_path), steps, 0.0 if steps is None else 1.0)
    sparse, generated, oracle = row_figures(rows, range(3), tmp_path)
    assert (sparse.times_solved, generated.times_solved) == (0, 3)
    assert sparse.solved is not None
    assert math.isinf(sparse.solved.value)
    assert sparse.to_oracle is not None
    assert math.isinf(sparse.to_oracle.value)
    assert generated.solved is not None
    assert generated.to_oracle is not None
    assert generated.to_oracle.value == pytest.approx((4096 + 4096 + 5120) / (2048 + 2048 + 3072))
    assert oracle.to_oracle is None
    assert json.loads(json.dumps(sparse.as_dict(), allow_nan=False))["solved"]["value"] is None


def test_the_table_says_never_as_more_than_the_budget(rows: list[Row], tmp_path: Path) -> None:
    run(rows[0].folder(0, tmp_path), None, 0.25)
    run(rows[2].folder(0, tmp_path), 4096, 1.0)
    sparse, generated, oracle = row_figures(rows, [0], tmp_path)
    assert len(cells(sparse)) == len(TITLES)
    assert cells(sparse)[2:] == (">8", "0 of 1", "", "25.0%", ">2.0", "1,024")
    assert cells(generated)[2:] == ("", "0 of 0", "", "", "", "")
    assert cells(oracle)[2:] == ("4", "1 of 1", "2", "100.0%", "", "1,024")
    lines = markdown([sparse, generated, oracle]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["unlock", "", ""]


def test_a_run_that_goes_on_is_no_failure(rows: list[Row], tmp_path: Path) -> None:
    _, generated, oracle = rows
    for seed, steps in enumerate([4096, 4096, 5120]):
        run(oracle.folder(seed, tmp_path), steps)
    run(generated.folder(0, tmp_path), 4096)
    run(generated.folder(2, tmp_path), 5120)
    run(generated.folder(1, tmp_path), None, success=None)
    _, found, _ = row_figures(rows, range(3), tmp_path)
    assert cells(found)[3] == "2 of 2 +1"
    # Compared with the oracle's runs of the same two seeds.
    assert found.to_oracle is not None
    assert found.to_oracle.value == 1.0


def test_where_the_oracle_never_gets_there_the_ratio_is_bounded_from_above(rows: list[Row], tmp_path: Path) -> None:
    _, generated, oracle = rows
    for seed in range(3):
        run(oracle.folder(seed, tmp_path), None, 0.0)
        run(generated.folder(seed, tmp_path), 4096)
    assert cells(row_figures(rows, range(3), tmp_path)[1])[6] == "<0.5"


def test_the_last_line_is_the_end_before_the_policy_is_there(tmp_path: Path) -> None:
    run(tmp_path / "run", 4096, 0.98)
    RunFolder(tmp_path / "run").policy.unlink()
    found = run_figure(tmp_path / "run", 0)
    assert found is not None
    assert (found.finished, found.success) == (True, 0.98)


def test_the_page_is_one_file_with_a_plot_of_each_task(rows: list[Row], tmp_path: Path) -> None:
    for row in rows:
        for seed in range(2):
            run(row.folder(seed, tmp_path), None if row.label == "sparse" else 3072)
    write_results(rows, range(2), tmp_path)
    html = (tmp_path / "bench.html").read_text("utf-8")
    assert html.count("data:image/png") == 1
    assert "http" not in html.replace("http-equiv", "")
    for row in rows:
        assert row.label in html
    assert read_picture(tmp_path / "unlock.png").shape == (900, 1600, 3)
    document = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert document["seeds"] == [0, 1]
    assert document["settings"]["unlock/sparse"]["steps"] == BUDGET
    assert [each["label"] for each in document["rows"]] == ["sparse", "generated", "oracle"]


def test_only_what_changed_is_drawn_anew(rows: list[Row], tmp_path: Path) -> None:
    run(rows[0].folder(0, tmp_path), None)
    write_results(rows, [0], tmp_path)
    before = (tmp_path / "unlock.png").stat().st_mtime_ns
    write_results(rows, [0], tmp_path, changed="doorkey-6x6")
    assert (tmp_path / "unlock.png").stat().st_mtime_ns == before
    write_results(rows, [0], tmp_path, changed="unlock")
    assert (tmp_path / "unlock.png").stat().st_mtime_ns > before


def test_a_reward_of_ones_own_gets_a_look_of_its_own(rows: list[Row], tmp_path: Path) -> None:
    own = replace(rows[0], label="mine", reward="mine:make")
    run(own.folder(0, tmp_path), 3072)
    write_results([own], [0], tmp_path)
    assert (tmp_path / "unlock.png").exists()
