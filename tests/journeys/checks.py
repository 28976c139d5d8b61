"""What both sides look at before a byte moves: each check passes where it should, and says what is
wrong and what to do where it should not."""

from lab import images
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import forget_pool, new_id


def _still(stage, *disks, **options):
    return stage.still(*(disks or [Disk("vda", GIB, data=1 * MIB)]), **options)


def _info(stage, guest):
    """What the source says of the instance to whoever wants to carry it."""
    return stage.controller.call(guest.host.name, "check_can_live_migrate_source",
                                 instance=guest.name)["instance_info"]


def _at_destination(stage, info, host="kvm02"):
    answer = stage.controller.call(host, "check_can_live_migrate_destination", instance_info=info)
    return answer["checks"]


def _named(checks, name):
    return [each for each in checks if each["name"] == name]


def _only(checks, name, result):
    """The one check of this name, which has this result; what is not fine has a hint."""
    found = _named(checks, name)
    equal([each["result"] for each in found], [result], "%s: %s" % (name, found))
    check(result == "pass" or found[0]["hint"], "no hint: %s" % found)
    return found[0]["message"]


# Storage

def pools_of_all_kinds(stage):
    """a pool that is missing, that stands still, that runs, and one that holds no files"""
    guest = _still(stage)
    info = _info(stage, guest)
    check("default" in _only(_at_destination(stage, info), "pool", "pass"), "default is not named")
    folder = IMAGES + "/kind"
    info["disks"][0]["source"] = folder + "/disk.qcow2"
    check("is made" in _only(_at_destination(stage, info), "pool", "pass"), "a missing pool")
    stage.destination.add_pool("kind", folder)
    stage.defer(stage.remove, stage.destination, folder)
    stage.destination.virsh("pool-destroy", "kind")
    check("inactive" in _only(_at_destination(stage, info), "pool", "pass"), "a pool at rest")
    stage.destination.virsh("pool-undefine", "kind")
    other = folder + ".xml"
    with open(stage.destination.path(other), "w", encoding="ascii") as file:
        file.write("<pool type='disk'><name>other</name><source><device path='/dev/null'/>"
                   "</source><target><path>%s</path></target></pool>" % folder)
    stage.destination.virsh("pool-define", other)
    stage.remove(stage.destination, other)
    check("disk" in _only(_at_destination(stage, info), "pool", "fail"), "a pool of another kind")
    forget_pool(stage.destination, "other")


def space_promised_to_others(stage):
    """space: what other incoming migrations have still to write is not promised twice"""
    first, second = (_still(stage, Disk("vda", GIB, data=40 * MIB)) for _ in range(2))
    infos = [_info(stage, guest) for guest in (first, second)]
    stage.destination.limit_images(70 * MIB)
    stage.defer(stage.destination.unlimit_images)
    with stage.settings({"kvm02": {"storage": {"reserved_bytes": "0"}}}):
        for info in infos:
            check("0 MiB promised" in _only(_at_destination(stage, info), "space", "warn"), info)
        migration_id = new_id()
        stage.controller.call("kvm02", "pre_live_migration", migration_id=migration_id,
                              instance_info=infos[0])
        message = _only(_at_destination(stage, infos[1]), "space", "fail")
        check(" 4" in message.split("promised")[0][-8:], message)
        stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                              migration_id=migration_id)
        _only(_at_destination(stage, infos[1]), "space", "warn")
    equal(images.allocation(second.disks[0].path, stage.source) > 40 * MIB, True)


CASES = (pools_of_all_kinds, space_promised_to_others)
