"""Post-copy: the guest runs over there while a part of its memory is still here."""

from lab.deadline import wait_until
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

from stage import long, slow_link

# QEMU's ports for memory, by libvirt's default.
FIRST_PORT = 49152
# Between two writes of a guest whose disk rests while the connection is made anew.
QUIET_MS = 8000


def _domain_state(host, guest):
    return host.run("virsh", "-c", "qemu:///system", "domstate", "--reason", guest.name,
                    check=False).stdout.strip()


def _half_over(stage, interval_ms=100):
    """A guest that runs on the destination and lacks most of its memory there."""
    slow_link(stage, 60)
    guest = stage.counting(Disk("vda", GIB, data=1 * MIB), dirty_mib=48, dirty_mib_s=200,
                           interval_ms=interval_ms)
    migration_id = stage.migrate(guest, downtime_ms=20, post_copy=True)
    stage.recorder.wait_phase("memory", migration_id)
    stage.controller.call("kvm01", "live_migration_force_complete", migration_id=migration_id)
    wait_until(lambda: _domain_state(stage.destination, guest) == "running (post-copy)", 60,
               "it runs on the destination")
    return guest, migration_id


def _permitted(stage):
    return stage.both(libvirt={"live_migration_permit_post_copy": "true"},
                      migration={"outcome_timeout": "90"})


def _ends_well(stage, guest, migration_id):
    stage.lab.network.unlimit(stage.source, MIGRATION)
    stage.completed(migration_id)
    stage.runs_on(guest, stage.destination)
    equal(guest.complaints(stage.destination), [], "numbers")


def _survives_a_resume(stage):
    return not (11, 2) <= stage.libvirt_version("kvm02") < (11, 4)


def _is_left_alone(stage, guest, migration_id):
    """libvirt there would end by a resume: a person is told, and nothing is tried, then or later."""
    since = stage.controller.call("kvm02", "ping")["libvirt_since"]
    error = stage.end(migration_id, "error", "OutcomeUnknown").payload["error"]
    check("libvirt 11." in error["message"] and "11.4" in error["hint"], error)
    answer = stage.controller.call("kvm01", "resolve_migration", migration_id=migration_id)
    equal((answer["status"], answer["error"]["code"]), ("error", "OutcomeUnknown"))
    for host in (stage.source, stage.destination):
        check("post-copy failed" in _domain_state(host, guest), _domain_state(host, guest))
    equal(stage.controller.call("kvm02", "ping")["libvirt_since"], since, "libvirt there")


@long
def connection_dies(stage):
    """the connection between both QEMUs dies in post-copy: it is resumed, no write is lost; where
    libvirt does not survive that, both halves wait for a person"""
    with _permitted(stage):
        guest, migration_id = _half_over(stage, QUIET_MS)
        # The main loop of QEMU 7.2, which serves disk and monitor, must not meet a missing page:
        # it would wait for it and not hear that it shall go on.
        guest.moved_to(stage.destination).wait_counting(1)
        stage.source.run("ss", "-K", "dst", stage.destination.addresses[MIGRATION],
                         "dport", ">=", ":%d" % FIRST_PORT, check=False)
        if not _survives_a_resume(stage):
            _is_left_alone(stage, guest, migration_id)
            return
        stage.agents["kvm01"].wait_log("its post-copy broke off; resuming it", 60)
        _ends_well(stage, guest, migration_id)


def link_is_cut(stage):
    """the link is cut for 15 s in post-copy: it goes on by itself, and nobody gives up"""
    with _permitted(stage):
        guest, migration_id = _half_over(stage)
        stage.lab.network.cut("kvm02")
        stage.defer(stage.lab.network.heal, "kvm02")
        # libvirt's own connection, with the short keepalive of the laboratory, is given up.
        wait_until(lambda: "failed" in _domain_state(stage.source, guest), 60,
                   "libvirt on the source believes that it failed")
        status = stage.controller.record("kvm01", migration_id)["status"]
        check(status == "running", "it is %s while the link is cut" % status)
        stage.lab.network.heal("kvm02")
        _ends_well(stage, guest, migration_id)


CASES = (connection_dies, link_is_cut)
