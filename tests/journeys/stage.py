"""Where the cases play: two hosts with their agents, and what a case may leave behind (nothing)."""

import concurrent.futures
import contextlib
import copy
import os
import shutil
import uuid

import libvirt
import pika

from lab.controller import RemoteError
from lab.deadline import wait_until
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import MIB
from lab.network import MIGRATION
from lab.tap import Skip, check, equal

from needs import unmet

SOURCE = "kvm01"
DESTINATION = "kvm02"
# What an agent may say while a case goes well is not its failure; this much tells of one.
LOG_LINES = 60


class Stage:
    """The laboratory in use: guests, orders, and the picture that every case has to restore."""

    def __init__(self, lab):
        self.lab = lab
        self.hosts = lab.hosts
        self.source = lab.hosts[SOURCE]
        self.destination = lab.hosts[DESTINATION]
        self.controller = lab.controller()
        self.recorder = self.controller.recorder()
        self.agents = {name: lab.agent(name, settings={
            "migration": {"outcome_timeout": "20"}}).start() for name in lab.hosts}
        self._guests = []
        self._deferred = []
        self._names = 0
        self._clean = self.picture()
        self._log_starts = {}
        # The last lines that the agents said during the case that failed last.
        self.said = ""

    # Cases

    def play(self, case):
        """Runs a case; whatever becomes of it, the next one finds the stage as this one did."""
        self._log_starts = {name: len(agent.log()) for name, agent in self.agents.items()}
        reason = unmet(case, self.source, self.destination)
        if reason:
            raise Skip(reason)
        with self._agents_as(getattr(case, "root", None)):
            try:
                case(self)
                self._tidy()
                equal(self.picture(), self._clean, "left behind")
            except BaseException:
                self.said = self._logs()
                self._wipe()
                raise

    @contextlib.contextmanager
    def _agents_as(self, root):
        """All agents run as root in the block, where a case says why."""
        if not root:
            yield
            return
        try:
            for agent in self.agents.values():
                agent.become_root(root)
            self._restart(self.agents)
            yield
        finally:
            for agent in self.agents.values():
                agent.become_root(None)
            self._restart(self.agents)

    def _logs(self):
        lines = []
        for name, agent in self.agents.items():
            said = agent.log()[self._log_starts.get(name, 0):].splitlines()[-LOG_LINES:]
            lines += ["--- %s" % name] + said
        return "\n".join(lines)

    def defer(self, function, *arguments):
        """Something to do at the end of the case, when its guests are gone, last first."""
        self._deferred.append((function, arguments))

    def limit_images(self, size_bytes):
        """Puts a small file system in the place of the destination's images until the case ends."""
        host, agent = self.destination, self.agents[self.destination.name]
        before = agent.process
        host.limit_images(size_bytes)

        def undo():
            host.unlimit_images()
            # One that was started meanwhile has the small one for itself.
            if agent.process is not before:
                agent.restart()

        self.defer(undo)

    def _tidy(self):
        while self._guests:
            guest = self._guests.pop()
            for host in self.hosts.values():
                if guest.state(host) is not None:
                    guest.destroy(host)
                for disk in guest.disks:
                    self.remove(host, disk.path)
                    for overlay in overlays(host, disk):
                        self.remove(host, overlay)
        while self._deferred:
            function, arguments = self._deferred.pop()
            function(*arguments)

    def _wipe(self):
        """After a failure: nobody knows what is where, so everything goes."""
        for function, arguments in reversed(self._deferred):
            with contextlib.suppress(Exception):
                function(*arguments)
        self._deferred, self._guests = [], []
        for agent in self.agents.values():
            if agent.alive():
                agent.kill()
            shutil.rmtree(agent.state_path, ignore_errors=True)
        for host in self.hosts.values():
            self.lab.network.unlimit(host)
            self.lab.network.heal(host.name)
            _clear(host)
        for agent in self.agents.values():
            agent.start()

    @staticmethod
    def remove(host, path):
        """Removes a file or an empty folder of a host, if it is there."""
        outer = host.path(path)
        if os.path.isdir(outer) and not os.path.islink(outer):
            os.rmdir(outer)
        elif os.path.lexists(outer):
            os.unlink(outer)

    # Pictures

    def picture(self, *hosts):
        """Images, pools and domains of the hosts (of all, where none is named)."""
        return {host.name: {"images": _images(host), "pools": pools(host),
                            "domains": _domains(host)}
                for host in hosts or self.hosts.values()}

    @contextlib.contextmanager
    def unchanged(self, *hosts):
        """Nothing is made, removed, started or stopped in the block."""
        before = self.picture(*hosts)
        yield
        equal(self.picture(*hosts), before, "changed")

    @contextlib.contextmanager
    def unchanged_pools(self):
        """No host has a pool more or less after the block."""
        before = {name: pools(host) for name, host in self.hosts.items()}
        yield
        equal({name: pools(host) for name, host in self.hosts.items()}, before, "pools")

    # Guests

    def guest(self, *disks, host=SOURCE, stem="vm", **options):
        """A guest with 32 MiB of data where nothing else is said; nothing is made yet."""
        self._names += 1
        guest = self.lab.guest(host, "%s%d" % (stem, self._names),
                               list(disks) or [Disk("vda", data=32 * MIB)], **options)
        self._guests.append(guest)
        return guest

    def counting(self, *disks, **options):
        """A guest that runs and counts."""
        guest = self.guest(*disks, **options)
        guest.create_images().start()
        guest.wait_number(3)
        return guest

    def still(self, *disks, **options):
        """A guest that was started paused: it is as good as one that runs where only its
        definition and its images matter, and costs no boot."""
        guest = self.guest(*disks, **options).create_images()
        return start_still(guest)

    def libvirt_version(self, host):
        """Of a host, such as (11, 3, 0)."""
        version = self.controller.call(host, "ping")["libvirt_version"]
        return tuple(int(part) for part in version.split("."))

    # Orders

    def migrate(self, guest, to=DESTINATION, **options):
        """Orders a journey from where the guest is; returns the id."""
        return self.controller.migrate(guest.name, guest.host.name, to, **options)

    def wait_copying(self, migration_id, host=DESTINATION):
        """Waits until the instance is being received: the phase comes before libvirt at the
        destination shows the domain, and a picture of the hosts before that would change."""
        self.recorder.wait_phase("disk", migration_id)
        wait_until(lambda: any(active for active, _ in _domains(self.hosts[host]).values()), 30,
                   "%s: the domain of %s" % (host, migration_id))

    def end(self, migration_id, kind, code=None):
        """Waits for the end, which has to be of this kind, with events that are in order."""
        event = self.recorder.wait_terminal(migration_id, 90)
        error = event.payload["error"]
        equal(event.type, "migration." + kind, "end (%s)" % (error,))
        equal(error and error["code"], code, "code of %s" % (error,))
        equal(self.recorder.complaints(migration_id), [])
        return event

    def completed(self, migration_id):
        return self.end(migration_id, "completed")

    def carry(self, guest, to=None, **options):
        """A whole journey to the other host; returns the event of its end."""
        if to is None:
            to = next(name for name in self.hosts if name != guest.host.name)
        event = self.completed(self.migrate(guest, to, **options))
        guest.moved_to(self.hosts[to])
        return event

    def runs_on(self, guest, host):
        """The guest counts on that host only, and nothing that it wrote is missing."""
        guest.moved_to(host).wait_counting(3)
        equal(guest.hosts_running(), [host.name])
        equal(guest.paused_complaints(), [])

    def refused(self, code, guest, to=DESTINATION, **options):
        """An order that comes to nothing, at once or by its checks; returns the error."""
        with self.unchanged():
            try:
                migration_id = self.migrate(guest, to, **options)
            except RemoteError as error:
                equal(error.code, code, "refusal (%s)" % error)
                check(error.message and error.hint, "no hint: %r" % error)
                return {"code": error.code, "message": error.message, "hint": error.hint,
                        "details": error.details}
            return self.end(migration_id, "failed", code).payload["error"]

    def refuses(self, code, host, method, /, **arguments):
        """A call that is answered with this error, which is returned."""
        with self.unchanged():
            try:
                answer = self.controller.call(host, method, **arguments)
            except RemoteError as error:
                equal(error.code, code, "refusal (%s)" % error)
                return error
        raise AssertionError("%s was not refused: %r" % (method, answer))

    @contextlib.contextmanager
    def settings(self, changes):
        """Agents with other settings in the block: {host: {section: {key: value}}}."""
        before = {name: copy.deepcopy(self.agents[name].settings) for name in changes}
        try:
            for name, sections in changes.items():
                self.agents[name].configure(sections)
            self._restart(changes)
            yield
        finally:
            for name, sections in before.items():
                self.agents[name].settings = sections
            self._restart(before)

    def _restart(self, names):
        """Agents of these hosts, at the same time: each waits more than it computes."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.agents[name].restart(), names))

    def both(self, **sections):
        """The same settings for both agents, for settings()."""
        return self.settings({name: copy.deepcopy(sections) for name in self.hosts})

    def rests_on(self, guest, host):
        """As runs_on(), for a still guest."""
        equal([other.name for other in self.hosts.values() if guest.state(other) == "paused"],
              [host.name])
        guest.moved_to(host)

    # The broker, as a stranger uses it

    @contextlib.contextmanager
    def channel(self):
        """A channel of its own beside the broker."""
        url = self.controller.url
        with self.lab.hub.network():
            connection = pika.BlockingConnection(
                pika.URLParameters("amqp" + url[url.index("://"):]))
        with contextlib.closing(connection):
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel


def overlays(host, disk):
    """Overlays that a seeded disk wrote to on its way, beside its image on a host."""
    folder, stem = os.path.split(disk.path)
    outer = host.path(folder)
    return ["%s/%s" % (folder, name) for name in (os.listdir(outer) if os.path.isdir(outer) else ())
            if name.startswith(stem + ".ferry-")]


def long(case):
    """Marks a case that the ordinary tests leave out: what it shows is shown more shortly by another,
    or takes the time of ten."""
    case.long = True
    return case


def needs_root(why):
    """Marks a case whose agents have to be root; the field's are not. Runners list who says so."""
    def mark(case):
        case.root = why
        return case
    return mark


