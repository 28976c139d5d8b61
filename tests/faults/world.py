"""What is so, asked of libvirt, of the file systems and of the journals' tables; never of an agent."""

import contextlib
import hashlib
import os
import sqlite3

import libvirt

from lab.deadline import wait_until
from lab.host import IMAGES


class Journal:
    """The tables of an agent's journal, read beside it."""

    def __init__(self, agent):
        # Seen through the host: its mounts are not ours.
        self._path = os.path.join(agent.host.path(agent.state_path), "journal.db")

    def rows(self, query, *values):
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % self._path, uri=True,
                                                timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def leftovers(self):
        """Paths of source images that were left behind on purpose."""
        return {path for path, in self.rows("SELECT path FROM leftovers")}

    def held(self):
        """Paths of source images in quarantine, under the names that they have there."""
        return {path for path, in self.rows(
            "SELECT held_path FROM quarantine WHERE state IN ('intended', 'held')")}

    def claimed(self, migration_id):
        """Paths of images that a migration made here and still answers for."""
        return {path for path, in self.rows(
            "SELECT path FROM creations WHERE migration_id = ? AND kind = 'volume'"
            " AND state IN ('intended', 'made', 'kept')", migration_id)}

    def status(self, migration_id, role):
        """(status, highest seq) of a record, None where there is none."""
        rows = self.rows("SELECT status, seq FROM migrations WHERE migration_id = ? AND role = ?",
                         migration_id, role)
        return rows[0] if rows else None

    def waiting_events(self):
        return self.rows("SELECT count(*) FROM outbox")[0][0]


def domains(host):
    """{name: state as libvirt's number} of all domains of a host."""
    connection = host.connect()
    try:
        return {domain.name(): domain.state()[0] for domain in connection.listAllDomains()}
    finally:
        connection.close()


def pools(host):
    """Names of a host's pools."""
    connection = host.connect()
    try:
        return {pool.name() for pool in connection.listAllStoragePools()}
    finally:
        connection.close()


def images(host):
    """Paths of all files in the images folder, as the host names them."""
    found = set()
    top = host.path(IMAGES)
    for folder, _folders, files in os.walk(top):
        inside = os.path.normpath(os.path.join(IMAGES, os.path.relpath(folder, top)))
        found.update(os.path.join(inside, name) for name in files)
    return found


def alive_on(hosts, name):
    """Names of the hosts on which a guest runs, or is held still as if it did."""
    return sorted(host.name for host in hosts
                  if domains(host).get(name) in (libvirt.VIR_DOMAIN_RUNNING,
                                                 libvirt.VIR_DOMAIN_PAUSED))


def digest(host, path):
    """Tells the contents of files apart."""
    with open(host.path(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def places(journey, alive):
    """What is wrong with where a journey's guest, its domains, images and pools are.

    alive: whether it shall run on its host; false when its QEMU was killed, or it was off.
    """
    guest, place = journey.guest, journey.guest.host
    found = []
    for host in journey.ground.hosts.values():
        state = domains(host).get(guest.name)
        running = state in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED)
        if host is place and alive and state != libvirt.VIR_DOMAIN_RUNNING:
            found.append("%s: the guest's state is %s there" % (host.name, state))
        if running and not (host is place and alive):
            found.append("%s: the guest is there, too, in state %s" % (host.name, state))
        elif host is not place and state is not None:
            found.append("%s: a domain was left, in state %s" % (host.name, state))
        elif host is place and state is None and not journey.layout.runs:
            found.append("%s: the instance is not defined there" % host.name)
        found += _things(journey, host)
    if alive:
        found += _sources(guest)
    return found + (_sources(guest, "--inactive") if alive or not journey.layout.runs else [])


def _sources(guest, *words):
    """A disk that uses another file than its image, such as an overlay that was forgotten."""
    named = dict(line.split(None, 1)
                 for line in guest.host.virsh("domblklist", guest.name, *words).splitlines()
                 if line.strip())
    return ["%s: disk '%s' is on '%s' %s" % (guest.host.name, disk.target,
                                             named.get(disk.target), " ".join(words))
            for disk in guest.disks if named.get(disk.target) != disk.path]


def _things(journey, host):
    ground, place = journey.ground, journey.guest.host
    own = {disk.path for disk in journey.guest.disks}
    mine = own | ground.shared
    here = images(host) & mine
    left = set()
    if host is journey.source:
        journal = Journal(ground.agents[host.name])
        left = journal.leftovers() | journal.held() | ground.shared
    allowed = mine if host is place else left
    found = ["%s: the image '%s' was left" % (host.name, path) for path in sorted(here - allowed)]
    if host is place:
        found += ["%s: the image '%s' is gone" % (host.name, path) for path in mine - here]
    else:
        found += ["%s: the pool '%s' was left" % (host.name, name)
                  for name in sorted(pools(host) - journey.pools_before[host.name])]
    known = {disk.path for other in ground.guests for disk in other.disks} | ground.shared
    return found + ["%s: nobody knows the image '%s'" % (host.name, path)
                    for path in sorted(images(host) - known - left)]


def told(ground, migration_id, recorder, seconds=40):
    """What is wrong with the events: waits until the outboxes are empty, then compares what was
    heard with what the journals numbered."""
    for agent in ground.agents.values():
        wait_until(lambda agent=agent: Journal(agent).waiting_events() == 0, seconds,
                   "%s: the outbox is empty" % agent.host.name)
    found = []
    for name, agent in ground.agents.items():
        for role in ("source", "destination"):
            record = Journal(agent).status(migration_id, role)
            if record is None:
                continue

            def heard(name=name, record=record):
                events = recorder.events(migration_id, host=name, samples=False)
                return max((event.seq for event in events), default=0) >= record[1]
            try:
                wait_until(heard, 10, "event %d of %s" % (record[1], name))
            except AssertionError as error:
                found.append(str(error))
    return found + recorder.complaints(migration_id)
