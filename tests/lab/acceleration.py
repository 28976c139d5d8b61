"""Whether /dev/kvm really runs a guest: it may exist and hang."""

import os
import subprocess
import time

from .kernel import cache_directory

EMULATOR = "/usr/bin/qemu-system-x86_64"
PATIENCE_S = 4.0


def _boot_id():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
        return boot.read().strip()


def _probe(kernel, initrd):
    """Boots the laboratory's guest without disks and waits for its first number."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "qemu"
    guest = subprocess.Popen(
        [EMULATOR, "-accel", "kvm", "-machine", "q35", "-m", "128", "-nodefaults",
         "-display", "none", "-kernel", kernel, "-initrd", initrd, "-serial", "stdio",
         "-append", "console=ttyS0 quiet panic=1 ferry.disks=0"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True)
    try:
        os.set_blocking(guest.stdout.fileno(), False)
        end = time.monotonic() + PATIENCE_S
        told = b""
        while time.monotonic() < end and guest.poll() is None:
            told += guest.stdout.read() or b""
            if b"ferry 0000000001" in told:
                return "kvm"
            time.sleep(0.05)
        return "qemu"
    finally:
        guest.kill()
        guest.wait()


def domain_type(kernel, initrd):
    """"kvm" or "qemu", as <domain type=...> wants it; found out once for each boot."""
    chosen = os.environ.get("VIRT_FERRY_LAB_ACCEL")
    if chosen:
        return chosen
    known = os.path.join(cache_directory(), "acceleration")
    try:
        with open(known, encoding="ascii") as cached:
            boot, answer = cached.read().split()
        if boot == _boot_id():
            return answer
    except (FileNotFoundError, ValueError):
        pass
    answer = _probe(kernel, initrd)
    made = "%s.%d" % (known, os.getpid())
    with open(made, "w", encoding="ascii") as out:
        out.write("%s %s\n" % (_boot_id(), answer))
    os.replace(made, known)
    return answer
