"""The lower methods, called one by one by a controller that does what a source agent would do."""

from lab import images
from lab.deadline import wait_until
from lab.guest import Disk
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import definition, new_id, start_still, wait_status


class _Bare:
    """The bare JSON dialect."""

    def __init__(self, stage):
        self.call = stage.controller.call


class _Stock:
    """Stock oslo.messaging, as an OpenStack service would call."""

    def __init__(self, stage):
        self.call = stage.controller.call_oslo


def _whole(stage, way, guest):
    migration_id = new_id()
    # Empty options are options too: the same order has to come to the same end.
    order = {"migration_id": migration_id, "options": {}}

    here = way.call("kvm01", "check_can_live_migrate_source", instance=guest.name, options={})
    check(here["compatible"], here["checks"])
    info = here["instance_info"]
    equal((info["name"], info["uuid"], info["state"]), (guest.name, guest.uuid, guest.state()))
    equal([(disk["target"], disk["migrate"]) for disk in info["disks"]], [("vda", True)])
    there = way.call("kvm02", "check_can_live_migrate_destination", instance_info=info, options={})
    check(there["compatible"], there["checks"])
    equal({each["result"] for each in there["checks"]} - {"pass", "warn"}, set())

    data = way.call("kvm02", "pre_live_migration", instance_info=info, source="kvm01", **order)
    equal((data["migration_id"], data["host"]), (migration_id, "kvm02"))
    equal([(volume["path"], volume["created"]) for volume in data["volumes"]],
          [(guest.disks[0].path, True)])
    check(data["expires_at"] > "2020", data["expires_at"])
    equal(way.call("kvm02", "get_migration", migration_id=migration_id)["status"], "prepared")
    equal(images.info(guest.disks[0].path, stage.destination)["virtual-size"], GIB)

    answer = way.call("kvm01", "live_migration", instance=guest.name, migrate_data=data, **order)
    equal((answer["migration_id"], answer["status"]), (migration_id, "accepted"))
    stage.completed(migration_id)
    for host, role in (("kvm01", "source"), ("kvm02", "destination")):
        record = way.call(host, "get_migration", migration_id=migration_id)
        equal((record["role"], record["status"], record["error"]), (role, "completed", None))
        check(record["created_at"] <= record["updated_at"] <= record["ended_at"], record)
    newest = way.call("kvm01", "list_migrations", limit=1)
    equal([record["migration_id"] for record in newest], [migration_id])
    equal(way.call("kvm02", "list_migrations", instance=guest.name, status="failed"), [])
    answer = way.call("kvm02", "post_live_migration_at_destination", migration_id=migration_id)
    equal(answer["status"], "completed")


def step_by_step_in_bare_json(stage):
    """the whole journey step by step, in bare JSON"""
    guest = stage.still(Disk("vda", GIB, data=16 * MIB))
    _whole(stage, _Bare(stage), guest)
    stage.rests_on(guest, stage.destination)


def step_by_step_by_stock_oslo(stage):
    """the whole journey step by step, by stock oslo.messaging"""
    guest = stage.still(Disk("vda", GIB, data=16 * MIB))
    _whole(stage, _Stock(stage), guest)
    stage.rests_on(guest, stage.destination)


