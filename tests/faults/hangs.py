"""What stands still without dying: QEMU, so that its monitor says nothing, and libvirtd."""

import contextlib
import os
import signal
import time

import faults
import phases
from journey import Journey
from lab.controller import RemoteError
from lab.deadline import wait_until
from lab.tap import check, equal

# The agent gives a libvirtd that stands still up after a minute.
SILENT_LIBVIRTD_S = 90


@contextlib.contextmanager
def _frozen_qemu(journey):
    """The guest's QEMU on the source is stopped by a signal for as long."""
    fault = faults.KillSourceQemu(journey)
    fault.aim()
    os.kill(fault.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(fault.pid, signal.SIGCONT)


@contextlib.contextmanager
def _frozen_libvirtd(host):
    host.libvirtd.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        host.libvirtd.signal(signal.SIGCONT)


def frozen_qemu(ground):
    """QEMU on the source hangs in the disk phase: the agent answers, takes an abort, is restarted."""
    journey = Journey(ground)
    begun = time.monotonic()
    phase = phases.DiskCopy(journey)
    agent = journey.agent("source")
    try:
        phase.arm()
        journey.order()
        phase.reach()
        with _frozen_qemu(journey):
            agent.wait_log("its QEMU may hang", seconds=30)
            ask = ground.controller.call
            record = ask(journey.source.name, "get_migration", migration_id=journey.migration_id)
            equal(record["status"], "running", "status while QEMU hangs")
            ask(journey.source.name, "live_migration_abort", migration_id=journey.migration_id)
            equal(agent.stop(), 0, "the agent that was told to stop")
            ground.start_agent(journey.source.name)
    finally:
        phase.let_go()
    status = journey.end({"cancelled"})
    journey.verify(status)
    journey.again()
    return status, time.monotonic() - begun


def _refusal(ground, host):
    try:
        ground.controller.call(host.name, "describe_host", timeout=60)
    except RemoteError as error:
        return error.code
    return None


def frozen_libvirtd(ground):
    """libvirtd hangs: questions are answered with HypervisorUnavailable, also after a restart."""
    host = ground.guest().host
    agent = ground.agents[host.name]
    begun = time.monotonic()
    with _frozen_libvirtd(host):
        wait_until(lambda: not ground.controller.call(host.name, "ping")["libvirt_connected"],
                   SILENT_LIBVIRTD_S, "the agent gives libvirtd up")
        equal(_refusal(ground, host), "HypervisorUnavailable", "describe_host")
        equal(agent.stop(), 0, "the agent that was told to stop")
        ground.start_agent(host.name, wait=False)
        wait_until(lambda: _refusal(ground, host) == "HypervisorUnavailable", 60,
                   "describe_host after a restart")
    agent.wait_ready()
    check(_refusal(ground, host) is None, "describe_host is refused after libvirtd went on")
    journey = Journey(ground)
    journey.order()
    status = journey.end({"completed"})
    journey.verify(status)
    return "answered, then %s" % status, time.monotonic() - begun


ORDINARY = [frozen_qemu]
ITEMS = [frozen_qemu, frozen_libvirtd]
