"""virt-ferryd on a host."""

import os
import shlex
import signal

from . import program, unit
from .controller import NotDelivered
from .deadline import Deadline, DeadlineExceeded, wait_until
from .network import MIGRATION

# Variables that the one who runs the tests may want to reach the agent.
_HANDED_ON = ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "G_DEBUG",
              "G_SLICE", "G_MESSAGES_DEBUG")
_SANITIZERS = [name for name in _HANDED_ON if name.endswith("SAN_OPTIONS")]
# Folders that an agent is told to write to beside its state.
_FOLDERS = ("VIRT_FERRY_FAULT_POINTS",)


class Agent:
    """The agent of a host: configured, started, stopped, killed, started again.

    settings: {section: {key: value}} over the laboratory's own, None removes a key.
    root: why it has to run as root; otherwise it runs as the field's does, as the user virt-ferry
    under the restrictions of the unit, as far as namespaces give them.
    """

    def __init__(self, host, controller, settings=None, root=None):
        self.host = host
        self.root = root
        self.controller = controller
        self.directory = os.path.join(host.directory, "ferry")
        self.state_path = os.path.join(self.directory, "state")
        self.config_path = os.path.join(self.directory, "virt-ferryd.conf")
        self.log_path = os.path.join(host.directory, "virt-ferryd.log")
        self.process = None
        self.settings = {
            "DEFAULT": {
                "host": host.name,
                "transport_url": controller.url,
                "control_exchange": controller.exchange,
                "state_path": self.state_path,
                "debug": "true",
            },
            "libvirt": {
                "live_migration_scheme": "tcp",
                "live_migration_inbound_addr": host.addresses[MIGRATION],
            },
            "storage": {"reserved_bytes": str(64 << 20)},
            "migration": {"progress_interval": "0.2"},
            "oslo_messaging_rabbit": {"heartbeat_timeout_threshold": "10"},
        }
        self.configure(settings or {})

    def configure(self, settings):
        """Changes settings; the next start sees them."""
        for section, keys in settings.items():
            mine = self.settings.setdefault(section, {})
            for key, value in keys.items():
                if value is None:
                    mine.pop(key, None)
                else:
                    mine[key] = str(value)
        return self

    def become_root(self, why):
        """The next start is as root, or with None as the field's user."""
        self.root = why
        return self

    def _write_configuration(self):
        os.makedirs(self.directory, exist_ok=True)
        with open(self.config_path, "w", encoding="utf-8") as out:
            for section, keys in self.settings.items():
                out.write("[%s]\n" % section)
                out.writelines("%s = %s\n" % item for item in keys.items())
        uid, gid = self._user()
        os.chown(self.config_path, 0, gid)
        os.chmod(self.config_path, 0o640)
        # What a service manager does with a state folder.
        os.makedirs(self.state_path, exist_ok=True)
        os.chmod(self.state_path, 0o700)
        for top, folders, names in os.walk(self.state_path):
            for name in [".", *folders, *names]:
                os.chown(os.path.join(top, name), uid, gid, follow_symlinks=False)

    def _user(self):
        """UID and GID that it runs as."""
        return (0, 0) if self.root else self.host.user_ids(unit.USER)

    @staticmethod
    def _folders(environment):
        return [environment[name] for name in _FOLDERS if name in environment]

    def owns(self, path):
        """Whether a file of its host is its own, or any is: only then it can change the mode."""
        uid, _ = self._user()
        return uid in (0, os.stat(self.host.path(path)).st_uid)

    def environment(self):
        handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        home = {} if self.root else {"HOME": unit.HOME}
        return {**self.host.environment(), **home, **handed_on}

    def _command(self, environment):
        """What is started: the agent, as the unit has it where nothing is said against it."""
        built = program.find("virt-ferryd", self.host.release)
        wrapper = shlex.split(os.environ.get("VIRT_FERRY_AGENT_WRAPPER", ""))
        words = [*wrapper, built, "--config-file", self.config_path]
        if self.root:
            return words
        writable = [self.state_path, *self._folders(environment)]
        if wrapper or any(name in os.environ for name in _SANITIZERS):
            # These write code as they run, trace themselves, and leave notes.
            told = unit.confinement(self.host, [*writable, "/tmp"], (None, []))
        else:
            told = unit.confinement(self.host, writable, (built, self.host.filters))
            words[0] = unit.PROGRAM
        return ["/usr/bin/python3", "-IS", unit.LAUNCHER, told, *words]

    # Life

    def start(self, wait=True, environment=None):
        """Starts it; with wait=True returns when it answers.

        environment adds variables for this start only, such as VIRT_FERRY_FAULT_POINT.
        VIRT_FERRY_AGENT_WRAPPER holds words to put before it, valgrind for instance.
        """
        self._write_configuration()
        environment = {**self.environment(), **(environment or {})}
        for folder in self._folders(environment):
            os.chown(folder, *self._user())
        self.process = self.host.spawn("virt-ferryd", *self._command(environment),
                                       log_path=self.log_path, env=environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=30):
        """Waits until it answers a ping and has its libvirt."""
        deadline = Deadline(seconds, "%s: virt-ferryd" % self.host.name)

        def answers():
            if not self.process.alive():
                raise RuntimeError("%s: virt-ferryd has ended\n%s"
                                   % (self.host.name, self.log()[-4000:]))
            try:
                answer = self.controller.call(self.host.name, "ping",
                                              timeout=max(0.2, deadline.left()))
            except NotDelivered:
                return False
            return answer["libvirt_connected"]
        try:
            wait_until(answers, seconds, "an answer of virt-ferryd on %s" % self.host.name)
        except DeadlineExceeded as error:
            raise DeadlineExceeded("%s\n%s" % (error, self.log()[-4000:])) from None
        return self

    def alive(self):
        return self.process is not None and self.process.alive()

    def stop(self, seconds=20):
        """SIGTERM; returns the exit status."""
        return self.process.stop(seconds)

    def kill(self):
        """SIGKILL: what a crash leaves."""
        return self.process.kill()

    def wait_end(self, seconds=30):
        """Waits until it has ended by itself; returns the exit status."""
        return self.process.wait(seconds)

    def freeze(self):
        self.process.signal(signal.SIGSTOP)

    def thaw(self):
        self.process.signal(signal.SIGCONT)

    def restart(self):
        """Starts it again, after ending it in order when it runs."""
        if self.alive():
            self.stop()
        return self.start()

    # Looking

    def log(self):
        """Everything it has said since it was first started."""
        return self.process.log() if self.process else ""

    def wait_log(self, text, seconds=20):
        return wait_until(lambda: text in self.log(), seconds,
                          "%r in the log of virt-ferryd on %s" % (text, self.host.name))

    def check_config(self):
        """virt-ferryd --check-config with the present settings; CompletedProcess."""
        self._write_configuration()
        return self.host.run(program.find("virt-ferryd", self.host.release), "--check-config",
                             "--config-file", self.config_path, check=False, env=self.environment())
