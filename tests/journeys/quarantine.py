"""Source disks put in quarantine: out of use, had back by one command, deleted when it is safe."""

import json
import os

import libvirt

from lab import counting, program
from lab.deadline import wait_until
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import Skip, check, equal

from stage import definition, long, new_id

LIST, RESTORE, DELETE = ("%s_quarantined_disks" % verb for verb in ("list", "restore", "delete"))
PASSWORD = "sw0rdfis"
CONSOLE = ("<graphics type='vnc' autoport='yes' passwd='%s'><listen type='address' "
           "address='127.0.0.1'/></graphics>" % PASSWORD)
SOON_HOURS = "0.001"  # 3.6 s


def _held(stage, guest=None):
    words = {"instance": guest.name} if guest else {}
    return stage.controller.call("kvm01", LIST, **words)


def _empty(stage):
    """At the end of a case: what is still there goes."""
    for each in _held(stage):
        if each["state"] == "held":
            stage.controller.call("kvm01", DELETE, migration_id=each["migration_id"], force=True)


def _set_aside(stage, *disks, still=False, **options):
    """A guest that moved, and the quarantine that it left behind."""
    stage.defer(_empty, stage)
    disks = disks or (Disk("vda", GIB, data=8 * MIB),)
    guest = (stage.still if still else stage.counting)(*disks, **options)
    stage.carry(guest, source_disks="quarantine")
    found = _held(stage, guest)
    equal(len(found), 1)
    return guest, found[0]


def _definitions(stage):
    folder = os.path.join(stage.agents["kvm01"].state_path, "definitions")
    return {name: os.stat(os.path.join(folder, name)).st_mode & 0o777
            for name in os.listdir(folder)}


def _modes(stage, paths):
    return [os.stat(stage.source.path(path)).st_mode & 0o7777 for path in paths]


def _modes_aside(stage, paths):
    """Modes of images that are out of use: read-only where the agent may make them so."""
    agent = stage.agents["kvm01"]
    return [0o400 if agent.owns(path) else mode
            for path, mode in zip(paths, _modes(stage, paths))]


def _refused_restore(stage, code, quarantine, method=RESTORE, **words):
    error = stage.refuses(code, "kvm01", method, migration_id=quarantine["migration_id"], **words)
    check(error.hint, "no hint: %s" % error)
    return error


def _cannot_be_started(stage, guest):
    connection = stage.source.connect()
    try:
        domain = connection.defineXML(guest.xml())
        try:
            domain.create()
        except libvirt.libvirtError as error:
            check(any(disk.path in str(error) for disk in guest.disks), str(error))
        else:
            raise AssertionError("an old copy was started")
        finally:
            domain.undefine()
    finally:
        connection.close()


def out_of_use(stage):
    """images are renamed, listed with their bytes; the old definition starts nothing"""
    guest, held = _set_aside(stage, Disk("vda", GIB, data=8 * MIB),
                             Disk("vdb", GIB, "raw", data=4 * MIB))
    equal([disk["path"] for disk in held["disks"]], [disk.path for disk in guest.disks])
    equal((held["instance"], held["destination"], held["state"], held["detail"]),
          ({"name": guest.name, "uuid": guest.uuid}, "kvm02", "held", None))
    paths = [disk["held_path"] for disk in held["disks"]]
    equal(sorted(IMAGES + "/" + name for name in stage.source.images()), sorted(paths))
    equal(_modes(stage, paths), _modes_aside(stage, paths))
    equal(held["held_bytes"], sum(disk["allocation_bytes"] for disk in held["disks"]))
    check(12 * MIB <= held["held_bytes"] < 40 * MIB, held)
    equal(stage.controller.call("kvm01", "describe_host")["quarantine"],
          {"disks": 2, "held_bytes": held["held_bytes"]})
    volumes = stage.source.virsh("vol-list", "default")
    check(all(path in volumes for path in paths), volumes)
    _cannot_be_started(stage, guest)
    equal(_definitions(stage), {held["migration_id"] + ".xml": 0o600})
    equal(_held(stage), [held])
    equal(stage.controller.call("kvm01", LIST, instance=guest.uuid), [held])
    equal(stage.controller.call("kvm01", LIST, instance="another"), [])
    equal(stage.controller.call("kvm02", LIST), [])
    stage.runs_on(guest, stage.destination)


