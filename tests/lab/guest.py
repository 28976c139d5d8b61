"""A guest that numbers its writes, and the domain that it runs in."""

import dataclasses
import os
import uuid
from xml.sax.saxutils import quoteattr

import libvirt

from . import counting, images, tenancy
from .deadline import wait_until
from .host import CONSOLES, IMAGES

# What the kernel does at each boot and no guest here needs: an emulated processor spends more than
# half a second on it.
_LESS_TO_BOOT = ("cryptomgr.notests ipv6.disable=1 8250.nr_uarts=1 initcall_blacklist="
                 "init_kprobe_trace,load_system_certificate_list,cubictcp_register,"
                 "crypto_kdf108_init,init_encrypted,init_hugetlbfs_fs,dquot_init")


@dataclasses.dataclass
class Disk:
    """A disk of a guest; what is left out gets a sensible value."""
    target: str
    capacity: int = 20 * images.GIB
    kind: str = "qcow2"
    # Random bytes in it before the first boot, in so many pieces over its length.
    data: int = 0
    pieces: int = 4
    cluster_size: int = None
    # Another Disk that this one is an overlay of; only its image counts.
    backing: "Disk" = None
    path: str = None
    readonly: bool = False
    shareable: bool = False
    # Whether the guest mounts it instead of counting on it; for guests with an agent.
    mounted: bool = False
    # Further attributes of <driver>, such as {"discard": "unmap"}.
    driver: dict = dataclasses.field(default_factory=dict)

    def name_image(self, stem):
        """Gives the image a path where it has none, and its base one beside it."""
        self.path = self.path or "%s.%s" % (stem, self.kind)
        if self.backing:
            self.backing.name_image(stem + "-base")

    def create_image(self, host):
        """Makes the image, its base first, unless it exists on that host."""
        base = None
        if self.backing:
            self.backing.create_image(host)
            base = (self.backing.path, self.backing.kind)
        if not os.path.exists(host.path(self.path)):
            images.create(self.path, self.capacity, self.kind, self.data, self.pieces,
                          self.cluster_size, base, host)

    def create_empty(self, host):
        """Makes an image without data, as a migration's destination needs it."""
        return images.create(self.path, self.capacity, self.kind,
                             cluster_size=self.cluster_size, inside=host)

    def xml(self):
        bus = {"v": "virtio", "s": "sata", "h": "ide"}[self.target[0]]
        driver = {"name": "qemu", "type": self.kind, **self.driver}
        return "\n".join(filter(None, [
            "<disk type='file' device='disk'>",
            "  <driver %s/>" % _attributes(driver),
            "  <source file=%s/>" % quoteattr(self.path),
            "  <target dev=%s bus='%s'/>" % (quoteattr(self.target), bus),
            "  <readonly/>" if self.readonly else None,
            "  <shareable/>" if self.shareable else None,
            "</disk>"]))


@dataclasses.dataclass
class Writes:
    """What a guest writes to its first disk beside its numbers (counter.c)."""
    block_kib: int
    kib_s: int
    random: bool = False
    # The region of the disk; the numbers must not lie in it.
    at_mib: int = 64
    mib: int = 64

    def command_line(self):
        return ("ferry.write_kib=%d ferry.write_kib_s=%d ferry.write_random=%d"
                " ferry.write_at_mib=%d ferry.write_mib=%d"
                % (self.block_kib, self.kib_s, self.random, self.at_mib, self.mib))


def cdrom(path=None, target="sda"):
    """A CD-ROM drive, with or without a disc in it."""
    source = "<source file=%s/>" % quoteattr(path) if path else ""
    return ("<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>%s"
            "<target dev='%s' bus='sata'/><readonly/></disk>" % (source, target))


def _attributes(values):
    return " ".join("%s=%s" % (name, quoteattr(str(value))) for name, value in values.items())


