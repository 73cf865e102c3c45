"""All pictures of a film, each drawn when it is asked for, since together they take much memory."""

from collections.abc import Sequence
from itertools import accumulate
from typing import overload

from car.film.picture import Caption, Layout
from car.film.playing import Episode
from car.frames import Frame


class Pictures(Sequence[Frame]):
    """The pictures of some episodes, one after another.

    Args:
        title: what is written above.
        reward: what kind of reward the agent was trained with.
        episodes: of one task, at least one.
    """

    def __init__(self, title: str, reward: str, episodes: Sequence[Episode]) -> None:
        which = (f"{number} of {len(episodes)}" for number in range(1, len(episodes) + 1))
        captions = [_caption(title, reward, *each) for each in zip(episodes, which, strict=True)]
        self._layout = Layout(episodes[0].last.frame, captions, max(each.last.step for each in episodes))
        self._moments = [
            (moment, caption) for each, caption in zip(episodes, captions, strict=True) for moment in each.moments
        ]
        self.lasts = frozenset(end - 1 for end in accumulate(len(each.moments) for each in episodes))

    def __len__(self) -> int:
        """How many there are."""
        return len(self._moments)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        """One picture, or some."""
        if isinstance(index, slice):
            return [self._layout.draw(*each) for each in self._moments[index]]
        return self._layout.draw(*self._moments[index])


def _caption(title: str, reward: str, episode: Episode, which: str) -> Caption:
    pace = f", every {_ordinal(episode.stride)} step" if episode.stride > 1 else ""
    lines = reward, f"episode {which}, seed {episode.seed}{pace}"
    return Caption(title, lines, episode.names, episode.last.shaped is not None)


def _ordinal(stride: int) -> str:
    """In words for people; strides are powers of two."""
    return "second" if stride == 2 else f"{stride}nd" if stride % 10 == 2 else f"{stride}th"
