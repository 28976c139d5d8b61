"""The moments in which a journal is taken: an agent is held at a fault point, and both are killed.

A moment that an agent does not have is left out of its journals: steps have come over the versions.
"""

import dataclasses

# As the saga has them today.
STEPS = ("check", "prepare", "files", "trim", "snapshot", "seed", "transfer", "confirm", "finish",
         "source-domain", "source-disks")
# What a step was called before.
FORMER = {"confirm": "adjudicate"}


@dataclasses.dataclass(frozen=True)
class Moment:
    """Where whom the agents die, and what becomes of the record when a new agent takes the journal
    up on hosts that have nothing of it: no instance, no images."""
    name: str
    side: str
    point: str
    ends: tuple
    options: dict = dataclasses.field(default_factory=dict)
    # Of the instance's disk, and whether it lies on another image.
    kind: str = "qcow2"
    backed: bool = False
    aborted: bool = False
    # What is changed by order while the agent is held.
    tuned: dict = dataclasses.field(default_factory=dict)


def _step(name, ends, kind="qcow2", backed=False, **options):
    return Moment(name, "source", name + ":begin", ends, options, kind, backed)


MOMENTS = (
    # The instance is not there: nothing has happened yet, and nothing can.
    _step("check", ("failed",)),
    _step("prepare", ("failed",)),
    _step("files", ("failed",), backed=True),
    _step("trim", ("failed",), fstrim=True),
    _step("snapshot", ("failed",), kind="raw", storage_strategy="seeded"),
    _step("seed", ("failed",), kind="raw", storage_strategy="seeded"),
    # It may have moved, and nobody has it.
    _step("transfer", ("error",)),
    _step("confirm", ("error",)),
    _step("finish", ("error",)),
    # It was seen there; what is left to be done here is done already.
    _step("source-domain", ("completed",)),
    _step("source-disks", ("completed",), source_disks="delete"),
    Moment("tuned", "source", "transfer:begin", ("error",),
           tuned={"bandwidth_mib_s": 7, "policy": "suspend-if-needed"}),
    # The image that it was about to put aside is gone.
    Moment("quarantine", "source", "quarantine:begin", ("error",),
           {"source_disks": "quarantine"}),
    # The destination dies in the middle of what it does.
    Moment("image", "destination", "image:end", ("failed",)),
    Moment("deliver", "destination", "deliver:begin", ("error",)),
    Moment("undo", "destination", "undo:begin", ("failed", "cancelled"), aborted=True),
)
