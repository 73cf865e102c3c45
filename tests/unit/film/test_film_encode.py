from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from car.film.encode import write_film
from car.frames import Frame


def pictures(count: int) -> list[Frame]:
    """A white square that moves over a grey ground."""
    made = []
    for number in range(count):
        picture = np.full((64, 96, 3), 60, np.uint8)
        picture[20:40, 8 * number : 8 * number + 20] = (250, 250, 10)
        made.append(picture)
    return made


def test_a_gif_holds_every_picture_and_the_last_one_of_an_episode_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "film.gif"
    drawn = pictures(5)
    write_film(drawn, {2, 4}, path)
    with Image.open(path) as film:
        assert film.n_frames == 5
        assert film.info["loop"] == 0
        stays = []
        for number, picture in enumerate(drawn):
            film.seek(number)
            stays.append(film.info["duration"])
            assert np.abs(np.asarray(film.convert("RGB")).astype(int) - picture).max() <= 8
    assert stays == [500, 120, 2000, 500, 2000]
    assert list(path.parent.iterdir()) == [path]


def test_an_mp4_has_the_same_pictures_at_eight_a_second(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    drawn = pictures(3)
    write_film(drawn, {2}, path)
    film = cv2.VideoCapture(str(path))
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(8)
    shown = []
    while (read := film.read())[0]:
        shown.append(read[1][:, :, ::-1])
    film.release()
    assert len(shown) == 4 + 1 + 16
    for picture, at in zip(drawn, (0, 4, 20), strict=True):
        assert np.abs(shown[at].astype(int) - picture).mean() < 6
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_what_goes_wrong_leaves_the_film_of_before(tmp_path: Path, name: str) -> None:
    class Torn(list[Frame]):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield self[0]
            raise RuntimeError("out of paint")

    path = tmp_path / name
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError, match="out of paint"):
        write_film(Torn(pictures(3)), {2}, path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
