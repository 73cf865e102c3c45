"""Trajectories from elsewhere: Minari datasets, folders of pictures, videos; and to Minari."""

from pathlib import Path

from car.errors import BadTrajectory
from car.importing.datasets import export_minari, import_minari, is_dataset, looks_like_dataset_id
from car.importing.pictures import import_pictures
from car.importing.video import import_video
from car.task import Task
from car.trajectory import Trajectory

__all__ = ["export_minari", "import_from", "import_minari", "import_pictures", "import_video"]


def import_from(
    source: str | Path, task: Task, who: str = "expert", *, every: int = 1, size: tuple[int, int] | None = None
) -> list[Trajectory]:
    """The trajectories at a path: a Minari dataset, a folder of pictures, a folder of such folders, or a video.

    Args:
        source: the path, or the id of a Minari dataset on this machine (``namespace/name-v0``).
        task: the task that they show.
        who: who acted in them, ``expert`` or ``random``.
        every: of a video, every so-manieth frame is taken, and the last one.
        size: width and height to which pictures and video frames are scaled; None leaves them.

    Raises:
        BadTrajectory: there is nothing of the kind, or it is damaged or does not fit.
        BadFrame: one of the pictures cannot be read.
        MissingExtra: a Minari dataset, and the package is not installed.
    """
    path = Path(source)
    if path.exists():
        if is_dataset(path):
            return import_minari(path, task, who)
        return import_pictures(path, who, size=size) if path.is_dir() else [import_video(path, who, every, size=size)]
    if looks_like_dataset_id(str(source)):
        return import_minari(str(source), task, who)
    raise BadTrajectory(
        f"There is nothing at {source}: give a folder of pictures, a video, or a Minari dataset (path, or name-v0)."
    )
