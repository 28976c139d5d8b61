"""What a case needs of its hosts that not every release of Debian has.

    @needs(logical_pools)
    def onto_old_data(stage): ...

Each need is a function of the source and the destination, which returns why they lack it, or None.
"""

import xml.etree.ElementTree as ElementTree


def needs(*what):
    """Marks a case: it is skipped where one of the needs is not met."""
    def mark(case):
        case.needs = getattr(case, "needs", ()) + what
        return case
    return mark


def unmet(case, source, destination):
    """Why a case cannot be played between these hosts; None where it can."""
    for need in getattr(case, "needs", ()):
        reason = need(source, destination)
        if reason:
            return reason
    return None


def logical_pools(*hosts):
    for host in hosts:
        known = ElementTree.fromstring(host.virsh("pool-capabilities"))
        kind = known.find("pool[@type='logical']")
        if kind is None or kind.get("supported") != "yes":
            return "libvirt on %s has no pools of logical volumes" % host.name
    return None