def is_long(case):
    return getattr(case, "long", False)


def new_id():
    return str(uuid.uuid4())


def start_still(guest, persistent=True):
    """Starts a guest paused, as a person would have paused it."""
    guest.quick = False
    connection = guest.host.connect()
    try:
        if persistent:
            connection.defineXML(guest.xml()).createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        else:
            connection.createXML(guest.xml(), libvirt.VIR_DOMAIN_START_PAUSED)
    finally:
        connection.close()
    return guest


def boot_cold_still(guest):
    """The power goes, and the guest starts again, paused, from its persistent definition."""
    connection = guest.host.connect()
    try:
        domain = connection.lookupByName(guest.name)
        if domain.isActive():
            domain.destroy()
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    finally:
        connection.close()


def pools(host):
    """{name: (path, active, autostarted)} of a host's pools."""
    found = {}
    connection = host.connect()
    try:
        for pool in connection.listAllStoragePools():
            path = pool.XMLDesc().split("<path>")[1].split("</path>")[0]
            found[pool.name()] = (path, bool(pool.isActive()), bool(pool.autostart()))
    finally:
        connection.close()
    return found


def forget_pool(host, name):
    """Stops and undefines a pool; what lies in it stays."""
    connection = host.connect()
    try:
        pool = connection.storagePoolLookupByName(name)
        if pool.isActive():
            pool.destroy()
        pool.undefine()
    finally:
        connection.close()


