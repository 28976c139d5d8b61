"""What is changed of a journey while it runs: limits, downtime, policy."""

import time

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

from seeded import sparse
from stage import long, new_id

# At the first limit these take longer than what is waited for.
SLOW = 1
DATA = 24 * MIB
SOON = 12


def tune(stage, migration_id, **changes):
    return stage.controller.call("kvm01", "live_migration_set_parameters",
                                 migration_id=migration_id, **changes)


def _ends_soon(stage, migration_id):
    began = time.monotonic()
    stage.completed(migration_id)
    check(time.monotonic() - began < SOON, "the limit went on")


def seeds(stage):
    """a seed takes another limit at once; what was changed is in the record"""
    guest = stage.still(sparse(DATA))
    migration_id = stage.migrate(guest, bandwidth_mib_s=SLOW, storage_strategy="seeded")
    stage.recorder.wait_phase("disk", migration_id)
    answer = tune(stage, migration_id, bandwidth_mib_s=0, downtime_ms=700, policy="fixed")
    equal(answer["deferred"], [])
    equal(answer["parameters"], {"bandwidth_mib_s": 0, "downtime_ms": 700, "max_pause_ms": 5000,
                                 "policy": "fixed"})
    equal(stage.controller.record("kvm01", migration_id)["parameters"], answer["parameters"])
    _ends_soon(stage, migration_id)
    stage.refuses("InvalidMigrationState", "kvm01", "live_migration_set_parameters",
                  migration_id=migration_id, downtime_ms=1)
    stage.refuses("MigrationNotFound", "kvm01", "live_migration_set_parameters",
                  migration_id=new_id(), downtime_ms=1)


@long
def mirrors(stage):
    """the limit of a disk's copy stays unless QEMU's own commands are permitted"""
    guest = stage.still(Disk("vda", GIB, data=DATA))
    with stage.settings({"kvm01": {"migration": {"monitor_commands": "true"}}}):
        migration_id = stage.migrate(guest, bandwidth_mib_s=SLOW)
        stage.wait_copying(migration_id)
        equal(tune(stage, migration_id, bandwidth_mib_s=100)["deferred"], [])
        _ends_soon(stage, migration_id)
    guest.moved_to(stage.destination)


@long
def deferred(stage):
    """an agent that dies goes on with what was changed; the answer says what waits: the limit of a
    copy that runs, where libvirt is older than 11.3"""
    guest = stage.still(Disk("vda", GIB, data=10 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=SLOW)
    stage.wait_copying(migration_id)
    answer = tune(stage, migration_id, bandwidth_mib_s=50, max_pause_ms=6000)
    waits = ["bandwidth_mib_s"] if stage.libvirt_version("kvm01") < (11, 3) else []
    equal(answer["deferred"], waits)
    stage.agents["kvm01"].kill()
    stage.agents["kvm01"].start()
    stage.completed(migration_id)
    equal(stage.controller.record("kvm01", migration_id)["parameters"], answer["parameters"])


# convergence.policies changes it on the way, too.
@long
def memory(stage):
    """memory takes another limit, downtime and policy at once"""
    guest = stage.counting(Disk("vda", GIB), dirty_mib=32, dirty_mib_s=20)
    migration_id = stage.migrate(guest, bandwidth_mib_s=4, downtime_ms=20)
    stage.recorder.wait_phase("memory", migration_id)
    tune(stage, migration_id, bandwidth_mib_s=0, downtime_ms=900, policy="fixed")
    _ends_soon(stage, migration_id)
    stage.runs_on(guest, stage.destination)


@long
def under_a_limit(stage):
    """a limit of memory does not keep the guest from switching over by what the link takes"""
    guest = stage.counting(Disk("vda", GIB), dirty_mib=5, dirty_mib_s=100)
    with stage.settings({"kvm01": {"migration": {"switchover_bandwidth": "40"}}}):
        end = stage.carry(guest, bandwidth_mib_s=10, downtime_ms=300, policy="fixed")
    check(end.payload["report"]["downtime_ms"] <= 390, end.payload["report"])
    stage.runs_on(guest, stage.destination)


@long
def policy_is_gone(stage):
    """an agent starts without a policy that an order named, and the rest of the order holds"""
    guest = stage.still(sparse(DATA))
    with stage.settings({"kvm01": {"policy night": {"start": "200"}}}):
        migration_id = stage.migrate(guest, bandwidth_mib_s=50, storage_strategy="seeded",
                                     policy="night")
        tune(stage, migration_id, bandwidth_mib_s=SLOW, downtime_ms=700)
        stage.recorder.wait_phase("disk", migration_id)
    equal(stage.controller.record("kvm01", migration_id)["parameters"],
          {"bandwidth_mib_s": SLOW, "downtime_ms": 700, "max_pause_ms": 5000,
           "policy": "minimal-downtime"})
    tune(stage, migration_id, bandwidth_mib_s=0)
    stage.completed(migration_id)


CASES = (seeds, policy_is_gone, mirrors, deferred, memory, under_a_limit)