def one_order_by_stock_oslo(stage):
    """the whole journey by one order of stock oslo.messaging, and errors by their class"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    call = stage.controller.call_oslo
    migration_id = new_id()
    equal(call("kvm01", "live_migrate_instance", instance=guest.name, host="kvm02",
               migration_id=migration_id), {"migration_id": migration_id, "status": "accepted"})
    stage.completed(migration_id)
    for code, host, method, args in (
            ("InstanceNotFound", "kvm01", "live_migrate_instance",
             {"instance": guest.name, "host": "kvm02"}),
            ("MigrationNotFound", "kvm01", "get_migration", {"migration_id": new_id()}),
            ("InvalidRequest", "kvm01", "live_migrate_instance", {"instance": 5, "host": "kvm02"})):
        try:
            call(host, method, **args)
        except Exception as error:  # pylint: disable=broad-except
            equal(getattr(error, "code", repr(error)), code)
        else:
            raise AssertionError("%s was not refused" % method)


def _prepare(stage, guest, migration_id=None, **options):
    info = stage.controller.call("kvm01", "describe_instance", instance=guest.name)
    migration_id = migration_id or new_id()
    data = stage.controller.call("kvm02", "pre_live_migration", migration_id=migration_id,
                                 instance_info=info, source="kvm01", options=options)
    return migration_id, info, data


def roll_back_by_hand(stage):
    """a preparation is rolled back by order, once and again, and finds nothing the second time"""
    guest = stage.still(Disk("vda", GIB), Disk("vdb", GIB, "raw"))
    with stage.unchanged():
        migration_id, _, data = _prepare(stage, guest)
        equal(len(data["volumes"]), 2)
        equal(len(stage.destination.images()), 2)
        first = stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                                      migration_id=migration_id)
        equal(first["status"], "rolled-back")
        equal({each["path"] for each in first["removed"]}, {disk.path for disk in guest.disks})
        equal(first["kept"], [])
        again = stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                                      migration_id=migration_id)
        equal(again["status"], "rolled-back")
    equal([event.type for event in stage.recorder.events(migration_id)],
          ["migration.destination.preparing", "migration.destination.prepared",
           "migration.destination.rolled_back"])
    stage.refuses("InvalidMigrationState", "kvm02", "post_live_migration_at_destination",
                  migration_id=migration_id)
    stage.refuses("MigrationNotFound", "kvm02", "rollback_live_migration_at_destination",
                  migration_id=new_id())


def prepare_again(stage):
    """the same preparation again is answered the same; with other arguments it is refused"""
    guest = stage.still(Disk("vda", GIB))
    migration_id, info, data = _prepare(stage, guest)
    equal(_prepare(stage, guest, migration_id)[2], data)
    stage.refuses("InvalidRequest", "kvm02", "pre_live_migration", migration_id=migration_id,
                  instance_info=info, source="kvm09", options={})
    stage.refuses("MigrationPreCheckError", "kvm02", "pre_live_migration", migration_id=new_id(),
                  instance_info=info, source="kvm01", options={})
    stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                          migration_id=migration_id)
    equal(stage.destination.images(), [])


def finish_too_early(stage):
    """a preparation is not finished before the instance has come"""
    guest = stage.still(Disk("vda", GIB))
    migration_id, _, _ = _prepare(stage, guest)
    try:
        stage.controller.call("kvm02", "post_live_migration_at_destination", timeout=60,
                              migration_id=migration_id)
    except Exception as error:  # pylint: disable=broad-except
        equal(getattr(error, "code", repr(error)), "InvalidMigrationState")
    else:
        raise AssertionError("it was finished")
    equal(stage.controller.record("kvm02", migration_id)["status"], "prepared")
    stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                          migration_id=migration_id)


def not_prepared(stage):
    """a transfer to a destination that knows nothing of it is refused, and nothing is touched"""
    guest = stage.still(Disk("vda", GIB))
    migration_id, _, data = _prepare(stage, guest)
    stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                          migration_id=migration_id)
    for each in (migration_id, new_id()):
        with stage.unchanged():
            stage.controller.call("kvm01", "live_migration", migration_id=each,
                                  instance=guest.name, migrate_data=data, options={})
            code = "InvalidMigrationState" if each == migration_id else "MigrationNotFound"
            stage.end(each, "failed", code)


def no_rollback_under_an_instance(stage):
    """a rollback is refused while the instance is on its way"""
    guest = stage.still(Disk("vda", GIB, data=16 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=3)
    stage.wait_copying(migration_id)
    stage.refuses("InvalidMigrationState", "kvm02", "rollback_live_migration_at_destination",
                  migration_id=migration_id)
    stage.controller.call("kvm01", "live_migration_abort", migration_id=migration_id)
    stage.end(migration_id, "cancelled")
    stage.rests_on(guest, stage.source)


def lease_ends(stage):
    """a preparation that nobody uses is rolled back by itself"""
    guest = stage.still(Disk("vda", GIB))
    with stage.settings({"kvm02": {"migration": {"prepare_timeout": "1"}}}), stage.unchanged():
        migration_id, _, _ = _prepare(stage, guest)
        record = wait_status(stage, "kvm02", migration_id, "rolled-back", 20)
        equal(record["expires_at"], None)
        stage.recorder.wait_event("migration.destination.rolled_back", migration_id, "kvm02")


def lease_outlives_the_agent(stage):
    """also when the agent was away while the lease ended"""
    guest = stage.still(Disk("vda", GIB))
    with stage.settings({"kvm02": {"migration": {"prepare_timeout": "2"}}}), stage.unchanged():
        migration_id, _, _ = _prepare(stage, guest)
        stage.agents["kvm02"].kill()
        stage.agents["kvm02"].start()
        wait_status(stage, "kvm02", migration_id, "rolled-back", 20)


def lease_does_not_end_a_journey(stage):
    """a lease that ends while the instance is on its way ends nothing"""
    guest = stage.still(Disk("vda", GIB, data=48 * MIB))
    with stage.settings({"kvm02": {"migration": {"prepare_timeout": "1"}}}):
        migration_id = stage.migrate(guest, bandwidth_mib_s=16)
        stage.recorder.wait_event("migration.destination.prepared", migration_id, "kvm02")
        first = stage.controller.record("kvm02", migration_id)["expires_at"]
        wait_until(lambda: stage.controller.record("kvm02", migration_id)["expires_at"]
                   not in (None, first), 20, "another lease")
        stage.completed(migration_id)
        stage.rests_on(guest, stage.destination)


def lease_keeps_what_came(stage):
    """a transient guest was there and is gone again, and no source says why: its image stays"""
    guest = stage.still(Disk("vda", GIB))
    with stage.settings({"kvm02": {"migration": {"prepare_timeout": "5"}}}):
        migration_id, _, _ = _prepare(stage, guest)
        stage.source.virsh("destroy", guest.name)
        start_still(guest.moved_to(stage.destination), persistent=False)
        stage.destination.virsh("destroy", guest.name)
        record = wait_status(stage, "kvm02", migration_id, "error", 20)
        equal((record["error"]["code"], record["expires_at"]), ("OutcomeUnknown", None))
        equal(images.info(guest.disks[0].path, stage.destination)["virtual-size"], GIB)
        # It holds nothing in this case, and only then may anybody but its source end it.
        answer = stage.controller.call("kvm02", "resolve_migration", migration_id=migration_id)
        equal((answer["status"], answer["kept"]), ("rolled-back", []))


def incoming_slots(stage):
    """without a free slot at the destination the source waits for one"""
    guests = [stage.still(Disk("vda", GIB)) for _ in range(2)]
    with stage.settings({"kvm02": {"migration": {"max_concurrent_incoming": "1"}}}):
        migration_id, _, _ = _prepare(stage, guests[0])
        waiting = stage.migrate(guests[1])
        wait_until(lambda: stage.controller.record("kvm01", waiting)["steps"][-1]["name"]
                   == "prepare", 20, "the step prepare")
        equal(definition(stage.destination, guests[1].name), None)
        stage.controller.call("kvm02", "rollback_live_migration_at_destination",
                              migration_id=migration_id)
        stage.completed(waiting)


CASES = (step_by_step_in_bare_json, step_by_step_by_stock_oslo, one_order_by_stock_oslo,
         roll_back_by_hand, prepare_again, finish_too_early, not_prepared,
         no_rollback_under_an_instance, lease_ends, lease_outlives_the_agent,
         lease_does_not_end_a_journey, lease_keeps_what_came, incoming_slots)
