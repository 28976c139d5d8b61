"""One migration of the ground's guest, watched from outside, and the proof that it ended well."""

import uuid

import layouts
import libvirt
import world
from lab.deadline import wait_until
from lab.tap import equal

END_S = 150
RESOLVED_S = 150


class Journey:
    """The order, its two hosts, and what came of it."""

    def __init__(self, ground, layout=layouts.PLAIN, **options):
        self.ground = ground
        self.layout = layout
        self.recorder = ground.recorder
        self.guest = ground.begin(layout)
        self.source = self.guest.host
        self.destination = ground.other(self.source)
        self.options = {**layout.options, **options}
        self.migration_id = str(uuid.uuid4())
        self.companion = None
        self.pools_before = {host.name: world.pools(host) for host in ground.hosts.values()}

    def host(self, side):
        return self.source if side == "source" else self.destination

    def agent(self, side):
        return self.ground.agents[self.host(side).name]

    # On the way

    def order(self):
        """Sends the order and does not wait for the answer: the agent may be dead by then."""
        self.ground.controller.cast(
            self.source.name, "live_migrate_instance", instance=self.guest.name,
            host=self.destination.name, migration_id=self.migration_id, options=self.options)

    def order_companion(self):
        """Another migration on the same way, by a guest of its own."""
        guest = self.ground.paused_guest(self.source)
        order = self.ground.controller.migrate(guest.name, self.source.name,
                                               self.destination.name)
        self.companion = (guest, order)

    def wait_event(self, kind, is_meant=lambda payload: True, seconds=60):
        return self.recorder.wait(
            lambda event: event.type == kind and event.migration_id == self.migration_id
            and is_meant(event.payload), seconds, "%s of %s" % (kind, self.migration_id))

    def wait_progress(self, is_meant, what):
        return self.recorder.wait(
            lambda event: event.type == "migration.progress"
            and event.migration_id == self.migration_id
            and event.payload["progress"] and is_meant(event.payload["progress"]), 60, what)

    # The end

    def end(self, expected):
        """Waits for the terminal event and, after an error, for what it turns into.

        Returns the status that the migration has at last.
        """
        event = self.recorder.wait_terminal(self.migration_id, END_S)
        if event.payload["status"] == "error" and "error" not in expected:
            event = self.wait_event("migration.resolved", seconds=RESOLVED_S)
        status = event.payload["status"]
        if status not in expected:
            raise AssertionError("it is %s, expected %s: %s" % (
                status, " or ".join(sorted(expected)), event.payload["error"]))
        return status

    def wait_destination(self):
        """The destination's own record ends, too."""
        journal = world.Journal(self.agent("destination"))

        def over():
            record = journal.status(self.migration_id, "destination")
            return record is None or record[0] in ("completed", "rolled-back")
        wait_until(over, 60, "the end of the destination's record: %s"
                   % (journal.status(self.migration_id, "destination"),))

    def verify(self, status, may_have_died=False):
        """Asks the world: raises with everything that is not as it should be.

        may_have_died: the guest's QEMU was killed, so it may run nowhere, and then shall.
        """
        if self.companion:
            self._verify_companion()
        alive = self.layout.runs and not (may_have_died and self.died())
        self.guest.moved_to(self.source if status in ("failed", "cancelled")
                            else self.destination)
        if alive:
            self.guest.wait_counting(3)
        if status == "error":
            found = self._complaints_after_error()
        else:
            self.wait_destination()
            found = world.places(self, alive)
        found += world.told(self.ground, self.migration_id, self.recorder)
        if not self.layout.runs:
            self._start()
        if alive or not self.layout.runs:
            found += self.guest.paused_complaints()
        if found:
            raise AssertionError("; ".join(found))
        self.layout.verify(self, status)
        self.ground.answer()

    def _start(self):
        """A guest that was off goes on where it is now, with all that it ever wrote."""
        self.guest.host.virsh("start", self.guest.name)
        self.guest.wait_counting(3, seconds=120)

    def died(self):
        """Whether the guest runs nowhere."""
        return not world.alive_on(self.ground.hosts.values(), self.guest.name)

    def _complaints_after_error(self):
        """Nobody pretends, and nothing is deleted where the outcome is not known."""
        images = world.images(self.destination)
        found = ["%s: the image '%s' is gone" % (self.destination.name, disk.path)
                 for disk in self.guest.disks if disk.path not in images]
        running = world.alive_on(self.ground.hosts.values(), self.guest.name)
        return found + ["it is in error, but the guest runs on %s" % name for name in running]

    def _verify_companion(self):
        guest, order = self.companion
        event = self.recorder.wait_terminal(order, END_S)
        if event.payload["status"] == "error":
            event = self.recorder.wait_event("migration.resolved", order, seconds=RESOLVED_S)
        place = self.destination if event.payload["status"] == "completed" else self.source
        equal(world.alive_on(self.ground.hosts.values(), guest.name), [place.name],
              "where the other guest is")
        equal(world.told(self.ground, order, self.recorder), [], "its events")
        if place is self.destination:
            # It brought the pool along, which is there to stay.
            self.pools_before[place.name] |= world.pools(place)
        self.ground.forget(guest)

    # Afterwards

    def revive(self):
        """Starts a guest whose QEMU was killed, where its disk is whole."""
        host = self.guest.host
        connection = host.connect()
        try:
            domain = connection.lookupByName(self.guest.name)
            if not domain.isActive():
                domain.create()
        except libvirt.libvirtError:
            self.guest.moved_to(host).start()
        finally:
            connection.close()
        self.guest.moved_to(host).wait_counting(3, seconds=120)

    def resolve(self):
        """After an error that a person has mended: the agent finds out when it is asked."""
        self.ground.controller.call(self.source.name, "resolve_migration", timeout=60,
                                    migration_id=self.migration_id)
        event = self.wait_event("migration.resolved", seconds=30)
        equal(event.payload["status"], "completed", "what a revived guest was resolved to")

    def again(self):
        """The next migration of the same instance completes."""
        source = self.guest.host
        destination = self.ground.other(source)
        order = self.ground.controller.migrate(self.guest.name, source.name, destination.name)
        event = self.recorder.wait_terminal(order, END_S)
        equal(event.payload["status"], "completed",
              "the next migration (%s)" % (event.payload["error"],))
        self.guest.moved_to(destination).wait_counting(3)
        equal(world.alive_on(self.ground.hosts.values(), self.guest.name), [destination.name],
              "where it runs after the next migration")
        equal(world.told(self.ground, order, self.recorder), [], "events of the next migration")
