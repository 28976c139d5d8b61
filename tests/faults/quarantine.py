"""What an agent has done by half when it is killed with a quarantine in its hands."""

import time

import layouts
import world
from journey import Journey
from lab import counting
from lab.tap import check, equal


def _set_aside(ground):
    """A journey that left its disk in quarantine."""
    journey = Journey(ground, UNTOUCHED)
    journey.order()
    journey.verify(journey.end({"completed"}))
    equal([each["state"] for each in layouts.held_of(journey)], ["held"])
    return journey


def _order_and_die(journey, point, method):
    """The agent dies with the order not answered, so it comes again."""
    ground, host = journey.ground, journey.source
    ground.hold(host, point)
    try:
        ground.controller.cast(host.name, method, migration_id=journey.migration_id)
        ground.wait_held(host, point)
        journey.agent("source").kill()
    finally:
        ground.release(host, point)
    ground.start_agent(host.name)


def let_go(ground, point):
    """Killed while it deletes the disks: the order that comes again deletes the rest."""
    begun = time.monotonic()
    journey = _set_aside(ground)
    _order_and_die(journey, point, "delete_quarantined_disks")
    layouts.nothing_held(journey)
    equal(sorted(world.images(journey.source)), [], "what is left on the source")
    journey.verify("completed")
    journey.again()
    return "deleted", time.monotonic() - begun


def have_back(ground, point):
    """Killed while it restores the disks: the order that comes again restores them all."""
    begun = time.monotonic()
    journey = _set_aside(ground)
    guest = journey.guest
    guest.destroy()
    ground.forget_pool(journey.destination)
    last = guest.number(journey.source)
    _order_and_die(journey, point, "restore_quarantined_disks")
    layouts.nothing_held(journey)
    equal(sorted(world.images(journey.source)), sorted(disk.path for disk in guest.disks),
          "what is back on the source")
    guest.moved_to(journey.source)
    journey.source.virsh("start", guest.name)
    guest.wait_number(last + 3, seconds=120)
    starts = [int(number) for number in counting.START.findall(guest.console())]
    # The last one may have been written and its line cut off by the switch.
    check(starts[-1] in (last + 1, last + 2), "it starts at %d after %d" % (starts[-1], last))
    equal(counting.faults(guest.console()), [], "the guest")
    journey.again()
    # It has counted some numbers twice, by order: nobody else shall have it.
    ground.forget(guest)
    return "restored", time.monotonic() - begun


UNTOUCHED = layouts.Untouched()
KINDS = {"deleted": let_go, "restored": have_back}
