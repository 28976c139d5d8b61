"""A hypervisor host: namespaces with a libvirtd of their own."""

import contextlib
import os
import shutil
import signal
import tempfile
import uuid

import libvirt

from . import processes, ssh, unit
from .deadline import wait_until
from .namespace import Namespace
from .network import CONTROL, MIGRATION
from .kernel import cache_directory
from .release import TOP, own_suite

# libvirt prints every error on standard error unless told not to; here all become exceptions.
libvirt.registerErrorHandler(lambda *_: None, None)

# Folders of the machine that a host has for itself.
PRIVATE = ("/etc/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt")
# As Debian's maintainer scripts set them.
_MODES = """
chmod 711 /var/cache/libvirt
mkdir -p -m 711 /var/cache/libvirt/qemu /var/lib/libvirt/boot /var/lib/libvirt/images
mkdir -p -m 750 /var/lib/libvirt/qemu /var/lib/libvirt/qemu/channel
chown libvirt-qemu:libvirt-qemu /var/lib/libvirt/qemu /var/lib/libvirt/qemu/channel
"""
IMAGES = "/var/lib/libvirt/images"
CONSOLES = "/var/log/libvirt/console"
# What libvirt found out of each emulator, by running it; it sees itself what is out of date.
_CAPABILITIES = "/var/cache/libvirt/qemu/capabilities"

_LIBVIRTD = """\
host_uuid = "{uuid}"
listen_tcp = 1
listen_tls = 1
auth_tcp = "none"
auth_tls = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "libvirt"
unix_sock_rw_perms = "0770"
key_file = "/etc/pki/libvirt/private/serverkey.pem"
cert_file = "/etc/pki/libvirt/servercert.pem"
ca_file = "/etc/pki/CA/cacert.pem"
keepalive_interval = {keepalive}
keepalive_count = 5
log_level = 3
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
"""

_QEMU = """\
security_driver = "none"
user = "root"
group = "root"
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
keepalive_interval = {keepalive}
keepalive_count = 5
default_tls_x509_cert_dir = "/etc/pki/qemu"
default_tls_x509_verify = 1
"""

_POOL = """\
<pool type='dir'>
  <name>{name}</name>
  <target><path>{path}</path></target>
</pool>
"""


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def _contents(folder):
    """{name: bytes} of the files in a folder."""
    found = {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, name), "rb") as file:
            found[name] = file.read()
    return found