class Guest:
    """A guest on the laboratory's hosts; `host` is where it was started or last seen.

    agent: whether qemu-ga runs in it, and file systems are mounted (tenancy.py).
    writes: a Writes, None when it writes its numbers only.
    """

    def __init__(self, lab, host, name, disks, memory_mib=128, vcpus=1, machine="q35",
                 interval_ms=100, dirty_mib=0, dirty_mib_s=0, layout=None, devices=(),
                 os_extra="", domain_extra="", command_line="", agent=False, writes=None):
        self.lab = lab
        self.host = host
        self.name = name
        # The console keeps this name when the guest arrives under another one.
        self._console = name
        self.uuid = str(uuid.uuid4())
        self.disks = list(disks)
        self.memory_mib = memory_mib
        self.vcpus = vcpus
        self.machine = lab.machine(machine)
        self.layout = layout or counting.Layout()
        self.devices = list(devices) + ([tenancy.channel()] if agent else [])
        self.agent = agent
        self.os_extra = os_extra
        self.domain_extra = domain_extra
        # Whether its kernel is unpacked, for a quick boot: it lies in the guest's memory from the start,
        # and a guest that does not boot would travel with it.
        # UEFI takes none such, nor does one come up that has a TPM.
        self.quick = "<loader" not in os_extra and not any("<tpm" in each for each in devices)
        load = [writes.command_line()] if writes else []
        self._options = "%s ferry.interval_ms=%d ferry.dirty_mib=%d ferry.dirty_mib_s=%d %s" % (
            self.layout.command_line(), interval_ms, dirty_mib, dirty_mib_s,
            " ".join([command_line, *load]))
        for disk in self.disks:
            disk.name_image("%s/%s-%s" % (IMAGES, name, disk.target))

    # Making

    def create_images(self):
        """Makes the images that do not exist yet, on the host where the guest is."""
        for disk in self.disks:
            disk.create_image(self.host)
        return self

    def counted(self):
        """The disks that the guest writes its numbers to."""
        return [disk for disk in self.disks
                if disk.target.startswith("vd") and not disk.readonly and not disk.mounted]

    def xml(self):
        command_line = ("console=ttyS0 quiet loglevel=3 panic=1 %s ferry.disks=%d"
                        " ferry.filesystems=%d %s"
                        % (_LESS_TO_BOOT, len(self.counted()),
                           sum(disk.mounted for disk in self.disks), self._options)).strip()
        kernel = self.lab.kernel(self.quick)
        initrd = self.lab.tenant_initrd() if self.agent else self.lab.initrd
        return "\n".join([
            "<domain type='%s'>" % self.lab.domain_type,
            "<name>%s</name><uuid>%s</uuid>" % (self.name, self.uuid),
            "<memory unit='MiB'>%d</memory><vcpu>%d</vcpu>" % (self.memory_mib, self.vcpus),
            "<os><type arch='x86_64' machine='%s'>hvm</type>" % self.machine,
            "<kernel>%s</kernel><initrd>%s</initrd>" % (kernel, initrd),
            "<cmdline>%s</cmdline>%s</os>" % (command_line, self.os_extra),
            "<features><acpi/></features>", self.domain_extra,
            "<devices><emulator>%s</emulator>" % self.lab.emulator,
            *(disk.xml() for disk in self.disks), *self.devices,
            "<serial type='file'><source path='%s' append='on'/><target port='0'/></serial>"
            % self.console_path(),
            "<controller type='usb' model='none'/><memballoon model='none'/>",
            "</devices></domain>"])

    def define(self):
        """Defines the domain without starting it."""
        connection = self.host.connect()
        try:
            connection.defineXML(self.xml())
        finally:
            connection.close()
        return self

    def start(self, persistent=True):
        """Defines (or not) and starts the domain; wait_number() tells when it counts."""
        connection = self.host.connect()
        try:
            if persistent:
                connection.defineXML(self.xml()).create()
            else:
                connection.createXML(self.xml())
        finally:
            connection.close()
        return self

    # Looking

    def console_path(self):
        return "%s/%s.log" % (CONSOLES, self._console)

    def console(self, host=None):
        """What the guest has said on a host; empty when it never ran there."""
        try:
            with open((host or self.host).path(self.console_path()), encoding="ascii",
                      errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def consoles(self):
        """What the guest has said on all hosts."""
        return [self.console(host) for host in self.lab.hosts.values()]

    def number(self, host=None):
        """The last number announced on a host."""
        return counting.last(self.console(host))

    def wait_number(self, at_least=1, seconds=60, host=None):
        """Waits until the guest has announced a number on a host."""
        where = host or self.host
        wait_until(lambda: self.number(where) >= at_least, seconds,
                   "%s: number %d on %s" % (self.name, at_least, where.name))
        return self.number(where)

    def wait_counting(self, more=5, seconds=60, host=None):
        """Waits for some more numbers than there are now: the guest runs on that host."""
        return self.wait_number(max(map(counting.last, self.consoles())) + more, seconds, host)

    def state(self, host=None):
        """virsh's word for the state on a host, None when the host does not know the guest."""
        return (host or self.host).domain_state(self.name)

    def hosts_running(self):
        return [host.name for host in self.lab.hosts.values() if self.state(host) == "running"]

    def moved_to(self, host):
        """Notes where the guest is now."""
        self.host = host
        return self

    # Ending

    def destroy(self, host=None):
        """Ends and forgets the guest on a host; images stay."""
        connection = (host or self.host).connect()
        try:
            domain = connection.lookupByName(self.name)
            if domain.isActive():
                domain.destroy()
            try:
                domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
                                     | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
            except libvirt.libvirtError as error:
                if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                    raise
        finally:
            connection.close()

    # Proof

    def complaints(self, host=None, paths=None):
        """Everything that speaks against an unbroken run; empty when all is well.

        host: where the images are looked at. paths: {target: path} where they differ.
        """
        host = host or self.host
        texts = self.consoles()
        found = [fault for text in texts for fault in counting.faults(text)]
        found += ["number %d missing" % number for number in counting.missing(texts)]
        found += ["number %d announced twice" % number for number in counting.repeated(texts)]
        numbers = [number for text in texts for number in counting.announced(text)]
        if not numbers:
            return found + ["the guest never counted"]
        # One that the power cut from the console may have reached the first disk only; whether it
        # may be missing there is missing()'s business.
        said = set(numbers)
        for disk in self.counted():
            path = (paths or {}).get(disk.target, disk.path)
            held = self.layout.numbers_in(path, disk.kind, host)
            found += ["%s: number %d is not in the image" % (disk.target, number)
                      for number in self.layout.lost(held, min(numbers), max(numbers))
                      if number in said]
        return found

    def paused_complaints(self, host=None, paths=None):
        """complaints() while the guest is held still, so that the image is at rest."""
        host = host or self.host
        host.virsh("suspend", self.name)
        try:
            return self.complaints(host, paths)
        finally:
            host.virsh("resume", self.name)