def restored(stage):
    """restore after the destination's guest was destroyed: it boots here with every write so far"""
    guest, held = _set_aside(stage, Disk("vda", GIB, data=8 * MIB),
                             Disk("vdb", GIB, "raw", data=4 * MIB), devices=[CONSOLE])
    error = _refused_restore(stage, "InstanceInvalidState", held)
    check("kvm02" in error.message and "running" in error.message, error.message)
    _refused_restore(stage, "InstanceInvalidState", held, force=True)
    equal(_held(stage), [held])
    guest.destroy()
    last = guest.number(stage.source)
    back = stage.controller.call("kvm01", RESTORE, migration_id=held["migration_id"])
    equal((back["state"], back["held_bytes"]), ("restored", 0))
    equal(stage.source.images(), sorted(os.path.basename(disk.path) for disk in guest.disks))
    check(all(mode & 0o600 == 0o600 for mode in _modes(stage, (disk.path for disk in guest.disks))),
          "the images cannot be written")
    equal((_held(stage), _definitions(stage)), ([], {}))
    equal(definition(stage.source, guest.name), (False, True))
    check(PASSWORD in stage.source.virsh("dumpxml", "--security-info", guest.name),
          "the password of the console is lost")
    # A repetition is answered as it is.
    equal(stage.controller.call("kvm01", RESTORE, migration_id=held["migration_id"]), back)
    stage.source.virsh("start", guest.name)
    guest.moved_to(stage.source).wait_number(last + 3)
    begun = [int(number) for number in counting.START.findall(guest.console())]
    # The last one may have been written and its line cut off by the switch.
    check(len(begun) == 2 and begun[1] in (last + 1, last + 2), (begun, last))
    equal(counting.faults(guest.console()), [])


def restore_where_the_definition_stayed(stage):
    """undefine_source=false: shut off here since it moved is not running; its disks come back"""
    stage.defer(_empty, stage)
    guest = stage.still(Disk("vda", GIB, data=8 * MIB))
    stage.carry(guest, source_disks="quarantine", undefine_source=False)
    held, = _held(stage, guest)
    equal(definition(stage.source, guest.name), (False, True))
    error = _refused_restore(stage, "InstanceInvalidState", held, force=True)
    check("kvm02" in error.message and "paused" in error.message, error.message)
    guest.destroy()
    back = stage.controller.call("kvm01", RESTORE, migration_id=held["migration_id"])
    equal((back["state"], back["held_bytes"]), ("restored", 0))
    equal((_held(stage), _definitions(stage)), ([], {}))
    equal(stage.source.images(), [os.path.basename(guest.disks[0].path)])
    equal(definition(stage.source, guest.name), (False, True))
    stage.source.virsh("start", "--paused", guest.name)
    equal(guest.moved_to(stage.source).state(stage.source), "paused")


@long
def destination_is_lost(stage):
    """nobody can say: restore wants force, delete refuses; by command, by the instance's name"""
    guest, held = _set_aside(stage, still=True)
    stage.agents["kvm02"].stop()
    try:
        error = _refused_restore(stage, "DestinationUnreachable", held)
        check("force" in error.hint, error.hint)
        _refused_restore(stage, "DestinationUnreachable", held, DELETE)
        done = stage.controller.command("quarantine", "restore", guest.name, "--host", "kvm01")
        check(done.returncode != 0 and "force" in done.stderr, done.stderr)
        done = stage.controller.command("quarantine", "restore", guest.name, "--force", check=True)
        check("restored" in done.stdout and guest.disks[0].path in done.stdout, done.stdout)
    finally:
        stage.agents["kvm02"].start()
    equal(definition(stage.source, guest.name), (False, True))


