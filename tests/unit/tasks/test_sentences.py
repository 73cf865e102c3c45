import pytest

from car.errors import UnknownName
from car.task import Task
from car.tasks import all_tasks, find_task
from car.tasks.sentences import SENTENCES, prompts_of
from car.truth import truth_for


@pytest.mark.parametrize("name", all_tasks())
def test_every_built_in_task_has_words_for_its_goal_and_its_sub_tasks(name: str) -> None:
    prompts = prompts_of(find_task(name))
    predicates = [each.name for each in truth_for(name)]
    assert all(each in SENTENCES for each in predicates)
    assert prompts.goal == SENTENCES[predicates[-1]]
    assert prompts.baseline not in ("", prompts.goal)


def test_sentences_differ() -> None:
    assert len(set(SENTENCES.values())) == len(SENTENCES)


@pytest.mark.parametrize(
    ("name", "goal", "baseline"),
    [
        ("cartpole-upright", "pole vertically upright on top of the cart", "pole and cart"),
        (
            "mountaincar-continuous",
            "a car at the peak of the mountain, next to the yellow flag",
            "a car in the mountain",
        ),
        ("humanoid-kneeling", "a humanoid robot kneeling", "a humanoid robot"),
    ],
)
def test_classic_control_is_asked_as_in_the_paper(name: str, goal: str, baseline: str) -> None:
    prompts = prompts_of(find_task(name))
    assert (prompts.goal, prompts.baseline) == (goal, baseline)


def test_a_tasks_own_prompts_go_first() -> None:
    task = Task(**{**find_task("unlock").as_dict(), "goal_prompt": "an open gate", "baseline_prompt": "a gate"})
    assert (prompts_of(task).goal, prompts_of(task).baseline) == ("an open gate", "a gate")


def test_a_task_without_words_says_which_have_some() -> None:
    with pytest.raises(UnknownName, match="doorkey-6x6"):
        prompts_of(Task("my-task", "MiniGrid-Unlock-v0"))
