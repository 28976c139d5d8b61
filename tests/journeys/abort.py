"""Orders about a journey under way: abort in every state, force it to complete, time limits."""

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.deadline import wait_until
from lab.tap import check, equal

from chains import Base, Overlay
from seeded import sparse, stayed
from stage import long, new_id, slow_link, wait_status


def _abort(stage, migration_id, host="kvm01"):
    return stage.controller.call(host, "live_migration_abort", migration_id=migration_id)


def _cancelled(stage, guest, migration_id):
    """Cancelled, nothing lost, nothing left."""
    _stayed(stage, guest, migration_id)
    stage.runs_on(guest, stage.source)


def _stayed(stage, guest, migration_id):
    """As _cancelled(), for a guest that does not count."""
    stage.end(migration_id, "cancelled")
    equal(guest.state(stage.destination), None)
    equal(stage.destination.images(), [])
    record = stage.controller.record("kvm01", migration_id)
    equal(record["status"], "cancelled")


def _slow(stage, dirty=0):
    """A guest with little on its disk and more in its memory, or the other way round."""
    if dirty:
        return stage.counting(Disk("vda", GIB), dirty_mib=48, dirty_mib_s=dirty)
    return stage.counting(Disk("vda", GIB, data=32 * MIB))


def while_queued(stage):
    """abort while it waits in the queue"""
    first, second = stage.still(Disk("vda", GIB, data=32 * MIB)), stage.still(Disk("vda", GIB))
    running = stage.migrate(first, bandwidth_mib_s=4)
    queued = new_id()
    answer = stage.controller.call("kvm01", "live_migrate_instance", instance=second.name,
                                   host="kvm02", migration_id=queued)
    equal(answer["status"], "queued")
    stage.recorder.wait_event("migration.queued", queued)
    equal(stage.controller.call("kvm01", "describe_host")["slots"],
          {"used": 1, "free": 0, "queued": 1})
    equal(_abort(stage, queued)["status"], "cancelled")
    stage.end(queued, "cancelled")
    equal([each.type for each in stage.recorder.events(queued)],
          ["migration.accepted", "migration.queued", "migration.cancelled"])
    _abort(stage, running)
    _stayed(stage, first, running)


def queue_moves_on(stage):
    """the next in the queue starts when the one before it has ended"""
    guests = [stage.still(Disk("vda", GIB, data=4 * MIB)) for _ in range(3)]
    orders = [stage.migrate(guest) for guest in guests]
    for order in orders:
        stage.completed(order)
    began = [stage.recorder.wait_event("migration.preparing", order) for order in orders]
    ended = [stage.recorder.wait_event("migration.completed", order) for order in orders]
    for end, begin in zip(ended, began[1:]):
        check(end.payload["at"] <= begin.payload["at"], "they overlap")
    for guest in guests:
        guest.moved_to(stage.destination)


def while_preparing(stage):
    """abort while the destination is asked to prepare"""
    guest = stage.still(Disk("vda", GIB, data=4 * MIB))
    stage.agents["kvm02"].freeze()
    try:
        migration_id = stage.migrate(guest)
        stage.recorder.wait_event("migration.preparing", migration_id)
        _abort(stage, migration_id)
    finally:
        stage.agents["kvm02"].thaw()
    _stayed(stage, guest, migration_id)
    stage.rests_on(guest, stage.source)


def while_disks_move(stage):
    """abort while the disks are on their way"""
    guest = _slow(stage)
    migration_id = stage.migrate(guest, bandwidth_mib_s=4)
    stage.recorder.wait(lambda event: event.migration_id == migration_id
                        and event.payload["phase"] == "disk"
                        and (event.payload["progress"] or {}).get("percent", 0) > 0,
                        30, "progress of the disk")
    _abort(stage, migration_id)
    _cancelled(stage, guest, migration_id)
    stage.carry(guest)
    stage.runs_on(guest, stage.destination)


def while_memory_moves(stage):
    """abort while memory is on its way"""
    guest = _slow(stage, dirty=100)
    migration_id = stage.migrate(guest, bandwidth_mib_s=8, downtime_ms=100)
    stage.recorder.wait_phase("memory", migration_id)
    _abort(stage, migration_id)
    _cancelled(stage, guest, migration_id)