def something_in_the_way(stage):
    """restore replaces nothing: with one of two names taken nothing is changed"""
    guest, held = _set_aside(stage, Disk("vda", GIB, data=MIB), Disk("vdb", GIB, data=MIB),
                             still=True)
    guest.destroy()
    taken = stage.source.path(guest.disks[1].path)
    with open(taken, "wb") as other:
        other.write(b"somebody's")
    error = _refused_restore(stage, "DestinationDiskExists", held)
    check(guest.disks[1].path in error.message, error.message)
    with open(taken, "rb") as other:
        equal(other.read(), b"somebody's")
    os.unlink(taken)
    equal(_held(stage), [held])
    os.rename(stage.source.path(held["disks"][0]["held_path"]), taken + ".away")
    _refused_restore(stage, "MigrationError", held)
    os.rename(taken + ".away", stage.source.path(held["disks"][0]["held_path"]))
    stage.controller.call("kvm01", RESTORE, migration_id=held["migration_id"])


@long
def expires(stage):
    """when the time is over: deleted where the instance is seen alive, kept and said where not"""
    with stage.settings({"kvm01": {"storage": {"quarantine_hours": SOON_HOURS}}}):
        guest, held = _set_aside(stage, still=True)
        # Paused it is not seen running: it may be stuck on a disk that came wrong.
        said = wait_until(lambda: _held(stage)[0]["detail"], 30, "the reason why it stays")
        check("paused" in said and "kvm02" in said, said)
        check(all(os.path.exists(stage.source.path(disk["held_path"])) for disk in held["disks"]),
              "deleted while nobody saw it running")
        stage.agents["kvm02"].stop()
        wait_until(lambda: "unreachable" in _held(stage)[0]["detail"], 30, "another reason")
        stage.agents["kvm02"].start()
        stage.destination.virsh("resume", guest.name)
        wait_until(lambda: not _held(stage), 30, "the end of the quarantine")
        equal((stage.source.images(), _definitions(stage)), ([], {}))
        stage.refuses("InvalidMigrationState", "kvm01", RESTORE,
                      migration_id=held["migration_id"])


def comes_back(stage):
    """the way back is free; the old copy stays, is refused while it runs here, can be released"""
    guest, held = _set_aside(stage)
    stage.carry(guest, "kvm01", source_disks="delete")
    stage.runs_on(guest, stage.source)
    error = _refused_restore(stage, "InstanceInvalidState", held, force=True)
    check("kvm01" in error.message, error.message)
    stage.carry(guest, source_disks="quarantine")
    equal([each["state"] for each in _held(stage)], ["held", "held"])
    done = stage.controller.command("quarantine", "delete", guest.name, "--host", "kvm01")
    equal(done.returncode, 2)
    check(held["migration_id"] in done.stderr, done.stderr)
    stage.carry(guest, "kvm01", source_disks="delete")
    for each in _held(stage):
        gone = stage.controller.call("kvm01", DELETE, migration_id=each["migration_id"])
        equal(gone["state"], "deleted")
        equal(stage.controller.call("kvm01", DELETE, migration_id=each["migration_id"]), gone)
    equal(stage.source.images(), [os.path.basename(guest.disks[0].path)])
    stage.runs_on(guest, stage.source)


def command_line(stage):
    """virt-ferry quarantine: a table, JSON, wrong usage"""
    guest, held = _set_aside(stage, still=True)
    done = stage.controller.command("quarantine", "list", "--host", "kvm01", check=True)
    row = done.stdout.splitlines()[1].split()
    equal(row[:5], [held["migration_id"], "kvm01", guest.name, "kvm02", "1"])
    # The records of earlier cases may name hosts that there are not.
    done = stage.controller.command("--json", "quarantine", "list")
    equal(done.returncode, 4 if "does not answer" in done.stderr else 0, done.stderr)
    found = json.loads(done.stdout)
    equal(found, [dict(held, host="kvm01")])
    for words in ((), ("list", "more"), ("restore",), ("burn", "x")):
        equal(stage.controller.command("quarantine", *words).returncode, 2, words)
    for verb in ("restore", "delete"):
        equal(stage.controller.command("quarantine", verb, "nobody").returncode, 1)


