"""A host where an instance arrives is looked at, and gets others, from one source and from two: in no
phase of the arrival does that harm anybody."""

import concurrent.futures

from lab.deadline import wait_until
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import equal

SOURCES = ("kvm01", "kvm03")
# The first one is that before any phase: the destination is asked and prepared.
PHASES = ("prepare", "disk", "memory", "switchover")


def _small(stage, host):
    return stage.still(Disk("vda", 64 * MIB, data=MIB, pieces=1), host=host, memory_mib=32)


def _await(stage, guest, migration_id, phase):
    if phase in ("disk", "memory"):
        stage.recorder.wait_phase(phase, migration_id)
    elif phase == "switchover":
        # Over in a blink: a look of the agent may miss it. The source is paused, or left already.
        wait_until(lambda: guest.state(stage.source) != "running", 60, phase, interval=0.01)


def _look_and_order(stage, guest):
    answer = stage.controller.call(guest.host.name, "check_can_live_migrate_source",
                                   instance=guest.name, host="kvm02")
    order = stage.migrate(guest)
    equal([each for each in answer["checks"] + answer["destination"]["checks"]
           if each["result"] == "fail"], [], "what fails for %s" % guest.name)
    return order


def in_every_phase(stage):
    """a check of and an order for another instance in every phase of an arrival, from its own source
    and from another one: all arrive"""
    slots = {"DEFAULT": {"max_concurrent_live_migrations": "4"},
             "migration": {"max_concurrent_incoming": "12"}}
    with stage.both(**slots), concurrent.futures.ThreadPoolExecutor(8) as pool:
        others = {phase: [_small(stage, host) for host in SOURCES] for phase in PHASES}
        # One that is paused has no switchover. It need not have booted.
        guest = stage.guest(Disk("vda", GIB, data=24 * MIB)).create_images().start()
        arrival = stage.migrate(guest, bandwidth_mib_s=16)
        asked = []
        for phase in PHASES:
            _await(stage, guest, arrival, phase)
            asked += [pool.submit(_look_and_order, stage, other) for other in others[phase]]
        for order in [arrival] + [each.result() for each in asked]:
            stage.completed(order)
        equal([each.moved_to(stage.destination).state(stage.destination)
               for each in sum(others.values(), [guest])], ["running"] + 8 * ["paused"])


CASES = (in_every_phase,)
