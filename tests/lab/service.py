"""Hosts as the field has them: booted with systemd, the agent as its service.

    VIRT_FERRY_PACKAGES=FOLDER    where virt-ferryd_*.deb and virt-ferry_*.deb are

Each host is a copy of this machine's root, in which the packages are installed, or else what was
built, as the packages' own files would have it; the agent runs by its unit, as the user virt-ferry,
with nothing prepared that the packages do not prepare. libvirtd and QEMU are the laboratory's as
ever.
"""

import glob
import os
import shutil
import subprocess
import time

from . import processes, program, unit
from .agent import Agent
from .booted import Copy, Machine
from .host import CONSOLES, Host
from .lab import Lab
from .namespace import Stoppable, start_time
from .tap import Skip

UNIT = "virt-ferryd.service"
_STATE = "/var/lib/virt-ferry"
_CONFIG = "/etc/virt-ferry/virt-ferryd.conf"
# Of this machine's root nothing shall start but what is asked for.
_FORGET = ("etc/systemd/system/*.wants", "etc/libvirt/qemu/networks/autostart/*",
           "etc/libvirt/qemu/*.xml", "usr/sbin/policy-rc.d")
_DROP_IN = """\
[Unit]
StartLimitIntervalSec=0
[Service]
Restart=no
StandardOutput=append:{log}
StandardError=append:{log}
{lines}
"""


class ServiceHost(Host):
    """A host that boots."""

    _machine = None

    def start(self, keep_open=()):
        os.makedirs(self.directory)
        copy = Copy(os.path.join(self.directory, "machine"), "/")
        for pattern in _FORGET:
            subprocess.run("rm -rf %s/%s" % (copy.root, pattern), shell=True, check=True)
        # QEMU's folders are made by the one who starts it; its devices are this machine's.
        self._machine = Machine(self.name, copy, kept=(os.path.dirname(self.directory),))
        self._machine.start(keep_open)
        self.pid = self._machine.pid
        self._started = start_time(self.pid)

    def _install(self):
        if os.environ.get("VIRT_FERRY_PACKAGES"):
            self._install_packages()
        else:
            self._install_built()

    def _install_built(self):
        here = os.path.join(self.directory, "virt-ferryd")
        shutil.copy(program.find("virt-ferryd"), here)
        self.run("sh", "-ec", (unit.SERVE + unit.PREPARE).format(top=self._sources(), program=here,
                                                                 etc="/etc")
                 + "systemctl daemon-reload", env=self.environment())

    def _sources(self):
        """The packages' files, where the host sees them."""
        here = os.path.join(self.directory, "sources")
        for folder in ("etc", "debian"):
            shutil.copytree(os.path.join(unit.TOP, folder), os.path.join(here, folder))
        return here

    def _install_packages(self):
        debs = [os.path.abspath(deb) for deb in
                glob.glob(os.path.join(os.environ["VIRT_FERRY_PACKAGES"], "virt-ferry*_*.deb"))
                if "-dbgsym" not in deb]
        here = os.path.join(self.directory, "packages")
        os.makedirs(here)
        subprocess.run(["cp", *debs, here], check=True)
        self.run("env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c",
                 "cd /; dpkg --install --force-unsafe-io %s/*.deb" % here, env=self.environment(),
                 timeout=120)

    def stop(self):
        if self._machine is not None:
            self._machine.stop()
            self._machine.copy.close()
        self._machine = self.pid = None

    def _mount(self):
        self.run("mkdir", "-p", CONSOLES)

    def _configure_libvirt(self):
        super()._configure_libvirt()
        config = self.path("/etc/libvirt/libvirtd.conf")
        with open(config, encoding="utf-8") as text:
            lines = text.read()
        with open(config, "w", encoding="utf-8") as out:
            # As Debian has it: root, and whom polkit lets.
            out.write(lines.replace('auth_unix_rw = "none"\n', 'auth_unix_rw = "polkit"\n'))


class _Service(Stoppable):
    """The unit, as a Process of the laboratory sees it."""

    def __init__(self, host, log_path):
        self.host = host
        self.log_path = log_path

    def _show(self, name):
        return self.host.output("systemctl", "show", "-P", name, UNIT)

    @property
    def pid(self):
        """The machine's view of it."""
        inner = self._show("MainPID")
        if inner == "0":
            return None
        return processes.outer(self.host.pid, inner)

    def alive(self):
        return self._show("ActiveState") in ("active", "activating", "deactivating", "reloading")

    def signal(self, number):
        pid = self.pid
        if pid:
            os.kill(pid, number)

    def wait(self, seconds):
        end = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(UNIT, seconds)
            time.sleep(0.05)
        status = int(self._show("ExecMainStatus"))
        return status if self._show("ExecMainCode") == "1" else -status


class ServiceAgent(Agent):
    """The agent of such a host."""

    def __init__(self, host, controller, settings=None, root=None):
        super().__init__(host, controller, settings)
        self.become_root(root)
        self.configure({"DEFAULT": {"state_path": _STATE}})
        self.config_path = _CONFIG
        self.state_path = host.path(_STATE)

    def become_root(self, why):
        if why:
            raise Skip("the agent is to be root: " + why)
        return self

    def _write_configuration(self):
        text = "".join("[%s]\n%s" % (section, "".join("%s = %s\n" % item for item in keys.items()))
                       for section, keys in self.settings.items())
        # Into the file that is there, with its owner and mode.
        with open(self.host.path(_CONFIG), "w", encoding="utf-8") as out:
            out.write(text)

    def start(self, wait=True, environment=None):
        self._write_configuration()
        folder = self.host.path("/etc/systemd/system/%s.d" % UNIT)
        os.makedirs(folder, exist_ok=True)
        lines = ["Environment=%s=%s" % item for item in (environment or {}).items()]
        for each in self._folders(environment or {}):
            os.chown(each, *self._user())
            lines.append("ReadWritePaths=" + each)
        with open(folder + "/laboratory.conf", "w", encoding="utf-8") as out:
            out.write(_DROP_IN.format(log=self.log_path, lines="\n".join(lines)))
        self.host.run("systemctl", "daemon-reload")
        self.host.run("systemctl", "start", "--no-block", UNIT)
        self.process = _Service(self.host, self.log_path)
        if wait:
            self.wait_ready()
        return self


class ServiceLab(Lab):
    """A laboratory of such hosts."""

    host_class = ServiceHost
    agent_class = ServiceAgent
