"""A cell of the matrix: one fault in one phase of one real migration."""

import time

import faults
import layouts
import matrix
import phases
from journey import Journey


def play(ground, fault_name, phase_name, expected):
    """Returns (end, seconds); raises when the cell failed."""
    return _strike(Journey(ground), faults.KINDS[fault_name], phases.KINDS[phase_name], expected)


def play_point(ground, layout, side, point):
    """Kills an agent at one of its own steps."""
    kind = faults.KillSourceAgent if side == "source" else faults.KillDestinationAgent
    return _strike(Journey(ground, layouts.KINDS[layout]), kind, phases.held_at(side, point),
                   matrix.point_end(layout, side, point))


def play_abort_point(ground, layout, side, point):
    """Kills an agent at one of its own steps; then the order is aborted, before the instance goes
    over."""
    journey = Journey(ground, layouts.KINDS[layout])
    begun = time.monotonic()
    struck = phases.held_at(side, point)(journey)
    later = phases.held_at("source", journey.layout.last_point)(journey)
    try:
        struck.arm()
        later.arm()
        journey.order()
        struck.reach()
        journey.agent(side).kill()
        struck.let_go()
        # The source's agent lives on, or goes on, as far as it can without the instance going over.
        ground.start_agent(journey.host(side).name)
        later.reach()
        _abort(journey)
    finally:
        struck.let_go()
        later.let_go()
    status = settle(journey, {"cancelled"}, False)
    return status, time.monotonic() - begun


def _abort(journey):
    journey.ground.controller.call(journey.source.name, "live_migration_abort",
                                   migration_id=journey.migration_id)


def play_undo_point(ground, layout, side, point):
    """Kills an agent while it undoes what an aborted migration has made."""
    journey = Journey(ground, layouts.KINDS[layout])
    begun = time.monotonic()
    phase = phases.held_at(side, point)(journey)
    slow = phases.DiskCopy(journey)
    try:
        phase.arm()
        slow.arm()
        journey.order()
        slow.reach()
        _abort(journey)
        phase.reach()
        journey.agent(side).kill()
    finally:
        phase.let_go()
        slow.let_go()
    ground.start_agent(journey.host(side).name)
    status = journey.end({"cancelled"})
    journey.verify(status)
    journey.again()
    return status, time.monotonic() - begun


def _strike(journey, fault_kind, phase_kind, expected):
    begun = time.monotonic()
    fault = fault_kind(journey)
    phase = phase_kind(journey)
    try:
        phase.arm()
        journey.order()
        phase.reach()
        fault.aim()
        fault.strike()
        if isinstance(phase, phases.Held):
            fault.take_effect()
    finally:
        phase.let_go()
    fault.heal()
    status = settle(journey, expected, isinstance(fault, faults.KillQemu))
    return status, time.monotonic() - begun


def settle(journey, expected, guest_may_die):
    """From the healed fault to the next migration; returns the status."""
    status = journey.end(expected)
    journey.verify(status, guest_may_die)
    if guest_may_die and journey.died():
        journey.revive()
        if status == "error":
            journey.resolve()
    journey.again()
    return status
