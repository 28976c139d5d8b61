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


def version_of(host, ask="getLibVersion"):
    """libvirt's, such as (11, 3), or QEMU's (getVersion)."""
    connection = host.connect()
    try:
        version = getattr(connection, ask)()
    finally:
        connection.close()
    return version // 1000000, version // 1000 % 1000


def logical_pools(*hosts):
    for host in hosts:
        known = ElementTree.fromstring(host.virsh("pool-capabilities"))
        kind = known.find("pool[@type='logical']")
        if kind is None or kind.get("supported") != "yes":
            return "libvirt on %s has no pools of logical volumes" % host.name
    return None


def mirrors_that_change(source, _destination):
    version = version_of(source, "getVersion")
    if version < (8, 2):
        return "QEMU %d.%d on %s cannot make a running copy synchronous" % (*version, source.name)
    return None
