"""Trajectories from folders of pictures."""

import re
from pathlib import Path

from car.errors import BadTrajectory
from car.frames import read_picture
from car.importing.film import film
from car.trajectory import Trajectory

SUFFIXES = (".png", ".jpg", ".jpeg")


def import_pictures(folder: Path, who: str = "expert", *, size: tuple[int, int] | None = None) -> list[Trajectory]:
    """One trajectory from a folder of PNG or JPEG pictures, or one from each folder in it that holds pictures.

    Pictures and folders are taken in natural order: ``frame2.png`` before ``frame10.png``. Other files are ignored.

    Args:
        folder: the folder.
        who: who acted, ``expert`` or ``random``.
        size: width and height to scale to; None leaves the pictures as they are.

    Raises:
        BadTrajectory: no such folder, no pictures, pictures beside folders of pictures, or pictures of several sizes.
        BadFrame: a picture that cannot be read.
    """
    if not folder.is_dir():
        raise BadTrajectory(f"There is no folder {folder}.")
    below = [each for each in _natural(folder) if each.is_dir() and _pictures(each)]
    here = _pictures(folder)
    if here and below:
        raise BadTrajectory(
            f"{folder} holds pictures and also folders of pictures; give one folder for each trajectory."
        )
    if not here and not below:
        raise BadTrajectory(f"{folder} holds no pictures ({', '.join(SUFFIXES)}) and no folders of pictures.")
    return [_filmed(each, who, size) for each in (below or [folder])]


def _filmed(folder: Path, who: str, size: tuple[int, int] | None) -> Trajectory:
    return film((read_picture(each) for each in _pictures(folder)), who, f"The folder {folder}", size)


def _pictures(folder: Path) -> list[Path]:
    return [each for each in _natural(folder) if each.suffix.lower() in SUFFIXES and each.is_file()]


def _natural(folder: Path) -> list[Path]:
    visible = [each for each in folder.iterdir() if not each.name.startswith(".")]
    return sorted(visible, key=lambda each: (_pieces(each.name), each.name))


def _pieces(name: str) -> list[tuple[int, str]]:
    """The name cut into numbers and text, so that numbers compare by value."""
    return [(int(piece), "") if piece.isdecimal() else (-1, piece.lower()) for piece in re.split(r"(\d+)", name)]
