"""Block volumes: a logical volume arrives as one of the same size, with nothing old in it.

The groups are LVM's own; see lab/volume_group.py for what stands in for device-mapper.
"""

import concurrent.futures
import contextlib
import os
import subprocess

from lab import images
from lab.controller import RemoteError
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.namespace import CommandFailed
from lab.tap import Skip, check, equal
from lab.volume_group import EXTENT, VolumeGroup

import matrix
from leg import boot_cold
from needs import logical_pools, needs
from stage import DESTINATION, SOURCE, holding, long, new_id, wait_status

CHECK = "MigrationPreCheckError"
# What others left on the destination's group.
OLD = 0xAA


class Volume(Disk):
    """A disk that is a volume of its host's group; groups: by host."""

    def __init__(self, groups, target, capacity=48 * MIB, data=0, volume=None):
        super().__init__(target, capacity, "raw", data=data)
        self.groups = groups
        self.volume = volume

    def name_image(self, stem):
        self.volume = self.volume or os.path.basename(stem)
        self.path = self.groups[SOURCE].path(self.volume)

    def create_image(self, host):
        self.groups[host.name].create(self.volume, self.capacity)
        if self.data:
            images.fill(self.path, "raw", self.capacity, self.data, inside=host)

    def xml(self):
        return super().xml().replace("type='file'", "type='block'", 1).replace(
            "<source file=", "<source dev=")


def _group(stage, host, size=80 * MIB, **options):
    try:
        group = VolumeGroup(host, size, **options)
    except CommandFailed as error:
        if "losetup" in str(error):
            raise Skip("no loop devices here: %s" % error) from error
        raise
    stage.defer(group.end)
    return group


