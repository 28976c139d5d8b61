"""A volume group on a host, for libvirt's pools of the type logical.

The group and its volumes are LVM's own, on a loop device over a file. But not every kernel that the
tests run on has device-mapper, and its names would be the whole machine's, where each host needs a
group of the same name. So each host has lvm-stand-in in the place of LVM's program: it lets the
real one work on the metadata, and maps the volumes by loop devices.
"""

import contextlib
import os

LVM = "/usr/sbin/lvm"
STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lvm-stand-in")
PLACE = "/run/lvm-stand-in"
EXTENT = 4 * 1024 * 1024

# Its own folder is another than /dev, where it would find the mount point in the way of the group.
_CONFIGURATION = """\
devices {{
    dir = "{place}"
    scan = [ "/dev" ]
    filter = [ "a|^{device}$|", "r|.*|" ]
    use_devicesfile = 0
    obtain_device_list_from_udev = 0
    external_device_info_source = "none"
}}
global {{
    activation = 0
    use_lvmpolld = 0
    notify_dbus = 0
}}
activation {{
    udev_sync = 0
    udev_rules = 0
    monitoring = 0
}}
backup {{
    backup = 0
    archive = 0
}}
"""

_POOL = """\
<pool type='logical'>
  <name>{name}</name>
  <source><name>{group}</name><format type='lvm2'/></source>
  <target><path>/dev/{group}</path></target>
</pool>
"""


def name_in(directory):
    """The group's name in the laboratory of that folder: its mount point is the machine's."""
    return os.path.basename(directory)


def forget_in(directory):
    """Removes what the machine has of the groups of a laboratory that has ended."""
    with contextlib.suppress(OSError):
        os.rmdir("/dev/" + name_in(directory))


class VolumeGroup:
    """A group on a host, with a pool of libvirt's in it; all of it ends with the host, too."""

    def __init__(self, host, size, fill=None, pool="volumes", extent=EXTENT):
        """fill: the byte that the group is full of, as if others had used it before."""
        self.host = host
        self.name = name_in(os.path.dirname(host.directory))
        self.folder = "/dev/" + self.name
        self.pool = pool
        self._file = os.path.join(host.directory, "physical-volume")
        self._make_file(size, fill)
        self._put_stand_in()
        self._device = host.output("losetup", "--find", "--show", self._file)
        self._holder = self._hold()
        self._make_group(extent)

    def _make_file(self, size, fill):
        with open(self._file, "wb") as out:
            if fill is not None:
                out.write(bytes([fill]) * size)
            out.truncate(size)

    def _put_stand_in(self):
        lines = ["mkdir -p %s %s" % (PLACE, self.folder),
                 "touch %s/lvm" % PLACE,
                 "mount --bind %s %s/lvm" % (LVM, PLACE),
                 # What is mounted over the one is not mounted over the other, too.
                 "mount --make-private %s/lvm" % PLACE,
                 "mount --bind %s %s" % (STAND_IN, LVM),
                 "mount -t tmpfs -o mode=755 volumes %s" % self.folder]
        self.host.run("sh", "-ec", "\n".join(lines))

    def _hold(self):
        """Lives until the last process of the host is gone, however the laboratory ends."""
        script = 'exec 3<"$0"; losetup --detach "$0"; exec sleep infinity'
        return self.host.spawn("physical-volume", "sh", "-ec", script, self._device)

    def _make_group(self, extent):
        etc = self.host.path("/etc/lvm")
        os.makedirs(etc, exist_ok=True)
        with open(etc + "/lvm.conf", "w", encoding="ascii") as out:
            out.write(_CONFIGURATION.format(place=PLACE, device=self._device))
        self.host.run("vgcreate", "--physicalextentsize", "%db" % extent, self.name,
                      self._device)
        connection = self.host.connect()
        try:
            pool = connection.storagePoolDefineXML(
                _POOL.format(name=self.pool, group=self.name))
            pool.create()
            pool.setAutostart(True)
        finally:
            connection.close()

    # Volumes

    def path(self, name):
        return "%s/%s" % (self.folder, name)

    def create(self, name, capacity):
        """A volume of libvirt's."""
        self.host.virsh("vol-create-as", self.pool, name, "%dB" % capacity,
                        "--allocation", "%dB" % capacity)
        return self.path(name)

    def volumes(self):
        """Names of all volumes, as LVM knows them."""
        return sorted(self.host.output("lvs", "--noheadings", "-o", "lv_name", self.name).split())

    def pretend(self, *lines):
        """lvs also prints these lines, as it does of volumes that need device-mapper to be made."""
        with open(self.host.path(PLACE + "/lvs"), "w", encoding="ascii") as out:
            out.writelines("  %s\n" % line for line in lines)
        self.host.virsh("pool-refresh", self.pool)

    # End

    def end(self):
        """Takes the group away, with all volumes; again, nothing."""
        if not self._holder.alive():
            return
        self.host.virsh("pool-destroy", self.pool, check=False)
        self.host.virsh("pool-undefine", self.pool, check=False)
        self._holder.kill()
        self.host.run("umount", self.folder, LVM, PLACE + "/lvm")
        self.host.run("rm", "-r", PLACE)
        os.unlink(self._file)
