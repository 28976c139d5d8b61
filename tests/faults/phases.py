"""The phases: how a journey is brought to the moment at which a fault shall strike.

arm() comes before the order, reach() returns at the moment, let_go() lets the journey go on.
"""

import signal

import libvirt

from lab.deadline import wait_until

# A slow link makes each phase last some seconds for 32 MiB of disk and about as much memory.
SLOW_MBIT_S = 100


class Phase:
    def __init__(self, journey):
        self.journey = journey
        self.ground = journey.ground

    def arm(self):
        pass

    def reach(self):
        raise NotImplementedError

    def let_go(self):
        pass


class Held(Phase):
    """An agent waits at one of its fault points."""
    side = "source"
    point = None

    def arm(self):
        self.ground.hold(self.journey.host(self.side), self.point)

    def reach(self):
        self.ground.wait_held(self.journey.host(self.side), self.point)

    def let_go(self):
        self.ground.release(self.journey.host(self.side), self.point)


def held_at(side, point):
    """A phase of its own for a fault point."""
    return type("HeldAt", (Held,), {"side": side, "point": point})


class Queued(Held):
    """Another migration has the source's only slot, and is held there."""
    point = "check:begin"

    def arm(self):
        super().arm()
        self.journey.order_companion()
        super().reach()

    def reach(self):
        self.journey.wait_event("migration.queued")


class Preparing(Held):
    """The image is made, and not yet noted as made."""
    side = "destination"
    point = "image:end"


class Slow(Phase):
    mbit_s = SLOW_MBIT_S

    def arm(self):
        self.ground.slow(self.journey.source, self.mbit_s)

    def let_go(self):
        self.ground.fast(self.journey.source)


class DiskCopy(Slow):
    """Some of the disk is over there, some is not."""
    mbit_s = SLOW_MBIT_S // 2

    def reach(self):
        self.journey.wait_progress(
            lambda progress: 0 < progress["disk"]["processed_bytes"]
            and 0 < progress["disk"]["remaining_bytes"], "half a disk")


class DisksReady(Slow):
    """libvirt's word, asked many times a second, that the mirror has nothing left to copy."""

    def reach(self):
        self.journey.wait_event("migration.running")
        connection = self.journey.source.connect()
        try:
            domain = connection.lookupByName(self.journey.guest.name)
            target = self.journey.guest.disks[0].target

            def ready():
                job = domain.blockJobInfo(target)
                return job and 0 < job["end"] == job["cur"]
            wait_until(ready, 60, "the mirror is ready", interval=0.005)
        finally:
            connection.close()


class Memory(Slow):
    def reach(self):
        self.journey.wait_event("migration.phase",
                                lambda payload: payload["phase"] == "memory")


class Switchover(Slow):
    """The source stands still, its memory is over there, and nobody has told the destination to
    go on: its libvirtd is stopped just before, so that it cannot."""

    def reach(self):
        self.journey.wait_event("migration.phase",
                                lambda payload: payload["phase"] == "memory")
        self.ground.fast(self.journey.source)
        self.journey.destination.libvirtd.signal(signal.SIGSTOP)
        connection = self.journey.source.connect()
        try:
            domain = connection.lookupByName(self.journey.guest.name)
            wait_until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED, 9,
                       "the source is paused for the switch", interval=0.005)
        finally:
            connection.close()

    def let_go(self):
        if self.journey.destination.libvirtd.alive():
            self.journey.destination.libvirtd.signal(signal.SIGCONT)
        super().let_go()


class Switched(Held):
    point = "finish:begin"


class CleanUp(Held):
    point = "source-disks:begin"


KINDS = {
    "queued": Queued,
    "preparing": Preparing,
    "disk": DiskCopy,
    "ready": DisksReady,
    "memory": Memory,
    "switchover": Switchover,
    "switched": Switched,
    "clean-up": CleanUp,
}
