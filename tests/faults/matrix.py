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
    # One that is dead when its turn comes is an instance that is shut off, and goes over as such.
    "kill-source-qemu": {**_row(STAYED, STAYED, EITHER, None), "queued": DONE},
    # Once the destination has said that the guest arrived, it may die of its own.
    "kill-destination-qemu": {**_row(None, STAYED, STAYED, UNKNOWN), "clean-up": DONE},
    "cut-migration-link": _row(EITHER, EITHER, EITHER, DONE),
    "fill-destination-disk": _row(EITHER, EITHER, EITHER, DONE),
}

# The agents' own steps: the one who gets there is killed there and started again. "source" and
# "destination" say whose agent it is. Here with an ordinary guest, below with others (layouts.py).
POINTS = [
    ("source", "order:begin"), ("source", "order:end"),
    ("source", "check:begin"), ("source", "check:end"),
    ("source", "prepare:begin"), ("source", "prepare:end"),
    ("source", "transfer:begin"), ("source", "transfer:end"),
    ("source", "confirm:begin"), ("source", "confirm:end"),
    ("source", "finish:begin"), ("source", "finish:end"),
    ("source", "source-domain:begin"), ("source", "source-domain:end"),
    ("source", "source-disks:begin"), ("source", "source-disks:end"),
    ("source", "trim:begin"), ("source", "trim:end"),
    ("source", "outbox:begin"),
    ("destination", "reserve:begin"), ("destination", "reserve:end"),
    ("destination", "pool:begin"), ("destination", "pool:end"),
    ("destination", "image:begin"), ("destination", "image:end"),
    ("destination", "deliver:begin"), ("destination", "deliver:end"),
    ("destination", "outbox:begin"),
]

LAYOUT_POINTS = {
    "seeded": [
        ("source", "snapshot:begin"), ("source", "overlay:begin"), ("source", "overlay:end"),
        ("source", "snapshot:end"), ("source", "seed:begin"), ("source", "seed:end"),
        ("source", "transfer:begin"), ("source", "transfer:end"), ("source", "finish:begin"),
        ("source", "source-disks:begin"), ("source", "source-disks:end"),
        ("destination", "image:end"), ("destination", "deliver:begin"),
        ("destination", "merge:begin"), ("destination", "merge:end"),
        ("destination", "deliver:end"),
    ],
    "chain": [
        ("source", "files:begin"), ("source", "carry:begin"), ("source", "carry:end"),
        ("source", "files:end"), ("destination", "partial:begin"),
        ("destination", "partial:end"), ("destination", "publish:end"),
        ("destination", "image:end"), ("destination", "deliver:begin"),
    ],
    "medium": [
        ("source", "carry:begin"), ("source", "carry:end"), ("destination", "partial:end"),
        ("destination", "publish:end"),
    ],
    "shut-off": [
        ("source", "transfer:begin"), ("source", "carry:begin"), ("source", "carry:end"),
        ("source", "define:begin"), ("source", "define:end"), ("source", "finish:begin"),
        ("source", "source-domain:begin"), ("destination", "partial:begin"),
        ("destination", "partial:end"), ("destination", "publish:end"),
        ("destination", "deliver:end"),
    ],
    "returning": [("destination", "aside:begin"), ("destination", "aside:end")],
    "quarantine": [
        ("source", "source-disks:begin"), ("source", "quarantine:begin"),
        ("source", "quarantine:end"), ("source", "source-disks:end"),
    ],
}

# A transfer that was journaled and never begun is undone: whether it began is not guessed. Nothing
# of a shut-off instance can have begun without us.
POINT_ENDS = {("source", "transfer:begin"): STAYED}
LAYOUT_POINT_ENDS = {("shut-off", "source", "transfer:begin"): DONE}

# Killed there, started again, and then the order is aborted: what was made by half is gone again.
ABORT_POINTS = [
    ("seeded", "source", "overlay:begin"), ("seeded", "source", "overlay:end"),
    ("seeded", "source", "seed:end"), ("seeded", "destination", "image:end"),
    ("chain", "source", "carry:begin"), ("chain", "source", "carry:end"),
    ("chain", "destination", "partial:begin"), ("chain", "destination", "partial:end"),
    ("chain", "destination", "publish:end"), ("medium", "destination", "publish:end"),
    ("shut-off", "source", "carry:end"), ("shut-off", "destination", "publish:end"),
    ("quarantine", "source", "check:end"),
]

# Where the order is aborted first, so that there is something to undo.
UNDO_POINTS = [
    ("plain", "destination", "undo:begin"), ("plain", "destination", "undo:end"),
    ("seeded", "source", "thaw:begin"), ("seeded", "destination", "undo:begin"),
    ("chain", "destination", "undo:begin"), ("chain", "destination", "undo:end"),
]

# With a quarantine that an earlier journey left, which is ordered to end: (what with it, point).
QUARANTINE_POINTS = [
    ("deleted", "release:begin"), ("deleted", "release:end"),
    ("restored", "restore:begin"), ("restored", "restore:end"),
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


# What is played on each pair of releases, by the cells' names: each fault in a phase in which most
# is at stake, and a step of each layout that moves another way.
ACROSS = [
    "kill-source-agent@switchover", "kill-destination-agent@switched", "kill-both-agents@memory",
    "term-source-agent@disk", "term-destination-agent@clean-up",
    "kill-source-libvirtd@disk", "kill-destination-libvirtd@memory",
    "kill-source-qemu@memory", "kill-destination-qemu@disk", "kill-destination-qemu@switched",
    "kill-broker@switched", "cut-migration-link@disk", "cut-broker-link@memory",
    "fill-destination-disk@disk",
    "destination/merge:begin@seeded", "destination/publish:end@chain/aborted",
    "source/carry:end@shut-off", "source/quarantine:end@quarantine",
]

# And of the agents' own steps, by the cells' names.
ORDINARY_POINTS = ["source/overlay:end@seeded", "destination/merge:begin@seeded",
                   "destination/publish:end@chain/aborted", "source/quarantine:end@quarantine"]


def point_end(layout, side, point):
    """How a journey may end whose agent was killed there."""
    return LAYOUT_POINT_ENDS.get((layout, side, point), POINT_ENDS.get((side, point), DONE))


def struck_points():
    """The names of all points at which some cell kills an agent."""
    cells_of = [("plain", side, point) for side, point in POINTS] + ABORT_POINTS + UNDO_POINTS
    cells_of += [(layout, side, point) for layout, points in LAYOUT_POINTS.items()
                 for side, point in points]
    return ({point for _layout, _side, point in cells_of}
            | {point for _what, point in QUARANTINE_POINTS})


def cells():
    """All (fault, phase, expected ends)."""
    return [(fault, phase, EXPECTED[fault][phase])
            for fault in FAULTS for phase in PHASES if EXPECTED[fault][phase]]


def ordinary_cells():
    return [(fault, phase, EXPECTED[fault][phase]) for fault, phase in ORDINARY]