def refresh_pool(host, name="default"):
    host.virsh("pool-refresh", name)


def definition(host, name):
    """Whether a host knows an instance, and how: (active, persistent), or None."""
    connection = host.connect()
    try:
        domain = connection.lookupByName(name)
        return bool(domain.isActive()), bool(domain.isPersistent())
    except libvirt.libvirtError:
        return None
    finally:
        connection.close()


def wait_status(stage, host, migration_id, status, seconds=30):
    """Waits until a host's record has this status; returns the record."""
    def reached():
        record = stage.controller.record(host, migration_id)
        return record if record["status"] == status else None
    return wait_until(reached, seconds, "%s: status %s of %s" % (host, status, migration_id))


class holding:  # pylint: disable=invalid-name
    """An agent waits at a fault point, for as long as the block lasts."""

    def __init__(self, stage, point, host=DESTINATION):
        self.agent = stage.agents[host]
        self.folder = os.path.join(stage.hosts[host].directory, "holds")
        self.hold = os.path.join(self.folder, point)

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        with open(self.hold, "w", encoding="ascii"):
            pass
        self.agent.stop()
        self.agent.start(environment={"VIRT_FERRY_FAULT_POINTS": self.folder})
        return self

    def wait(self):
        wait_until(lambda: os.path.exists(self.hold + ".reached"), 60, self.hold)

    def __exit__(self, *_):
        shutil.rmtree(self.folder)


def slow_link(stage, mbit_s):
    """The migration network becomes slow until the case ends."""
    stage.lab.network.limit(stage.source, mbit_s, MIGRATION)
    stage.defer(stage.lab.network.unlimit, stage.source, MIGRATION)


def _images(host):
    top = host.path(IMAGES)
    found = []
    for folder, folders, files in os.walk(top):
        found += [os.path.relpath(os.path.join(folder, name), top) for name in folders + files]
    return sorted(found)


def _domains(host):
    connection = host.connect()
    try:
        return {domain.name(): (bool(domain.isActive()), bool(domain.isPersistent()))
                for domain in connection.listAllDomains()}
    finally:
        connection.close()


def _clear(host):
    connection = host.connect()
    try:
        for domain in connection.listAllDomains():
            with contextlib.suppress(libvirt.libvirtError):
                domain.destroy()
            with contextlib.suppress(libvirt.libvirtError):
                domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                                     | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
                                     | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                                     | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        for name, pool in [(pool.name(), pool) for pool in connection.listAllStoragePools()]:
            if name != "default":
                with contextlib.suppress(libvirt.libvirtError):
                    pool.destroy()
                pool.undefine()
    finally:
        connection.close()
    host.run("umount", "-q", IMAGES, check=False)
    for entry in os.scandir(host.path(IMAGES)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
