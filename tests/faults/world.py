"""What is so, asked of libvirt, of the file systems and of the journals' tables; never of an agent."""

import contextlib
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


def places(ground, guest, place, alive, before):
    """What is wrong with where a guest, its domains, images and pools are.

    place: the host that shall have it. alive: whether it shall run there; false when its QEMU was
    killed. before: pools() of each host when the journey began.
    """
    found = []
    for host in ground.hosts.values():
        state = domains(host).get(guest.name)
        running = state in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED)
        if host is place and alive and state != libvirt.VIR_DOMAIN_RUNNING:
            found.append("%s: the guest's state is %s there" % (host.name, state))
        if running and not (host is place and alive):
            found.append("%s: the guest is there, too, in state %s" % (host.name, state))
        elif host is not place and state is not None:
            found.append("%s: a domain was left, in state %s" % (host.name, state))
        found += _things(ground, guest, host, place, before[host.name])
    return found


def _things(ground, guest, host, place, pools_before):
    mine = {disk.path for disk in guest.disks}
    here = images(host) & mine
    if host is place:
        allowed = mine
    else:
        # The source of a failed migration keeps its image by the first rule.
        allowed = Journal(ground.agents[host.name]).leftovers()
    found = ["%s: the image '%s' was left" % (host.name, path) for path in sorted(here - allowed)]
    if host is place:
        found += ["%s: the image '%s' is gone" % (host.name, path) for path in mine - here]
    else:
        found += ["%s: the pool '%s' was left" % (host.name, name)
                  for name in sorted(pools(host) - pools_before)]
    strangers = images(host) - {disk.path for other in ground.guests for disk in other.disks}
    return found + ["%s: nobody knows the image '%s'" % (host.name, path)
                    for path in sorted(strangers)]


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