def bad_ids(stage):
    """ids that are none, or of nothing; an image outside the allowed paths"""
    for method in (RESTORE, DELETE):
        stage.refuses("MigrationNotFound", "kvm01", method, migration_id=new_id())
        for wrong in ("x", "../../etc/passwd", "", None, 7):
            stage.refuses("InvalidRequest", "kvm01", method, migration_id=wrong)
        stage.refuses("InvalidRequest", "kvm01", method, migration_id=new_id(), force="yes")
    stage.refuses("InvalidRequest", "kvm01", LIST, instance=["x"])
    guest = stage.still(Disk("vda", GIB, data=MIB))
    with stage.settings({"kvm01": {"storage": {"allowed_paths": IMAGES + "x"}}}):
        stage.refused("PathNotAllowed", guest, source_disks="quarantine")
    name = "x" * 220 + ".qcow2"
    guest = stage.still(Disk("vda", GIB, data=MIB, path=IMAGES + "/" + name))
    error = stage.refused("MigrationPreCheckError", guest, source_disks="quarantine")
    check("quarantine" in [each["name"] for each in error["details"]["checks"]
                           if each["result"] == "fail"], error)


def aborted(stage):
    """a migration that does not take place leaves no definition and no quarantine behind"""
    guest = stage.still(Disk("vda", GIB, data=16 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=1, source_disks="quarantine")
    stage.recorder.wait_event("migration.running", migration_id)
    equal(list(_definitions(stage)), [migration_id + ".xml"])
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.end(migration_id, "cancelled")
    equal((_definitions(stage), _held(stage)), ({}, []))


# The agent dies

def _needs_fault_points():
    with open(program.find("virt-ferryd"), "rb") as file:
        if b"VIRT_FERRY_FAULT_POINT" not in file.read():
            raise Skip("this build has no fault points")


def _die_at(stage, point):
    """An agent on the source that dies there, as by kill -9."""
    agent = stage.agents["kvm01"]
    agent.stop()
    agent.start(environment={"VIRT_FERRY_FAULT_POINT": point})
    return agent


def _order_and_die(stage, point, method, held):
    """The agent dies with the order not answered, and the order is lost."""
    agent = _die_at(stage, point)
    stage.controller.cast("kvm01", method, migration_id=held["migration_id"])
    agent.wait_end(30)
    with stage.channel() as channel:
        wait_until(lambda: channel.queue_purge("virt-ferry.kvm01").method.message_count, 20,
                   "the order, back in its queue")
    agent.start()


def _is_back(stage, guest):
    wait_until(lambda: not _held(stage, guest), 30, "the end of the quarantine")
    equal(definition(stage.source, guest.name), (False, True))
    equal(stage.source.images(), sorted(os.path.basename(disk.path) for disk in guest.disks))
    stage.source.virsh("undefine", guest.name)
    for disk in guest.disks:
        stage.remove(stage.source, disk.path)


@long
def killed_while_restoring(stage):
    """the agent is killed with one of two files back, and the order is lost: nothing is deleted when
    the time is over, the same order finishes"""
    _needs_fault_points()
    with stage.settings({"kvm01": {"storage": {"quarantine_hours": SOON_HOURS}}}):
        guest, held = _set_aside(stage, Disk("vda", GIB, data=MIB), Disk("vdb", GIB, data=MIB),
                                 still=True)
        guest.destroy()
        _order_and_die(stage, "restore:end", RESTORE, held)
        equal([each["state"] for each in _held(stage, guest)], ["restoring"])
        _refused_restore(stage, "InvalidMigrationState", held, DELETE, force=True)
        stage.controller.call("kvm01", RESTORE, migration_id=held["migration_id"])
        _is_back(stage, guest)


CASES = (out_of_use, restored, restore_where_the_definition_stayed, destination_is_lost,
         something_in_the_way, expires, comes_back, command_line, bad_ids, aborted,
         killed_while_restoring)
