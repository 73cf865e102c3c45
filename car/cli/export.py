"""`car export`."""

from pathlib import Path
from typing import Annotated

import typer

from car.cli.output import REWARDS, Json, Rewards, next_step, note, result


def export(
    bundle: Annotated[str, typer.Argument(help="A bundle's folder, or the name of its task.")],
    file: Annotated[Path, typer.Argument(help="The file to write, e.g. reward.py.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    allow_unreviewed: Annotated[
        bool, typer.Option("--allow-unreviewed", help="Also export a bundle that no person has approved.")
    ] = False,
    rewards: Rewards = REWARDS,
    as_json: Json = False,
) -> None:
    """Writes a bundle's reward as one Python file that needs numpy, cv2 and gymnasium only.

    The file has the programs, the milestones, and the class DenseReward, a Gymnasium wrapper with the same info keys as
    that of car.wrapper. It is NOT isolated: the programs run in the process that imports it.

    Examples:
    car export doorkey-8x8 reward.py
    car export generated_rewards/taxi taxi_reward.py --force
    """
    from car.bundle import find_bundle, load_bundle
    from car.export import CAMERAS
    from car.export import export as export_

    loaded = load_bundle(find_bundle(bundle, rewards))
    export_(loaded, file, allow_unreviewed=allow_unreviewed, force=force)
    camera = loaded.task.camera in CAMERAS
    note("The file is not isolated: what is in it runs in your own process. Read it first.", "yellow")
    if not camera:
        note(f"It has no camera in place of {loaded.task.camera!r}: pass camera= to DenseReward.", "yellow")
    document = {
        "bundle": str(loaded.path),
        "file": str(file),
        "programs": [each.subtask.name for each in loaded.checkers],
        "decision": loaded.verdict.decision,
        "approved": loaded.approved,
        "manifest_sha256": loaded.manifest_sha256,
        "camera": camera,
        "isolated": False,
    }
    said = f"{file}: {len(loaded.checkers)} programs of {loaded.path}, {loaded.verdict.decision}."
    result(as_json, document, said, next_step(f"read {file}, then in Python: from {file.stem} import DenseReward"))
