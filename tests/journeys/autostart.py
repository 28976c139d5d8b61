"""What a host starts at its boot goes with the instance, and is never on for two copies."""

from lab.guest import Disk
from lab.images import MIB
from lab.tap import equal


def _autostart(host, guest):
    """Whether the host starts it at boot; None: it is not defined there."""
    if guest.state(host) is None:
        return None
    lines = host.virsh("dominfo", guest.name).splitlines()
    return ["Autostart:", "enable"] in [line.split() for line in lines]


def on_both(stage, guest):
    """_autostart() of the source and of the destination."""
    return [_autostart(host, guest) for host in (stage.source, stage.destination)]


def _small():
    return Disk("vda", 64 * MIB, data=MIB, pieces=1)


def goes_along(stage):
    """autostart is on where the instance went, also there and back and shut off"""
    still = stage.still(_small())
    off = stage.guest(_small()).create_images().define()
    other = stage.still(_small())
    for guest in (still, off):
        stage.source.virsh("autostart", guest.name)
    for guest in (still, off, other):
        stage.carry(guest)
    equal([on_both(stage, guest) for guest in (still, off, other)],
          [[None, True], [None, True], [None, False]])
    stage.carry(still)
    equal(on_both(stage, still), [True, None])


def leaves_the_copy_that_stays(stage):
    """a definition that stays on the source is not started at boot any more"""
    guest = stage.still(_small())
    stage.source.virsh("autostart", guest.name)
    stage.carry(guest, undefine_source=False)
    equal(on_both(stage, guest), [False, True])


def comes_back_from_quarantine(stage):
    """a restored instance is started at boot as before, unless another host has it defined"""
    for defined_there, expected in ((False, [True, None]), (True, [False, True])):
        guest = stage.still(_small())
        stage.source.virsh("autostart", guest.name)
        migration_id = stage.carry(guest, source_disks="quarantine").migration_id
        guest.host.virsh("destroy", guest.name)
        if not defined_there:
            guest.host.virsh("undefine", guest.name)
        stage.controller.call("kvm01", "restore_quarantined_disks", migration_id=migration_id)
        equal(on_both(stage, guest), expected)


CASES = (goes_along, leaves_the_copy_that_stays, comes_back_from_quarantine)