def _groups(stage):
    """A new group on the source, one that was in use on the destination."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        source = pool.submit(_group, stage, stage.source)
        destination = pool.submit(_group, stage, stage.destination, fill=OLD)
    return {SOURCE: source.result(), DESTINATION: destination.result()}


def _allowed(stage, *folders):
    return stage.both(storage={"allowed_paths": ":".join([IMAGES, *folders])})


@contextlib.contextmanager
def _ground(stage):
    """Groups that the agents may use."""
    groups = _groups(stage)
    with _allowed(stage, groups[SOURCE].folder):
        yield groups


def _shows_old_data(stage, group):
    """Whether a new volume of a group is full of what was there before."""
    path = group.create("probe", EXTENT)
    with open(stage.destination.path(path), "rb") as device:
        old = device.read() == bytes([OLD]) * EXTENT
    stage.destination.virsh("vol-delete", path)
    return old


def _compare(stage, path):
    """Every byte of both volumes, as the devices have them."""
    words = ["cmp", stage.source.path(path), stage.destination.path(path)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    equal(done.returncode, 0, done.stdout)


def _failed(stage, guest, **options):
    """What the checks of both sides say that fails: {name: message}."""
    answer = stage.controller.call(SOURCE, "check_can_live_migrate_source", instance=guest.name,
                                   host=DESTINATION, options=options)
    found = answer["checks"] + answer["destination"]["checks"]
    for each in found:
        check(each["result"] == "pass" or each["hint"], "no hint: %s" % each)
    return {each["name"]: each["message"] for each in found if each["result"] == "fail"}


def _fails(stage, guest, *names, **options):
    equal(sorted(_failed(stage, guest, **options)), sorted(names), str(options))


# Journeys

def onto_old_data(stage):
    """a volume that is written to all the while arrives bit by bit where others left their data"""
    with _ground(stage) as groups:
        guest = stage.counting(Volume(groups, "vda", data=8 * MIB))
        check(_shows_old_data(stage, groups[DESTINATION]), "the destination's group is clean")
        stage.carry(guest, paused=True)
        _compare(stage, guest.disks[0].path)
        guest.host.virsh("resume", guest.name)
        stage.runs_on(guest, stage.destination)


@long
def there_and_back(stage):
    """a volume beside a qcow2 there and back, cold boots; one that was kept stays in the way"""
    with _ground(stage) as groups:
        guest = stage.counting(Disk("vda", GIB, data=4 * MIB),
                               Volume(groups, "vdb", data=8 * MIB))
        volume = guest.disks[1]
        stage.carry(guest, sparsify=True)
        stage.runs_on(guest, stage.destination)
        boot_cold(stage, guest)
        # Nothing tells who has written to a device: what stayed is in the way.
        stage.defer(stage.remove, stage.source, guest.disks[0].path)
        error = stage.refused(CHECK, guest, SOURCE)
        check(volume.path in error["message"] and "disk-exists" in str(error["details"]), error)
        stage.source.virsh("vol-delete", volume.path)
        stage.carry(guest, source_disks="delete")
        stage.runs_on(guest, stage.source)
        equal(groups[DESTINATION].volumes(), [])
        matrix.record("logical volume (LVM), onto a group with old data", moved=True,
                      cold_boot=True)


# Refusals

def not_here(stage):
    """refused: no group there, none allowed, no room, something in the way, what cannot be"""
    source = _group(stage, stage.source)
    guest = stage.still(Disk("vda", GIB, data=MIB), Volume({SOURCE: source}, "vdb"))
    volume = guest.disks[1].path
    _fails(stage, guest, "path")
    here = stage.controller.call(SOURCE, "check_can_live_migrate_source", instance=guest.name,
                                 options={"source_disks": "delete"})["checks"]
    equal([each["name"] for each in here if each["result"] == "fail"], ["path"])
    with _allowed(stage, source.folder):
        _fails(stage, guest, "pool")
        group = _group(stage, stage.destination, size=24 * MIB)
        _fails(stage, guest, "space")
        group.create(os.path.basename(volume), EXTENT)
        _fails(stage, guest, "space", "disk-exists")
        group.host.virsh("vol-delete", volume)
        os.symlink("/dev/null", stage.destination.path(volume))
        _fails(stage, guest, "space", "disk-exists")
        stage.remove(stage.destination, volume)
        _fails(stage, guest, "space", "quarantine", source_disks="quarantine")
        _fails(stage, guest, "space", "storage-strategy", storage_strategy="seeded")
        _fails(stage, guest, "space", "pool-map", pool_map={source.folder: IMAGES + "/elsewhere"})
        _fails(stage, guest, "space", "pool-map", pool_map={source.pool: "default"})
        _fails(stage, guest, "space", "disk-formats", disk_formats={"vdb": "qcow2"})
        stage.source.virsh("destroy", guest.name)
        _fails(stage, guest, "block-volume", "layout", "space")
        equal(group.volumes(), [])


def _device(path, extra="", kind="raw"):
    return ("<disk type='block' device='disk'><driver name='qemu' type='%s'/><source dev='%s'/>"
            "<target dev='vdb' bus='virtio'/>%s</disk>" % (kind, path, extra))


def _disk_of(stage, device, extra="", kind="raw"):
    """What is said of a still guest with that device beside its image."""
    guest = stage.still(Disk("vda", GIB, data=MIB), devices=[
        _device(device, extra, kind)])
    failed = _failed(stage, guest)
    guest.destroy()
    return sorted(failed)


def _thin_and_snapshot(stage, group, device):
    """Both would read as any volume; a plain one there would have lost what they are."""
    for name in ("thin", "snap"):
        os.symlink(device, stage.source.path(group.path(name)))
    group.pretend("thin##2cjQTU-o4Rk-1111-x0Tz-oJ7X-WhLQ-kYzT2v##thin#0#16777216#4194304#16777216"
                  "#Vwi-a-tz--",
                  "snap#one#8ZtqPf-4cBd-2222-Wq0b-Ybq1-mT7p-C2aUwE#%s(8)#linear#1#4194304#4194304"
                  "#16777216#swi-a-s---" % device)
    # libvirt 9.0 wants a device in each line, and a thin volume has none.
    listed = stage.source.virsh("vol-list", group.pool)
    check("snap" in listed and "thin" not in listed, listed)
    for name in ("thin", "snap"):
        equal(_disk_of(stage, group.path(name)), ["block-volume"], name)
    group.pretend()


@long
def not_such_a_volume(stage):
    """refused: devices by other names, links, thin volumes, snapshots, qcow2 inside"""
    with _ground(stage) as groups:
        group = groups[SOURCE]
        path = group.create("one", 16 * MIB)
        device = os.readlink(stage.source.path(path))
        link = IMAGES + "/link"
        os.symlink(device, stage.source.path(link))
        stage.defer(stage.remove, stage.source, link)
        os.symlink(device, stage.source.path(group.path("trick")))
        for name in (device, link, group.path("trick"), group.folder + "/./one"):
            equal(_disk_of(stage, name), ["block-volume"], name)
        equal(_disk_of(stage, path, "<readonly/>"), ["block-volume"])
        equal(_disk_of(stage, path, "<shareable/>"), ["shareable-disk"])
        equal(_disk_of(stage, path), [])
        _thin_and_snapshot(stage, group, device)
        stage.source.run("qemu-img", "create", "-q", "-f", "qcow2", path, str(8 * MIB))
        equal(_disk_of(stage, path, kind="qcow2"), ["block-volume"])
        stage.destination.virsh("pool-destroy", group.pool)
        guest = stage.still(Disk("vda", GIB, data=MIB), Volume(groups, "vdb"))
        _fails(stage, guest, "pool")
        stage.destination.virsh("pool-start", group.pool)
        _fails(stage, guest)


@long
def strangers_word(stage):
    """an instance_info that calls other things volumes: other paths, pools of folders, links, formats"""
    with _ground(stage) as groups:
        folder = groups[DESTINATION].folder
        link = IMAGES + "/group"
        os.symlink(folder, stage.destination.path(link))
        stage.defer(stage.remove, stage.destination, link)
        guest = stage.still(Volume(groups, "vda", 16 * MIB))
        info = stage.controller.call(SOURCE, "check_can_live_migrate_source",
                                     instance=guest.name)["instance_info"]
        for names, lie in ((("path",), {"source": "/dev/sda"}),
                           (("path",), {"source": folder + "/../sda"}),
                           (("path",), {"source": folder + "/.."}),
                           (("path",), {"source": folder + "/a\nb"}),
                           (("path",), {"source": link + "/one"}),
                           (("path",), {"source": "one"}),
                           (("pool",), {"source": IMAGES + "/one"}),
                           (("layout",), {"format": "qcow2"}),
                           (("layout",), {"pool": None}),
                           (("layout",), {"capacity_bytes": 0}),
                           (("space",), {"capacity_bytes": 1 << 61}),
                           ((), {})):
            _lies(stage, info, names, lie)
        _lies(stage, dict(info, state="shutoff"), ("layout",), {})


def _lies(stage, info, names, lie):
    told = dict(info, disks=[dict(info["disks"][0], **lie)])
    try:
        answer = stage.controller.call(DESTINATION, "check_can_live_migrate_destination",
                                       instance_info=told)
    except RemoteError as error:
        equal((error.code, names), ("InvalidRequest", ("path",)), lie)
        return
    failed = {each["name"] for each in answer["checks"] if each["result"] == "fail"}
    equal(failed - {"uuid", "name"}, set(names), lie)


@long
def extents_that_do_not_fit(stage):
    """a group with larger extents would make a larger volume: refused, and nothing stays"""
    with _ground(stage) as groups:
        groups[DESTINATION].end()
        group = _group(stage, stage.destination, extent=16 * MIB)
        guest = stage.still(Volume(groups, "vdb", 20 * MIB))
        error = stage.refused("MigrationError", guest)
        check("extents" in error["hint"], error)
        equal(group.volumes(), [])


@long
def inactive_one_in_the_way(stage):
    """a volume that is not active, which libvirt does not list: LVM refuses the name, and it stays"""
    with _ground(stage) as groups:
        guest = stage.still(Volume(groups, "vda", 16 * MIB))
        volume = guest.disks[0].volume
        path = groups[DESTINATION].create(volume, EXTENT)
        stage.destination.run("lvchange", "-aln", path)
        stage.destination.virsh("pool-refresh", groups[DESTINATION].pool)
        _fails(stage, guest)
        error = stage.refused("MigrationError", guest)
        check("already exists" in error["message"], error)
        equal(groups[DESTINATION].volumes(), [volume])


# Undone

@long
def given_up(stage):
    """aborted while the volume is filled: it is gone again"""
    with _ground(stage) as groups:
        guest = stage.counting(Volume(groups, "vda", data=16 * MIB))
        migration_id = stage.migrate(guest, bandwidth_mib_s=4)
        stage.recorder.wait_phase("disk", migration_id)
        equal(groups[DESTINATION].volumes(), [guest.disks[0].volume])
        stage.controller.call(SOURCE, "live_migration_abort", migration_id=migration_id)
        stage.end(migration_id, "cancelled")
        stage.runs_on(guest, stage.source)
        equal(groups[DESTINATION].volumes(), [])


def _dies(stage, groups, point, *more, abort=False):
    """The destination's agent dies there; returns the migration, and the path of its volume."""
    guest = stage.still(Volume(groups, "vda", 16 * MIB), *more)
    agent = stage.agents[DESTINATION]
    agent.stop()
    agent.start(environment={"VIRT_FERRY_FAULT_POINT": point})
    migration_id = stage.migrate(guest)
    agent.wait_end(90)
    if abort:
        stage.controller.call(SOURCE, "live_migration_abort", migration_id=migration_id)
    agent.start()
    return migration_id, guest.disks[0].path


