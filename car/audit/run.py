"""An audit, from a bundle to what speaks against it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from car.audit.collector import Collector
from car.audit.filming import FilmedTask
from car.audit.findings import Findings
from car.audit.folder import AuditFolder, State
from car.audit.onward import gone_on
from car.audit.played import EXPERT, FROM_AGENT, FROM_EXPERT, OWN, Played, confirmed, seen
from car.audit.settings import Effort
from car.bundle import Bundle
from car.errors import BadBundle, BadTask, UserError
from car.record import Unplayable, record
from car.sandbox import Sandbox, Session
from car.task import Task
from car.train import EVALUATION_SEED, Exam, Progress, load_policy, train
from car.trajectory import Trajectory
from car.verify import observe

EXPERT_SEED = 1_500_000
"""Experts' episodes that are continued have the seeds from here on; recorded experts and random agents have others."""

_ONWARD = "onward"


@dataclass(frozen=True)
class Told:
    """How far an audit is.

    Args:
        doing: what is going on, in words.
        seed: of the agent that is trained; None after that.
        progress: of its training; None where there is none.
        found: disagreements so far.
    """

    doing: str
    seed: int | None
    progress: Progress | None
    found: int


Listener = Callable[[Told], None]


def audit(
    bundle: Bundle,
    task: Task,
    sandbox: Sandbox,
    folder: AuditFolder,
    effort: Effort = Effort(),
    listen: Listener = lambda told: None,
    isolation: int | None = None,
) -> Findings:
    """Trains agents on nothing but a bundle's reward, and collects the episodes that speak against it.

    Nobody needs to have approved the bundle. What is found is in the folder from then on; an audit that was interrupted
    goes on, and one that is finished is not made again.

    Args:
        bundle: whose reward is audited.
        task: its task, whose environment is run.
        sandbox: where the checkers look at the episodes.
        folder: where the audit is kept.
        effort: how hard it tries.
        listen: is told how far it is.
        isolation: the lowest isolation level at which programs may run while agents train; by default 2.

    Raises:
        BadBundle: a sub-task has no program, so that there is no reward.
        UserError: the folder holds another audit; the task cannot be learnt by PPO.
        RewardChanged: a program said something else of a known frame than before.
        KeyboardInterrupt: Ctrl-C, after everything was saved.
    """
    if [each.subtask for each in bundle.checkers] != list(bundle.subtasks):
        raise BadBundle(f"The bundle {bundle.path} lacks a program for a sub-task: there is no reward to be audited.")
    asked = asked_of(bundle, task, effort)
    state = folder.begin(asked)
    if state.confirmed is None:
        with sandbox.open(bundle.checkers) as session:
            collector = Collector(bundle.checkers, session, state.episodes, state.tallies)
            run = _Run(bundle, task, folder, effort, listen, isolation, collector, session, state, asked)
            run.to_the_end()
    return folder.findings()


def asked_of(bundle: Bundle, task: Task, effort: Effort) -> dict[str, Any]:
    """What an audit is about and how hard it tries, as `AuditFolder` keeps it."""
    return {
        "task": task.as_dict(),
        "bundle": str(bundle.path),
        "manifest_sha256": bundle.manifest_sha256,
        "subtasks": [asdict(each) for each in bundle.subtasks],
        "effort": effort.as_dict(),
    }


