"""Images that QEMU encrypts (LUKS in qcow2): they arrive encrypted with the same secret, thin; what
cannot is said, and so is what is missing at the destination."""

import uuid

from lab.deadline import wait_until
from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

import matrix
from stage import definition

PASSPHRASE = b"geheim"

_SECRET = ("<secret ephemeral='no' private='yes'><uuid>%s</uuid>"
           "<usage type='volume'><volume>%s</volume></usage></secret>")
_ENCRYPTION = "<encryption format='luks'><secret type='passphrase' uuid='%s'/></encryption>"


class Encrypted(Disk):
    """A disk whose image is LUKS, in qcow2 or raw."""

    def __init__(self, target, capacity=GIB, kind="qcow2", **options):
        super().__init__(target, capacity, kind, **options)
        self.secret = str(uuid.uuid4())

    def create_image(self, host):
        # On a busy machine QEMU cannot measure how many rounds take the time.
        wait_until(lambda: host.run(
            "qemu-img", "create", "-q", "--object", self._object(), "-f",
            "luks" if self.kind == "raw" else self.kind, "-o", self._options(), self.path,
            self.capacity, check=False).returncode == 0, 60, "an encrypted image")

    def _object(self):
        return "secret,id=key,data=%s" % PASSPHRASE.decode()

    def _options(self):
        # Fewer rounds than by default, but enough for QEMU to measure them.
        words = ["key-secret=key", "iter-time=500"]
        if self.kind == "qcow2":
            words = ["encrypt.format=luks"] + ["encrypt." + word for word in words]
        return ",".join(words)

    def decrypted(self, host, path):
        """Makes a plain qcow2 of what the guest sees."""
        host.run("qemu-img", "convert", "--force-share", "--object", self._object(),
                 "--image-opts", "driver=qcow2,encrypt.key-secret=key,file.driver=file,"
                 "file.filename=%s" % self.path, "-O", "qcow2", path)
        return path

    def xml(self):
        source = "<source file='%s'" % self.path
        plain = super().xml().replace('<source file="%s"' % self.path, source)
        return plain.replace(source + "/>", source + ">" + _ENCRYPTION % self.secret + "</source>")


def _teach(stage, disk, *hosts, value=True):
    """Gives hosts the disk's secret until the case ends."""
    for host in hosts:
        connection = host.connect()
        try:
            secret = connection.secretDefineXML(_SECRET % (disk.secret, disk.path))
            if value:
                secret.setValue(PASSPHRASE)
        finally:
            connection.close()
        stage.defer(host.virsh, "secret-undefine", disk.secret)


def _guest(stage, *disks, **options):
    guest = stage.guest(*disks, **options)
    for disk in disks:
        _teach(stage, disk, stage.source)
    return guest.create_images()


def _whole(stage, guest, host):
    """What the guest wrote is there, under the encryption, and nothing is missing."""
    guest.wait_counting(3)
    equal(guest.hosts_running(), [host.name])
    plain = {}
    host.virsh("suspend", guest.name)
    try:
        for disk in guest.disks:
            path = "%s/%s-plain.qcow2" % (IMAGES, disk.target)
            stage.defer(stage.remove, host, path)
            plain[disk.target] = disk.decrypted(host, path)
        equal(guest.complaints(host, plain), [])
        for path in plain.values():
            stage.remove(host, path)
    finally:
        host.virsh("resume", guest.name)


def _same(guest, source, destination, stage):
    """Both images hold the same, are encrypted, and the copy is as thin."""
    for disk in guest.disks:
        plain = []
        for host in (source, destination):
            path = "%s/%s-plain.qcow2" % (IMAGES, disk.target)
            plain.append((disk.decrypted(host, path), host))
        check(images.identical(*plain), "%s: the copies differ" % disk.target)
        for path, host in plain:
            stage.remove(host, path)
        info = images.info(disk.path, destination)
        equal(info["format-specific"]["data"]["encrypt"]["format"], "luks")
        equal(info["cluster-size"], images.info(disk.path, source)["cluster-size"])
        allocated = [images.allocation(disk.path, host) for host in (source, destination)]
        check(allocated[1] <= allocated[0] + 8 * MIB, "%s: %r bytes" % (disk.target, allocated))


def there_and_back(stage):
    """LUKS in qcow2 goes there and back: encrypted, thin, and the next cold boot works"""
    guest = _guest(stage, Encrypted("vda", 2 * GIB))
    _teach(stage, guest.disks[0], stage.destination)
    guest.start().wait_number(20)
    # A LUKS header takes seconds of work on purpose, and the machine may be busy.
    with stage.both(migration={"outcome_timeout": "120"}):
        _there_and_back(stage, guest)
    matrix.record("qcow2 encrypted with LUKS", moved=True, thin=True, cold_boot=True)


def _there_and_back(stage, guest):
    for source, destination in ((stage.source, stage.destination),
                                (stage.destination, stage.source)):
        stage.carry(guest, paused=True)
        _same(guest, source, destination, stage)
        destination.virsh("resume", guest.name)
        _whole(stage, guest, destination)
        equal(definition(destination, guest.name), (True, True))
        destination.virsh("destroy", guest.name)
        destination.virsh("start", guest.name)
        _whole(stage, guest, destination)


def secret_is_missing(stage):
    """no secret at the destination, or one without a value: the check `secret` says so"""
    guest = _guest(stage, Encrypted("vda"))
    guest.start()
    _fails(stage, guest, "secret", guest.disks[0].secret)
    # Whether a private secret has a value is told to nobody but libvirt, when it is asked.
    _teach(stage, guest.disks[0], stage.destination, value=False)
    error = stage.refused("MigrationPreCheckError", guest)
    check("does not have a value" in error["message"], error["message"])


def raw_luks(stage):
    """LUKS without qcow2 would not arrive thin: refused, with the reason"""
    guest = _guest(stage, Encrypted("vda", 64 * MIB, "raw"))
    _teach(stage, guest.disks[0], stage.destination)
    guest.start()
    _fails(stage, guest, "disk-encryption", "thin")


def on_the_way(stage):
    """that the network carries it without encryption is a warning, gone with tls"""
    guest = _guest(stage, Encrypted("vda"))
    guest.start()
    for options, result in (({}, "warn"), ({"tls": True}, "pass")):
        answer = stage.controller.call("kvm01", "check_can_live_migrate_source",
                                       instance=guest.name, options=options)
        equal([each["result"] for each in answer["checks"] if each["name"] == "disk-encryption"],
              [result])
        check(answer["compatible"], answer["checks"])


def _fails(stage, guest, name, word):
    error = stage.refused("MigrationPreCheckError", guest)
    failed = [each for each in error["details"]["checks"] if each["result"] == "fail"]
    equal([each["name"] for each in failed], [name])
    check(word in failed[0]["message"] and failed[0]["hint"], failed)


CASES = (there_and_back, secret_is_missing, raw_luks, on_the_way)
