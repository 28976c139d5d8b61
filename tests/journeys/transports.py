"""The ways between the libvirts: plain TCP, TLS with a private CA, SSH with a key."""

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import equal

from stage import DESTINATION, long


def _cross(stage, uri, counting=True, **options):
    """Over connections that libvirt itself names so; a guest that counts also comes back."""
    disk = Disk("vda", GIB, data=8 * MIB)
    guest = stage.counting(disk) if counting else stage.still(disk)
    end = stage.carry(guest, **options)
    record = stage.controller.record("kvm01", end.migration_id)
    equal(record["migrate_data"]["libvirt_uri"], uri)
    if counting:
        stage.runs_on(guest, stage.destination)
        stage.carry(guest, **options)
        stage.runs_on(guest, stage.source)


def _address(stage):
    return stage.destination.addresses["migration"]


def tcp(stage):
    """over TCP, as all journeys go that say nothing else"""
    _cross(stage, "qemu+tcp://%s/system" % _address(stage), counting=False)


def tls(stage):
    """over TLS with a private CA, QEMU's own connections too"""
    with stage.both(libvirt={"live_migration_scheme": "tls"}):
        _cross(stage, "qemu+tls://%s/system" % _address(stage), tls=True)


def tls_over_several_connections(stage):
    """over TLS and two connections, by order; post-copy where it is permitted"""
    with stage.both(libvirt={"live_migration_scheme": "tls",
                             "live_migration_permit_post_copy": "true"}):
        _cross(stage, "qemu+tls://%s/system" % _address(stage), counting=False, tls=True,
               parallel_connections=2)


def tls_by_default(stage):
    """TLS is what is used when the configuration says nothing, and the host's name the address"""
    with stage.both(libvirt={"live_migration_scheme": None,
                             "live_migration_inbound_addr": None,
                             "live_migration_with_native_tls": "true"}):
        _cross(stage, "qemu+tls://%s/system" % DESTINATION, counting=False)


def ssh(stage):
    """over SSH with a key"""
    with stage.both(libvirt={"live_migration_scheme": "ssh",
                             "live_migration_inbound_addr": None}):
        _cross(stage, "qemu+ssh://%s/system" % DESTINATION, counting=False)


def uri(stage):
    """over what live_migration_uri says, as nova writes it"""
    with stage.both(libvirt={"live_migration_uri": "qemu+ssh://root@%s/system",
                             "live_migration_inbound_addr": None}):
        _cross(stage, "qemu+ssh://root@%s/system" % DESTINATION, counting=False)


# tls_over_several_connections has several, too.
@long
def parallel(stage):
    """memory over several connections"""
    _cross(stage, "qemu+tcp://%s/system" % _address(stage), counting=False, parallel_connections=3)


# abort.force_to_post_copy and post_copy.link_is_cut have it switch to post-copy, too.
@long
def post_copy(stage):
    """with post-copy and auto-converge permitted"""
    with stage.both(libvirt={"live_migration_permit_post_copy": "true",
                             "live_migration_permit_auto_converge": "true"}):
        _cross(stage, "qemu+tcp://%s/system" % _address(stage), post_copy=True,
               auto_converge=True)


CASES = (tcp, tls, tls_over_several_connections, tls_by_default, ssh, uri, parallel, post_copy)
