"""What is tried: faults, phases, and how each cell may end. Data only.

An end is the status that the migration has once everything is healed: the one of its terminal
event, or the one that migration.resolved brought after an error.
"""

PHASES = {
    "queued": "queued",
    "preparing": "preparing",
    "disk": "disk copy",
    "ready": "disks ready",
    "memory": "memory",
    "switchover": "switchover",
    "switched": "after the switch",
    "clean-up": "source clean-up",
}

FAULTS = {
    "kill-source-agent": "SIGKILL of the source agent",
    "kill-destination-agent": "SIGKILL of the destination agent",
    "kill-both-agents": "SIGKILL of both agents",
    "term-source-agent": "restart of the source agent (SIGTERM)",
    "term-destination-agent": "restart of the destination agent (SIGTERM)",
    "kill-source-libvirtd": "SIGKILL of libvirtd on the source",
    "kill-destination-libvirtd": "SIGKILL of libvirtd on the destination",
    "kill-source-qemu": "SIGKILL of QEMU on the source",
    "kill-destination-qemu": "SIGKILL of QEMU on the destination",
    "kill-broker": "SIGKILL of the broker, back after 5 s",
    "cut-migration-link": "migration link cut",
    "cut-broker-link": "broker's link cut",
    "fill-destination-disk": "destination's file system full",
}

DONE = frozenset({"completed"})
STAYED = frozenset({"failed"})
EITHER = DONE | STAYED
UNKNOWN = frozenset({"error"})

# Before the transfer began; while it runs; when the guest is over there.
_BEFORE = ("queued", "preparing")
_DURING = ("disk", "ready", "memory")
_AFTER = ("switched", "clean-up")


def _row(before, during, switchover, after):
    row = {phase: before for phase in _BEFORE}
    row.update({phase: during for phase in _DURING})
    row["switchover"] = switchover
    row.update({phase: after for phase in _AFTER})
    return row


# None: there is nothing to be killed at that time.
EXPECTED = {
    # Transfers are libvirtd's: no death of an agent or of the broker ends one.
    "kill-source-agent": _row(DONE, DONE, DONE, DONE),
    "kill-destination-agent": _row(DONE, DONE, DONE, DONE),
    "kill-both-agents": _row(DONE, DONE, DONE, DONE),
    "term-source-agent": _row(DONE, DONE, DONE, DONE),
    "term-destination-agent": _row(DONE, DONE, DONE, DONE),
    "kill-broker": _row(DONE, DONE, DONE, DONE),
    "cut-broker-link": _row(DONE, DONE, DONE, DONE),
    # libvirtd takes its transfer with it; what came before and after is done again.
    "kill-source-libvirtd": _row(EITHER, STAYED, EITHER, DONE),
    "kill-destination-libvirtd": _row(EITHER, STAYED, EITHER, DONE),
    "kill-source-qemu": _row(STAYED, STAYED, EITHER, None),
    # Once the destination has said that the guest arrived, it may die of its own.
    "kill-destination-qemu": {**_row(None, STAYED, STAYED, UNKNOWN), "clean-up": DONE},
    "cut-migration-link": _row(EITHER, EITHER, EITHER, DONE),
    "fill-destination-disk": _row(EITHER, EITHER, EITHER, DONE),
}

# The agents' own steps: the one who gets there is killed there and started again. "source" and
# "destination" say whose agent it is.
POINTS = [
    ("source", "order:begin"), ("source", "order:end"),
    ("source", "check:begin"), ("source", "check:end"),
    ("source", "prepare:begin"), ("source", "prepare:end"),
    ("source", "transfer:begin"), ("source", "transfer:end"),
    ("source", "adjudicate:begin"), ("source", "adjudicate:end"),
    ("source", "finish:begin"), ("source", "finish:end"),
    ("source", "source-disks:begin"), ("source", "source-disks:end"),
    ("source", "confirm:begin"),
    ("destination", "reserve:begin"), ("destination", "reserve:end"),
    ("destination", "pool:begin"), ("destination", "pool:end"),
    ("destination", "image:begin"), ("destination", "image:end"),
    ("destination", "deliver:begin"), ("destination", "deliver:end"),
    ("destination", "confirm:begin"),
]

# A transfer that was journaled and never begun is undone: whether it began is not guessed.
POINT_ENDS = {("source", "transfer:begin"): STAYED}

# Where the order is aborted first, so that there is something to undo.
UNDO_POINTS = [
    ("destination", "undo:begin"), ("destination", "undo:end"),
]

# What the ordinary tests play of it.
ORDINARY = [
    ("kill-source-agent", "disk"),
    ("kill-source-agent", "switchover"),
    ("kill-both-agents", "memory"),
    ("kill-destination-agent", "preparing"),
    ("kill-source-libvirtd", "disk"),
    ("kill-destination-libvirtd", "memory"),
    ("kill-destination-qemu", "disk"),
    ("kill-source-qemu", "memory"),
    ("kill-broker", "switched"),
    ("fill-destination-disk", "disk"),
    ("term-source-agent", "queued"),
    ("term-destination-agent", "clean-up"),
]


def cells():
    """All (fault, phase, expected ends)."""
    return [(fault, phase, EXPECTED[fault][phase])
            for fault in FAULTS for phase in PHASES if EXPECTED[fault][phase]]


def ordinary_cells():
    return [(fault, phase, EXPECTED[fault][phase]) for fault, phase in ORDINARY]