class Host(Namespace):
    """One host of the laboratory; `directory` is its part of the laboratory's folder.

    release: a Release whose programs run on it; None for those of this machine.
    """

    def __init__(self, name, number, directory, pid=None, started=None, release=None):
        super().__init__(name, pid, started)
        self.number = number
        self.release = release
        self.directory = directory
        self.addresses = {}
        # Seconds between two keepalive messages; the fifth unanswered one ends a connection.
        self.keepalive_s = 2
        self.libvirtd = None
        self.sshd = None
        # The unit's filters of system calls, compiled; one place for all hosts of a laboratory.
        self.filters = unit.filters_in(os.path.join(os.path.dirname(directory), "unit"))

    # Life

    def plug(self, network):
        """Plugs the host into both links."""
        self.addresses = {link: network.attach(self, link, self.number)
                          for link in (MIGRATION, CONTROL)}

    def furnish(self, names, authority, keyring):
        """Gives the host its files; names maps every host's name to its address."""
        self._mount()
        self._write_hosts(names)
        self._install_certificates(authority)
        keyring.install(self.path("/etc"), names)
        self._configure_libvirt()
        self._install()
        # Another laboratory may put a newer one there just now; what is not copied libvirtd finds out.
        with contextlib.suppress(OSError):
            shutil.copytree(self._kept_capabilities(), self.path(_CAPABILITIES),
                            dirs_exist_ok=True)

    def _kept_capabilities(self):
        suite = self.release.suite if self.release else own_suite()
        return os.path.join(cache_directory(), "capabilities-" + suite)

    def keep_capabilities(self):
        """Spares the next laboratory's libvirtd to run every emulator at its start."""
        kept = self._kept_capabilities()
        made = self.path(_CAPABILITIES)
        if _contents(made) == _contents(kept):
            return
        with tempfile.TemporaryDirectory(dir=cache_directory(), prefix="capabilities-new-") as new:
            shutil.copytree(made, os.path.join(new, "new"))
            # Another host may be as far; one of both is enough.
            with contextlib.suppress(OSError):
                if os.path.exists(kept):
                    os.rename(kept, os.path.join(new, "old"))
                os.rename(os.path.join(new, "new"), kept)

    def _mount(self):
        # The upper layer may not lie on another overlay, so it has a tmpfs.
        lines = ["mkdir -p %s/scratch" % self.directory,
                 "mount -t tmpfs -o mode=755 scratch %s/scratch" % self.directory,
                 "cd %s/scratch; mkdir upper work" % self.directory]
        lines += self.release.root_lines(os.path.dirname(
            os.path.dirname(self.directory))) if self.release else [
            "mount -t overlay -o lowerdir=/etc,upperdir=upper,workdir=work etc /etc",
            # dpkg's notes, and the agent's home.
            "mkdir upper-lib work-lib",
            "mount -t overlay -o lowerdir=/var/lib,upperdir=upper-lib,workdir=work-lib lib /var/lib"]
        lines += ["mount -t tmpfs -o mode=755 run /run", "mkdir -p -m 1777 /run/lock"]
        for target in PRIVATE:
            source = self.directory + target
            lines += ["mkdir -p %s" % source, "mount --bind %s %s" % (source, target)]
        lines += [_MODES, "mkdir -p " + CONSOLES,
                  # What is mounted later reaches those that have mounts of their own.
                  "mount --make-rshared /"]
        self.run("sh", "-ec", "\n".join(lines))

    def _write_hosts(self, names):
        lines = ["127.0.0.1 localhost"] + ["%s %s" % (address, name)
                                           for name, address in names.items()]
        _write(self.path("/etc/hosts"), "\n".join(lines) + "\n")
        _write(self.path("/etc/hostname"), self.name + "\n")

    def _install_certificates(self, authority):
        stem = os.path.join(self.directory, "tls")
        key, certificate = authority.issue(self.name, self.addresses.values(), stem)
        # libvirt has its own names for the files, and so has QEMU.
        copies = ((authority.certificate, ("CA/cacert.pem", "qemu/ca-cert.pem")),
                  (certificate, ("libvirt/servercert.pem", "libvirt/clientcert.pem",
                                 "qemu/server-cert.pem", "qemu/client-cert.pem")),
                  (key, ("libvirt/private/serverkey.pem", "libvirt/private/clientkey.pem",
                         "qemu/server-key.pem", "qemu/client-key.pem")))
        for source, targets in copies:
            with open(source, encoding="ascii") as pem:
                text = pem.read()
            for target in targets:
                _write(self.path("/etc/pki/" + target), text)
        self.run("sh", "-ec", "chmod 700 /etc/pki/libvirt/private; "
                 "chmod 600 /etc/pki/libvirt/private/* /etc/pki/qemu/*-key.pem")

    def _configure_libvirt(self):
        values = {"uuid": uuid.uuid4(), "keepalive": self.keepalive_s}
        _write(self.path("/etc/libvirt/libvirtd.conf"), _LIBVIRTD.format(**values))
        _write(self.path("/etc/libvirt/qemu.conf"), _QEMU.format(**values))
        os.chmod(self.path("/etc/libvirt/qemu.conf"), 0o600)
        _write(self.path("/etc/libvirt/libvirt.conf"), "")

    def _install(self):
        """The agent as its package prepares a host for it."""
        self.run("sh", "-ec", unit.PREPARE.format(top=TOP, etc="/run") + "touch " + unit.PROGRAM,
                 env=self.environment())

    def user_ids(self, name):
        """UID and GID of a user of the host."""
        with open(self.path("/etc/passwd"), encoding="utf-8") as users:
            for line in users:
                fields = line.split(":")
                if fields[0] == name:
                    return int(fields[2]), int(fields[3])
        raise LookupError("%s: no user %s" % (self.name, name))

    # libvirtd

    def start_libvirtd(self):
        """Starts it without waiting: wait_libvirtd does that."""
        self.libvirtd = self.spawn(
            "libvirtd", "/usr/sbin/libvirtd", "--listen",
            "--config", "/etc/libvirt/libvirtd.conf", "--pid-file", "/run/libvirtd.pid",
            log_path=os.path.join(self.directory, "libvirtd.out"), env=self.environment())

    def wait_libvirtd(self, seconds=40):
        """Waits until libvirt answers."""
        def answers():
            if not self.libvirtd.alive():
                raise RuntimeError("%s: libvirtd has ended\n%s"
                                   % (self.name, self.libvirtd.log()[-4000:]))
            try:
                connection = self.connect()
            except libvirt.libvirtError:
                return False
            try:
                return bool(connection.getCapabilities())
            finally:
                connection.close()
        wait_until(answers, seconds, "%s: libvirtd" % self.name)

    def stop_libvirtd(self):
        return self.libvirtd.stop(20)

    def kill_libvirtd(self):
        """As a crash would: guests go on."""
        return self.libvirtd.kill()

    def restart_libvirtd(self):
        if self.libvirtd.alive():
            self.stop_libvirtd()
        self.start_libvirtd()
        self.wait_libvirtd()

    def connect(self):
        """A libvirt connection from the outside, through the host's socket."""
        return libvirt.open("qemu+unix:///system?socket="
                            + self.path("/run/libvirt/libvirt-sock"))

    def virsh(self, *words, **options):
        """Runs virsh on the host; returns its output."""
        return self.output("virsh", "--quiet", "--connect", "qemu:///system", *words, **options)

    def domain_state(self, name):
        """virsh's word for the state, or None when there is no such domain."""
        done = self.run("virsh", "--quiet", "--connect", "qemu:///system", "domstate", name,
                        check=False)
        return done.stdout.strip() or None if done.returncode == 0 else None

    def migrate(self, name, destination, *flags, scheme="tcp", timeout=120):
        """libvirt's own migration of a guest, by virsh: what the agent is compared with."""
        return self.virsh("migrate", "--live", "--p2p", *flags, name,
                          "qemu+%s://%s/system" % (scheme, destination.name), timeout=timeout)

    # Storage

    def add_pool(self, name="default", path=IMAGES, autostart=True):
        """A folder as a pool, started."""
        os.makedirs(self.path(path), exist_ok=True)
        connection = self.connect()
        try:
            pool = connection.storagePoolDefineXML(_POOL.format(name=name, path=path))
            pool.create()
            pool.setAutostart(autostart)
        finally:
            connection.close()

    def lend(self, path):
        """A folder that its operator gives the agent, as the package gives it that of images."""
        os.chown(self.path(path), 0, self.user_ids(unit.USER)[1])
        os.chmod(self.path(path), 0o771)

    def images(self):
        """Names of all files in the images folder."""
        return sorted(os.listdir(self.path(IMAGES)))

    def limit_images(self, size_bytes):
        """Puts a small file system of its own in the place of the images folder."""
        # With the rights that the folder has.
        status = os.stat(self.path(IMAGES))
        self.run("mount", "-t", "tmpfs", "-o", "size=%d,mode=%o,gid=%d" % (
            size_bytes, status.st_mode & 0o7777, status.st_gid), "images", IMAGES)

    def unlimit_images(self):
        self.run("umount", IMAGES)

    # Others

    def environment(self):
        """What a service of the host starts with: nothing of whoever runs the laboratory."""
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": os.path.join(self.directory, "home"), "LANG": "C.UTF-8"}

    def start_sshd(self):
        self.sshd = ssh.start_server(self, os.path.join(self.directory, "sshd.out"))

    def qemu_pids(self):
        """The machine's PIDs of the QEMUs on this host."""
        return [pid for pid in processes.beside(self.pid) if self._is_qemu(pid)]

    @staticmethod
    def _is_qemu(pid):
        try:
            return "/qemu-system" in os.readlink("/proc/%d/exe" % pid)
        except OSError:
            return False

    def kill_qemu(self, guest_name):
        """SIGKILL to the QEMU of one guest."""
        for pid in self.qemu_pids():
            with open("/proc/%d/cmdline" % pid, "rb") as words:
                if b"guest=%s," % guest_name.encode() in words.read():
                    os.kill(pid, signal.SIGKILL)
                    return pid
        raise RuntimeError("%s: no QEMU for %s" % (self.name, guest_name))
