"""Displays and serial ports that listen: at the source's own address, at a port that is taken."""

import xml.etree.ElementTree as ET

from lab.guest import Disk
from lab.images import GIB, MIB
from lab.network import MIGRATION
from lab.tap import check, equal

SERIAL_PORT = 14555
PORT_TAKEN = 14556


def _devices(address, port=SERIAL_PORT):
    return ["<graphics type='vnc' autoport='yes' passwd='secret'>"
            "<listen type='address' address='%s'/></graphics>" % address,
            "<serial type='tcp'><source mode='bind' host='%s' service='%d'/><protocol type='raw'/>"
            "<target port='1'/></serial>" % (address, port)]


def _listens(host, guest, *flags):
    """{where} of a guest's definition, of what runs or with flags of what would start."""
    root = ET.fromstring(host.virsh("dumpxml", "--security-info", guest.name, *flags))
    equal(root.find("devices/graphics").get("passwd"), "secret")
    return ({each.get("address") for each in root.iterfind("devices/graphics/listen")}
            | {root.find("devices/graphics").get("listen")}
            | {each.get("host") for each in root.iterfind("devices/serial/source[@mode='bind']")})


def _named(checks, name):
    return [(each["result"], each["message"]) for each in checks if each["name"] == name]


def _look(stage, guest, to="kvm02", **options):
    answer = stage.controller.call(guest.host.name, "check_can_live_migrate_source",
                                   instance=guest.name, host=to, options=options)
    return answer["destination"]["checks"]


def own_address(stage):
    """what listens at the source's own address listens at the destination's, there and back"""
    here, there = (host.addresses[MIGRATION] for host in (stage.source, stage.destination))
    guest = stage.still(Disk("vda", GIB, data=MIB), devices=_devices(here))
    for name in ("graphics", "serial-port"):
        [(result, message)] = _named(_look(stage, guest), name)
        check(result == "pass" and there in message, (result, message))
    stage.carry(guest)
    for flags in ((), ("--inactive",)):
        equal(_listens(stage.destination, guest, *flags), {there})
    # And switched off: back again as a definition alone, from which it starts.
    stage.destination.virsh("destroy", guest.name)
    stage.carry(guest, "kvm01")
    equal(_listens(stage.source, guest), {here})
    stage.source.virsh("start", guest.name, "--paused")
    equal(_listens(stage.source, guest), {here})


def ordered_address(stage):
    """another address of the destination is ordered; one that it has not is refused"""
    stage.destination.run("ip", "addr", "add", "192.0.2.78/24", "dev", "mig0")
    stage.defer(stage.destination.run, "ip", "addr", "del", "192.0.2.78/24", "dev", "mig0")
    guest = stage.still(Disk("vda", GIB, data=MIB),
                        devices=_devices(stage.source.addresses[MIGRATION]))
    error = stage.refused("MigrationPreCheckError", guest, listen_address="203.0.113.7")
    check("203.0.113.7" in error["message"], error)
    stage.carry(guest, listen_address="192.0.2.78")
    for flags in ((), ("--inactive",)):
        equal(_listens(stage.destination, guest, *flags), {"192.0.2.78"})


def taken_port(stage):
    """a serial port that is in use at the destination is said before, not by libvirt"""
    guest = stage.still(Disk("vda", GIB, data=MIB), devices=_devices("0.0.0.0", PORT_TAKEN))
    listener = stage.destination.spawn("port", "/usr/bin/python3", "-c", (
        "import socket, time\ns = socket.create_server(('', %d))\ntime.sleep(600)" % PORT_TAKEN))
    stage.defer(listener.kill)
    stage.destination.wait_port(PORT_TAKEN, 10, listener)
    [(result, message)] = _named(_look(stage, guest), "serial-port")
    check(result == "fail" and str(PORT_TAKEN) in message, (result, message))
    stage.refused("MigrationPreCheckError", guest)
    listener.kill()
    equal([result for result, _ in _named(_look(stage, guest), "serial-port")], ["pass"])


CASES = (own_address, ordered_address, taken_port)
