"""A VLM session as the command line and the demo run it: journalled, perhaps recorded, with its provenance."""

from pathlib import Path

from car.bundle import Provenance
from car.refine import Draft, misformed
from car.vlm import VLM
from car.vlm.choose import vlm_from
from car.vlm.journal import Journal
from car.vlm.recording import Recorder
from car.vlm.replay import ReplayVLM


def session_with(
    spec: str,
    journal: Path,
    *,
    base_url: str | None = None,
    record: Path | None = None,
    made: str = "",
    strict: bool = False,
    max_output: int = 8000,
    timeout: float = 600.0,
) -> VLM:
    """The VLM that a spec names, with every reply on disk before it is read.

    Args:
        spec: as on the command line, see `car.vlm.choose`.
        journal: the folder of the replies, named after the task; the questions of the `manual` way go to a folder of
            that name in ``manual``, where a person finds them.
        base_url: of a compatible server.
        record: a recording to write besides.
        made: how the recorded session is made.
        strict: a replay refuses a prompt that was not recorded.
        max_output: the most tokens that an answer may have.
        timeout: seconds for a whole answer of a provider.

    Raises:
        UserError: a spec, key or recording that cannot be used.
    """
    folder = Path("manual") / journal.name
    vlm = vlm_from(
        spec, base_url=base_url, folder=folder, strict=strict, max_output=max_output, timeout=timeout, problem=misformed
    )
    if not isinstance(vlm, ReplayVLM):
        vlm = Journal(vlm, journal, max_output)
    return vlm if record is None else Recorder(vlm, record, made)


def journal_of(vlm: VLM) -> Journal | None:
    """The journal of a session that `session_with` gave; None for a recorded one."""
    inner = vlm.vlm if isinstance(vlm, Recorder) else vlm
    return inner if isinstance(inner, Journal) else None


def put_aside(journal: Path) -> Path:
    """Renames the folder of the replies: all is asked anew, and nothing that was paid for is lost.

    Returns:
        where the replies are now.
    """
    suffixes = [each.name.removeprefix(f"{journal.name}.") for each in journal.parent.glob(f"{journal.name}.*")]
    last = max((int(each) for each in suffixes if each.isdecimal()), default=0)
    return journal.rename(journal.with_name(f"{journal.name}.{last + 1}"))


def provenance_of(vlm: VLM, draft: Draft) -> Provenance:
    """Where the programs of a draft came from."""
    models = tuple(sorted({each.reply.model for each in draft.attempts if each.reply.model}))
    return Provenance(vlm.name, models, vlm.recording.made if isinstance(vlm, ReplayVLM) else "")