def _stays_until_removed(stage, migration_id, path):
    """The volume was made and not noted: whose it is only a person can say."""
    error = stage.recorder.wait_terminal(migration_id, 90).payload["error"]
    equal(stage.controller.record(SOURCE, migration_id)["status"], "error", error)
    kept, = stage.controller.record(DESTINATION, migration_id)["report"]["kept"]
    equal(kept["path"], path)
    check("Nothing proves" in kept["why"], kept)
    stage.destination.virsh("vol-delete", path)
    stage.controller.call(SOURCE, "resolve_migration", migration_id=migration_id, timeout=60)
    wait_status(stage, SOURCE, migration_id, "failed")


def _forget_folder(stage, folder):
    for host in (stage.source, stage.destination):
        stage.remove(host, folder)


@long
def agent_dies(stage):
    """the destination's agent dies at making the volume: it goes on with what it noted; what it
    could not note stays until a person has looked at it"""
    with _ground(stage) as groups:
        equal(groups[DESTINATION].volumes(), [])
        migration_id, first = _dies(stage, groups, "image:begin")
        stage.completed(migration_id)
        for abort in (False, True):
            migration_id, path = _dies(stage, groups, "image:end", abort=abort)
            _stays_until_removed(stage, migration_id, path)
        # After the volume was noted as made: while the pool of the next disk is.
        folder = IMAGES + "/later"
        os.makedirs(stage.source.path(folder))
        stage.defer(_forget_folder, stage, folder)
        migration_id, second = _dies(stage, groups, "pool:begin",
                                     Disk("vdb", 16 * MIB, path=folder + "/vdb.qcow2"))
        stage.completed(migration_id)
        equal(groups[DESTINATION].volumes(), sorted(map(os.path.basename, (first, second))))