def twice(stage):
    """a second abort changes nothing"""
    guest = stage.still(Disk("vda", GIB, data=32 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=4)
    stage.recorder.wait_event("migration.running", migration_id)
    _abort(stage, migration_id)
    try:
        _abort(stage, migration_id)
    except Exception as error:  # pylint: disable=broad-except
        equal(getattr(error, "code", error), "InvalidMigrationState")
    _stayed(stage, guest, migration_id)


def after_the_end(stage):
    """abort and force after the end: InvalidMigrationState; of one never heard of: NotFound"""
    guest = stage.still(Disk("vda", GIB, data=1 * MIB))
    migration_id = stage.carry(guest).migration_id
    for method in ("live_migration_abort", "live_migration_force_complete"):
        stage.refuses("InvalidMigrationState", "kvm01", method, migration_id=migration_id)
        stage.refuses("MigrationNotFound", "kvm01", method, migration_id=new_id())
        stage.refuses("InvalidRequest", "kvm01", method, migration_id="first")
        stage.refuses("InvalidRequest", "kvm01", method)
    stage.refuses("InvalidMigrationState", "kvm02", "rollback_live_migration_at_destination",
                  migration_id=migration_id)


def _never_converges(stage, **options):
    guest = _slow(stage, dirty=200)
    migration_id = stage.migrate(guest, downtime_ms=20, **options)
    stage.recorder.wait_phase("memory", migration_id)
    return guest, migration_id


def force_complete(stage):
    """force-complete pauses a guest that writes faster than the link carries"""
    guest, migration_id = _never_converges(stage, bandwidth_mib_s=16)
    wait_until(lambda: stage.controller.record("kvm01", migration_id)["progress"]["memory"]
               ["iteration"] > 1, 60, "the second round over the memory")
    answer = stage.controller.call("kvm01", "live_migration_force_complete",
                                   migration_id=migration_id)
    equal((answer["status"], answer["action"]), ("running", "pause"))
    stage.completed(migration_id)
    stage.runs_on(guest, stage.destination)


def force_to_post_copy(stage):
    """force-complete switches to post-copy where that was ordered"""
    # QEMU knows no limit for post-copy, and without one it is over before anybody can look.
    slow_link(stage, 80)
    with stage.both(libvirt={"live_migration_permit_post_copy": "true"}):
        guest, migration_id = _never_converges(stage, post_copy=True)
        answer = stage.controller.call("kvm01", "live_migration_force_complete",
                                       migration_id=migration_id)
        equal(answer["action"], "post-copy")
        stage.completed(migration_id)
        stage.runs_on(guest, stage.destination)
    check("post-copy" in [event.payload["phase"] for event in
                          stage.recorder.events(migration_id)], "there was no post-copy")


@long
def force_in_the_disk_phase(stage):
    """one that is forced as soon as it runs arrives running, by a pause or by post-copy"""
    with stage.both(libvirt={"live_migration_permit_post_copy": "true"}):
        guest = _slow(stage)
        for to, post_copy in (("kvm02", False), ("kvm01", True)):
            migration_id = stage.migrate(guest, to, bandwidth_mib_s=8, post_copy=post_copy)
            stage.recorder.wait_event("migration.running", migration_id)
            stage.controller.call(guest.host.name, "live_migration_force_complete",
                                  migration_id=migration_id)
            stage.completed(migration_id)
            stage.runs_on(guest, stage.hosts[to])


def force_too_early(stage):
    """force-complete of one that waits in the queue is InvalidMigrationState"""
    first, second = stage.still(Disk("vda", GIB, data=32 * MIB)), stage.still(Disk("vda", GIB))
    running, queued = stage.migrate(first, bandwidth_mib_s=4), stage.migrate(second)
    wait_status(stage, "kvm01", queued, "queued")
    stage.wait_copying(running)
    stage.refuses("InvalidMigrationState", "kvm01", "live_migration_force_complete",
                  migration_id=queued)
    _abort(stage, queued)
    _abort(stage, running)
    stage.end(queued, "cancelled")
    _stayed(stage, first, running)


def timeout_aborts(stage):
    """a journey that exceeds its time is aborted: MigrationTimeout"""
    guest = _slow(stage)
    migration_id = stage.migrate(guest, bandwidth_mib_s=4, completion_timeout_s=2)
    stage.end(migration_id, "failed", "MigrationTimeout")
    stage.runs_on(guest, stage.source)
    equal(stage.destination.images(), [])


def timeout_in_seed(stage):
    """the time of a seed counts: MigrationTimeout, the guest is back on its image"""
    guest = stage.counting(sparse())
    with stage.unchanged():
        migration_id = stage.migrate(guest, bandwidth_mib_s=4, completion_timeout_s=3)
        stage.end(migration_id, "failed", "MigrationTimeout")
    stayed(stage, guest)


# timeout_in_seed has the same limit end a file that is sent.
@long
def timeout_while_files_are_brought(stage):
    """so does the time of a base that is brought: nothing of it is left"""
    guest = stage.still(Overlay("vda", Base("debian.qcow2", data=64 * MIB), data=MIB))
    stage.defer(stage.remove, stage.source, guest.disks[0].backing.path)
    with stage.unchanged():
        migration_id = stage.migrate(guest, bandwidth_mib_s=4, completion_timeout_s=3)
        stage.end(migration_id, "failed", "MigrationTimeout")


@long
def timeout_forces_no_seed(stage):
    """where the completion is to be forced, a seed takes its time"""
    guest = stage.counting(sparse(32 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=8, completion_timeout_s=1,
                                 timeout_action="force_complete")
    stage.completed(migration_id)
    stage.runs_on(guest, stage.destination)


@long
def timeout_forces(stage):
    """or forced to complete, where that is ordered"""
    guest, migration_id = _never_converges(stage, bandwidth_mib_s=16, completion_timeout_s=4,
                                           timeout_action="force_complete")
    stage.completed(migration_id)
    stage.runs_on(guest, stage.destination)


CASES = (while_queued, queue_moves_on, while_preparing, while_disks_move, while_memory_moves, twice,
         after_the_end, force_complete, force_to_post_copy, force_in_the_disk_phase,
         force_too_early, timeout_aborts, timeout_in_seed, timeout_while_files_are_brought,
         timeout_forces_no_seed, timeout_forces)
