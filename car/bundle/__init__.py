"""The reward bundle: a folder with the checkers, the verdict, every attempt and the approval.

::

    generated_rewards/<task>/
        manifest.json       format, task, sub-tasks, VLM, hashes of trajectories, versions, sha256 of every file below
        verdict.json        what verification found on the held-out trajectories; rehearsal.json on the others
        checkers/01-<sub-task>.py ...
        attempts/01-<stage>-<sub-task>-<attempt>/prompt.md, reply.md, outcome.json
        frames/<sha256>.png every picture that was shown to the VLM, in its original size
        measured.json       what the programs cost where they were verified, not part of it
        approval.json       a person's decision; binds to the manifest's sha256, not part of it
"""

from car.bundle.form import FORMAT, Approval, Bundle, Provenance
from car.bundle.read import decide, find_bundle, label_of, list_bundles, load_bundle
from car.bundle.write import save_bundle, take_in

__all__ = [
    "FORMAT",
    "Approval",
    "Bundle",
    "Provenance",
    "decide",
    "find_bundle",
    "label_of",
    "list_bundles",
    "load_bundle",
    "save_bundle",
    "take_in",
]