def _prepared(stage, guest):
    """The destination is prepared as a controller would have it; returns the id."""
    info = stage.controller.call(SOURCE, "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]
    migration_id = new_id()
    stage.controller.call(DESTINATION, "pre_live_migration", migration_id=migration_id,
                          instance_info=info)
    return migration_id


def _kept(stage, migration_id):
    """Rolls back; returns the paths of what could not be removed."""
    answer = stage.controller.call(DESTINATION, "rollback_live_migration_at_destination",
                                   migration_id=migration_id)
    return [each["path"] for each in answer["kept"]]


@long
def not_ours_to_delete(stage):
    """rolled back: a volume that came under the name, one that is in use, one that is not active"""
    with _ground(stage) as groups:
        group = groups[DESTINATION]
        guest = stage.still(Volume(groups, "vda", 16 * MIB))
        path = guest.disks[0].path
        migration_id = _prepared(stage, guest)
        stage.destination.virsh("vol-delete", path)
        group.create(guest.disks[0].volume, EXTENT)
        for _ in range(2):
            equal(_kept(stage, migration_id), [path])
        stage.destination.virsh("vol-delete", path)
        equal(_kept(stage, migration_id), [])

        migration_id = _prepared(stage, guest)
        user = stage.guest(Disk("vda", GIB), host=DESTINATION, devices=[
            _device(os.readlink(stage.destination.path(path)))]).define()
        equal(_kept(stage, migration_id), [path])
        user.destroy()
        stage.destination.virsh("pool-destroy", group.pool)
        equal(_kept(stage, migration_id), [path])
        stage.destination.virsh("pool-start", group.pool)
        equal(group.volumes(), [guest.disks[0].volume])
        equal(_kept(stage, migration_id), [])
        equal(group.volumes(), [])


@long
def room_is_promised_once(stage):
    """room in a group that another incoming migration has not taken yet counts as taken"""
    with _ground(stage) as groups:
        groups[DESTINATION].create("filler", 32 * MIB)
        first, second = (stage.still(Volume(groups, "vda", 24 * MIB)) for _ in range(2))
        _fails(stage, second)
        with holding(stage, "image:begin") as held:
            migration_id = stage.migrate(first)
            held.wait()
            _fails(stage, second, "space")
        stage.completed(migration_id)


CASES = tuple(map(needs(logical_pools), (
    onto_old_data, there_and_back, not_here, not_such_a_volume, strangers_word,
    extents_that_do_not_fit, inactive_one_in_the_way, given_up, agent_dies, not_ours_to_delete,
    room_is_promised_once)))
