"""The faults: how each strikes, and how it is healed. Every function takes the Journey it hits."""

import os
import time

import world
from lab.deadline import wait_until
from lab.network import CONTROL, MIGRATION

BROKER_AWAY_S = 5
BROKER_CUT_S = 12


class Fault:
    """strike() is the moment; heal() makes the world whole again and may take its time."""

    def __init__(self, journey):
        self.journey = journey
        self.ground = journey.ground

    def aim(self):
        """Whatever takes time and can be done before the moment."""

    def strike(self):
        raise NotImplementedError

    def take_effect(self):
        """Waits until libvirt knows, where the journey is held and has the time."""

    def heal(self):
        pass


class KillAgents(Fault):
    sides = ()

    def strike(self):
        for side in self.sides:
            self.journey.agent(side).kill()

    def heal(self):
        for side in self.sides:
            self.ground.start_agent(self.journey.host(side).name, wait=False)
        for side in self.sides:
            self.journey.agent(side).wait_ready()


class KillSourceAgent(KillAgents):
    sides = ("source",)


class KillDestinationAgent(KillAgents):
    sides = ("destination",)


class KillBothAgents(KillAgents):
    sides = ("source", "destination")


class TermAgents(KillAgents):
    def strike(self):
        for side in self.sides:
            status = self.journey.agent(side).stop()
            if status != 0:
                raise AssertionError("SIGTERM: the %s's agent ended with %d" % (side, status))


class TermSourceAgent(TermAgents):
    sides = ("source",)


class TermDestinationAgent(TermAgents):
    sides = ("destination",)


class KillLibvirtd(Fault):
    side = None

    def strike(self):
        self.journey.host(self.side).kill_libvirtd()

    def heal(self):
        host = self.journey.host(self.side)
        host.start_libvirtd()
        host.wait_libvirtd()


class KillSourceLibvirtd(KillLibvirtd):
    side = "source"


class KillDestinationLibvirtd(KillLibvirtd):
    side = "destination"


class KillQemu(Fault):
    side = None
    pid = None

    def aim(self):
        host = self.journey.host(self.side)
        name = self.journey.guest.name.encode()
        for pid in host.qemu_pids():
            with open("/proc/%d/cmdline" % pid, "rb") as words:
                if b"guest=%s," % name in words.read():
                    self.pid = pid
                    return
        raise RuntimeError("no QEMU on the %s to be killed" % self.side)

    def strike(self):
        os.kill(self.pid, 9)

    def take_effect(self):
        host = self.journey.host(self.side)
        wait_until(lambda: not world.alive_on([host], self.journey.guest.name), 20,
                   "libvirt on the %s sees the death of QEMU" % self.side, interval=0.01)


class KillSourceQemu(KillQemu):
    side = "source"


class KillDestinationQemu(KillQemu):
    side = "destination"


class KillBroker(Fault):
    def strike(self):
        self.ground.lab.broker.kill()

    def heal(self):
        time.sleep(BROKER_AWAY_S)
        self.ground.lab.broker.start()
        self.ground.answer()


class Cut(Fault):
    def cables(self):
        raise NotImplementedError

    def seconds(self):
        raise NotImplementedError

    def strike(self):
        for name, link in self.cables():
            self.ground.lab.network.cut(name, link)

    def heal(self):
        time.sleep(self.seconds())
        for name, link in self.cables():
            self.ground.lab.network.heal(name, link)


class CutMigrationLink(Cut):
    def cables(self):
        return [(self.journey.source.name, MIGRATION)]

    def seconds(self):
        return self.ground.cut_seconds


class CutBrokerLink(Cut):
    def cables(self):
        return [("broker", CONTROL)]

    def seconds(self):
        return BROKER_CUT_S

    def heal(self):
        super().heal()
        self.ground.answer()


class FillDestinationDisk(Fault):
    """Full until the migration has ended."""

    def strike(self):
        self.ground.fill(self.journey.destination)

    def heal(self):
        wait_until(self._over, 90, "the end of the migration on a full disk")
        self.ground.unfill(self.journey.destination)

    def _over(self):
        status = world.Journal(self.journey.agent("source")).status(
            self.journey.migration_id, "source")
        return status and status[0] in ("completed", "failed", "cancelled", "error")


KINDS = {
    "kill-source-agent": KillSourceAgent,
    "kill-destination-agent": KillDestinationAgent,
    "kill-both-agents": KillBothAgents,
    "term-source-agent": TermSourceAgent,
    "term-destination-agent": TermDestinationAgent,
    "kill-source-libvirtd": KillSourceLibvirtd,
    "kill-destination-libvirtd": KillDestinationLibvirtd,
    "kill-source-qemu": KillSourceQemu,
    "kill-destination-qemu": KillDestinationQemu,
    "kill-broker": KillBroker,
    "cut-migration-link": CutMigrationLink,
    "cut-broker-link": CutBrokerLink,
    "fill-destination-disk": FillDestinationDisk,
}
