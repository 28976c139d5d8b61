"""What a guest with an agent holds besides the counter: Debian's qemu-ga, unpacked and not installed,
with the libraries that it needs, and the program that mounts its file systems (tenant.c)."""

import os
import re
import subprocess

from .kernel import MODULES, compile_program, ensure_cached, fetched, write_initrd

PACKAGE = "qemu-guest-agent"
PROGRAM = "usr/sbin/qemu-ga"
CHANNEL = "org.qemu.guest_agent.0"


class Tenancy:
    """qemu-ga in the cache, beside the kernel."""

    def __init__(self, kernel):
        self.kernel = kernel
        self.directory = os.path.join(kernel.cache, PACKAGE)
        self.program = os.path.join(self.directory, PROGRAM)

    def ensure(self):
        """Fetches it when the cache has none."""
        ensure_cached(self.kernel.cache, self.program, self._fetch)
        return self

    def _fetch(self):
        with fetched(self.kernel.cache, PACKAGE) as (deb, work):
            unpacked = os.path.join(work, "unpacked")
            subprocess.run(["dpkg-deb", "-x", deb, unpacked], check=True,
                           stdin=subprocess.DEVNULL)
            os.rename(unpacked, self.directory)

    def _libraries(self):
        """Where this machine has them: it is of the Debian that the package is for."""
        told = subprocess.run(["ldd", self.program], check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True).stdout
        if "not found" in told:
            raise RuntimeError("qemu-ga needs a library that is not here:\n%s" % told)
        return re.findall(r"(/\S+) \(0x", told)

    def write_initrd(self, path):
        """As kernel.write_initrd(), with the tenant and its agent."""
        programs = [("tenant", compile_program(self.kernel.cache, "tenant")),
                    (PROGRAM, _read(self.program))]
        programs += [(library.lstrip("/"), _read(library)) for library in self._libraries()]
        write_initrd(self.kernel, path, (*MODULES, "virtio_console"), programs)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def channel():
    """The device by which libvirt talks to the agent."""
    return "<channel type='unix'><target type='virtio' name='%s'/></channel>" % CHANNEL
