"""A cell of the matrix: one fault in one phase of one real migration."""

import time

import faults
import matrix
import phases
from journey import Journey


def play(ground, fault_name, phase_name, expected):
    """Returns (end, seconds); raises when the cell failed."""
    return _strike(ground, faults.KINDS[fault_name], phases.KINDS[phase_name], expected)


def play_point(ground, side, point):
    """Kills an agent at one of its own steps."""
    kind = faults.KillSourceAgent if side == "source" else faults.KillDestinationAgent
    return _strike(ground, kind, phases.held_at(side, point),
                   matrix.POINT_ENDS.get((side, point), matrix.DONE))


def play_undo_point(ground, side, point):
    """Kills the destination's agent while it undoes an aborted migration's preparation."""
    journey = Journey(ground)
    begun = time.monotonic()
    phase = phases.held_at(side, point)(journey)
    slow = phases.DiskCopy(journey)
    try:
        phase.arm()
        slow.arm()
        journey.order()
        slow.reach()
        ground.controller.call(journey.source.name, "live_migration_abort",
                               migration_id=journey.migration_id)
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


def _strike(ground, fault_kind, phase_kind, expected):
    journey = Journey(ground)
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