@dataclass
class _Run:
    bundle: Bundle
    task: Task
    folder: AuditFolder
    effort: Effort
    listen: Listener
    isolation: int | None
    collector: Collector
    session: Session
    state: State
    asked: Mapping[str, Any]

    def to_the_end(self) -> None:
        observe_milestones = _can_see_milestones(self.task, len(self.bundle.checkers))
        try:
            for seed in range(self.effort.agents):
                self._part(f"seed {seed}", partial(self._trained, seed, observe_milestones), goes_on=True)
                if not observe_milestones:
                    self._part(f"seed {seed} examined", partial(self._examined, seed))
            self._part(_ONWARD, self._gone_on)
        except KeyboardInterrupt:
            self.collector.look()
            self._save()
            raise

    def _part(self, name: str, work: Callable[[], None], goes_on: bool = False) -> None:
        """Does a part of the work; `goes_on` says that what it has done when it is interrupted is not done again."""
        if name in self.state.done:
            return
        before = self.collector.kept, self.collector.tallies
        try:
            work()
            self.collector.look()
        except KeyboardInterrupt:
            if not goes_on:
                self.collector.begin_again(*before)
            raise
        self.state.done.add(name)
        self._save()

    def _filmed(self, seed: int) -> Task:
        take, cost = self.collector.take, 0.0
        if seed >= self.effort.seeds:
            take, cost = self.collector.take_contrary, 1 / len(self.bundle.checkers)
        return FilmedTask.of(self.task, take, cost)

    def _trained(self, seed: int, observe_milestones: bool) -> None:
        settings = self.effort.training(seed, observe_milestones)
        path, run = self.bundle.path, self.folder.run(seed)
        train(self._filmed(seed), path, settings, run, self._progress(seed), True, True, self.isolation)

    def _examined(self, seed: int) -> None:
        """Plays with the final policy; the evaluation of a policy that does not see milestones is not filmed."""
        from car.rewards.code import open_reward

        reward = open_reward(self.bundle.path, allow_unreviewed=True, isolation=self.isolation)
        try:
            with Exam(self._filmed(seed), self.effort.episodes, EVALUATION_SEED, reward=reward) as exam:
                exam.sit(load_policy(self.folder.run(seed)))
        finally:
            reward.close()

    def _progress(self, seed: int) -> Callable[[Progress], None]:
        def told(line: Progress) -> None:
            self.collector.look()
            if line.evaluation is not None:
                # A checkpoint was just written: what is counted fits what goes on from there.
                self._save()
            self.listen(Told(f"training agent {seed}", seed, line, self.collector.flaws))

        return told

    def _gone_on(self) -> None:
        """The last part; with it the audit is finished."""
        experts = self._experts()
        checkers = self.bundle.checkers
        heard = observe(self.session, experts) if experts else []
        for each in heard:
            self.collector.note(seen(checkers, each, EXPERT))
        from_experts = [seen(checkers, each, FROM_EXPERT) for each in heard]
        own = [each for each in self.collector.paid if each.how in OWN]
        self._continued(own[: self.effort.starts], FROM_AGENT)
        self._continued(from_experts, FROM_EXPERT)
        self.collector.look()
        self.state.confirmed = confirmed(experts, self.collector.tallies)

    def _experts(self) -> list[Trajectory]:
        """Experts' episodes in layouts that nobody else has: the recorded ones are for the verdict."""
        try:
            seeds = range(EXPERT_SEED, EXPERT_SEED + self.effort.starts)
            return list(record(self.task, "expert", seeds))
        except BadTask as error:
            self._note(f"No expert's episode was continued: {error}")
            return []

    def _continued(self, starts: Sequence[Played], how: str) -> None:
        episodes: Iterable[list[Trajectory] | Unplayable]
        episodes = gone_on(self.task, starts, self.bundle.checkers, self.effort)
        for number, several in enumerate(episodes, 1):
            if isinstance(several, Unplayable):
                self._note(f"An episode could not be continued: {several.reason}")
                continue
            self.collector.add([(replace(each, who="agent"), how) for each in several])
            self.listen(Told(f"{how}: {number} of {len(starts)}", None, None, self.collector.flaws))

    def _note(self, sentence: str) -> None:
        if sentence not in self.state.notes:
            self.state.notes.append(sentence)

    def _save(self) -> None:
        self.state.tallies, self.state.episodes = self.collector.tallies, self.collector.kept
        self.folder.save(self.asked, self.state)


def _can_see_milestones(task: Task, count: int) -> bool:
    from car.wrapper.observing import MilestoneView

    env = task.viewed(task.make_env())
    try:
        MilestoneView(env.observation_space, count)
    except UserError:
        return False
    finally:
        env.close()
    return True
