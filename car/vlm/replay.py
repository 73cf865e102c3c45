"""A recorded session instead of a VLM: no key, no network, the same answers every time."""

from dataclasses import replace
from importlib.abc import Traversable
from importlib.resources import as_file, files
from pathlib import Path

from car.errors import BadRecording, NotRecorded, UnknownName
from car.vlm import Reply, Request
from car.vlm.recording import Exchange, Recording, load_recording


class ReplayVLM:
    """Answers from a recording: by the request's hash, or else by its stage, subject and attempt, with a note.

    Args:
        recording: the path of a recording, or the name of one that comes with the package.
        strict: refuse a request whose hash is not in the recording.
        shelf: where the recordings are that have a name; None for those of the package.

    Raises:
        UnknownName: there is no such file and no such name.
        BadRecording: the file is damaged or of an unknown format.
    """

    def __init__(self, recording: str | Path, *, strict: bool = False, shelf: Traversable | None = None) -> None:
        self.recording = _load(recording, _packaged() if shelf is None else shelf)
        self._strict, self._stem = strict, Path(recording).stem
        exchanges = self.recording.exchanges
        self._by_hash = {exchange.request_sha256: exchange for exchange in exchanges}
        # Of two answers in the same place the later one belongs to the newer prompt.
        self._by_place = {exchange.place: exchange for exchange in exchanges}

    @property
    def name(self) -> str:
        """``replay/<recording>``."""
        return f"replay/{self._stem}"

    def ask(self, request: Request) -> Reply:
        """The recorded reply, with the recorded model and tokens.

        Raises:
            NotRecorded: the recording has no answer.
            BadRecording: with `strict`, none to exactly this request.
        """
        exact = self._by_hash.get(request.sha256)
        if exact is not None:
            return self._reply(exact)
        place = request.stage, request.subject, request.attempt, request.sample
        if place not in self._by_place:
            raise NotRecorded(f"The recording {self._stem} has no answer for {_words(place)}. {self._contents()}")
        if self._strict:
            raise BadRecording(
                f"The recording {self._stem} was made with another prompt for {_words(place)}; record it again, or "
                "replay it without --strict."
            )
        note = (
            f"The recording {self._stem} was made with another prompt, perhaps of another task; this is its answer for "
            f"{_words(place)}."
        )
        return replace(self._reply(self._by_place[place]), note=note)

    def _reply(self, exchange: Exchange) -> Reply:
        return replace(exchange.reply, model=exchange.reply.model or self.recording.model)

    def _contents(self) -> str:
        held = "; ".join(_words(place) for place in self._by_place)
        return f"It holds: {held}." if held else "It is empty."


def _words(place: tuple[str, str, int, int]) -> str:
    stage, subject, attempt, sample = place
    which = f"attempt {attempt}" if sample == 1 else f"attempt {attempt}, sample {sample}"
    return f"{stage}{f' {subject!r}' if subject else ''} ({which})"


def _packaged() -> Traversable:
    return files("car").joinpath("recordings")


def _load(recording: str | Path, shelf: Traversable) -> Recording:
    if Path(recording).is_file():
        return load_recording(Path(recording))
    named = {entry.name.removesuffix(".json"): entry for entry in _entries(shelf) if entry.name.endswith(".json")}
    if str(recording) not in named:
        raise UnknownName("recording", str(recording), sorted(named))
    with as_file(named[str(recording)]) as path:
        return load_recording(path)


def _entries(shelf: Traversable) -> list[Traversable]:
    return list(shelf.iterdir()) if shelf.is_dir() else []
