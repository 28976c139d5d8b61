"""Orders as they should not be: twice, half, wrong, hostile. The agent says no and goes on."""

import json

import pika

from lab.deadline import wait_until
from lab.guest import Disk
from lab.host import IMAGES
from lab.images import GIB, MIB
from lab.tap import check, equal

from stage import new_id

# Option and value, with the word that the answer has to contain.
BAD_OPTIONS = (
    ({"colour": "red"}, "colour"),
    ({"storage_strategy": "magic"}, "storage_strategy"),
    ({"flatten": 1}, "flatten"),
    ({"sparsify": 1}, "sparsify"),
    ({"fstrim": "now"}, "fstrim"),
    ({"pool_map": {"default": "a/b"}}, "pool_map"),
    ({"disk_formats": {"vda": "vmdk"}}, "disk_formats"),
    ({"dest_name": "../other"}, "dest_name"),
    ({"source_disks": "burn"}, "source_disks"),
    ({"disks": "vda"}, "disks"),
    ({"disks": [1]}, "disks"),
    ({"bandwidth_mib_s": "fast"}, "bandwidth_mib_s"),
    ({"bandwidth_mib_s": -1}, "bandwidth_mib_s"),
    ({"bandwidth_mib_s": 1.5}, "bandwidth_mib_s"),
    ({"bandwidth_mib_s": True}, "bandwidth_mib_s"),
    ({"bandwidth_mib_s": 1 << 60}, "bandwidth_mib_s"),
    ({"downtime_ms": 0}, "downtime_ms"),
    ({"paused": "yes"}, "paused"),
    ({"persistent": 1}, "persistent"),
    ({"undefine_source": "no"}, "undefine_source"),
    ({"timeout_action": "wait"}, "timeout_action"),
    ({"completion_timeout_s": -1}, "completion_timeout_s"),
    ({"progress_interval_s": 0}, "progress_interval_s"),
    ({"parallel_connections": 0}, "parallel_connections"),
    ({"post_copy": True}, "post_copy"),
    ({"auto_converge": True}, "auto_converge"),
    ({"tls": None, "colour": None}, "colour"),
    ([], "options"),
    ("fast", "options"),
    (5, "options"),
)

BAD_ARGUMENTS = (
    ({"instance": 5, "host": "kvm02"}, "instance"),
    ({"instance": "", "host": "kvm02"}, "instance"),
    ({"instance": None, "host": "kvm02"}, "instance"),
    ({"instance": "vm\n1", "host": "kvm02"}, "instance"),
    # JSON that C strings cannot hold is no JSON here.
    ({"instance": "vm\x00", "host": "kvm02"}, "JSON"),
    ({"instance": "v" * 300, "host": "kvm02"}, "instance"),
    ({"instance": "vm"}, "host"),
    ({"host": "kvm02"}, "instance"),
    ({"instance": "vm", "host": ["kvm02"]}, "host"),
    ({"instance": "vm", "host": "kvm02\r\nx"}, "host"),
    ({"instance": "vm", "host": "kvm02", "colour": "red"}, "colour"),
    ({"instance": "vm", "host": "kvm02", "migration_id": 7}, "migration_id"),
    ({"instance": "vm", "host": "kvm02", "migration_id": "../../etc"}, "migration_id"),
)


def _alive(stage, host="kvm01"):
    check(stage.agents[host].alive(), "%s: the agent has ended" % host)
    equal(stage.controller.call(host, "ping")["host"], host)


def bad_options(stage):
    """every option that is unknown, unsupported, not permitted or of a wrong type, by its name"""
    guest = stage.still(Disk("vda", GIB))
    for options, word in BAD_OPTIONS:
        for method, arguments in (("live_migrate_instance", {"host": "kvm02"}),
                                  ("check_can_live_migrate_source", {})):
            error = stage.refuses("InvalidRequest", "kvm01", method, instance=guest.name,
                                  options=options, **arguments)
            check(word in error.message, "%r: %s" % (options, error.message))
    equal(stage.controller.call("kvm01", "list_migrations", instance=guest.name), [])


def bad_arguments(stage):
    """every argument that is missing, unknown or of a wrong type, by its name"""
    for arguments, word in BAD_ARGUMENTS:
        error = stage.refuses("InvalidRequest", "kvm01", "live_migrate_instance", **arguments)
        check(word in error.message, "%r: %s" % (arguments, error.message))
        check("\n" not in error.message and "\r" not in error.message, repr(error.message))
    for arguments in ({"status": "gone"}, {"status": 5}, {"limit": 0}, {"limit": -1},
                      {"limit": "all"}, {"limit": 1 << 40}, {"instance": []}):
        stage.refuses("InvalidRequest", "kvm01", "list_migrations", **arguments)
    stage.refuses("InvalidRequest", "kvm01", "get_migration", migration_id=new_id(), role="king")
    stage.refuses("InvalidRequest", "kvm01", "live_migrate")
    stage.refuses("InvalidRequest", None, "list_migrations")
    equal(stage.controller.call(None, "ping")["host"] in stage.hosts, True)


def same_order_twice(stage):
    """the same order with the same id answers with the present state, before and after the end"""
    guest = stage.still(Disk("vda", GIB, data=48 * MIB))
    order = {"instance": guest.name, "host": "kvm02", "migration_id": new_id(),
             "options": {"bandwidth_mib_s": 4}}

    def repeat():
        return stage.controller.call("kvm01", "live_migrate_instance", **order)
    equal(repeat()["status"], "accepted")
    check(repeat()["status"] in ("accepted", "preparing", "running"), "the state is another")
    stage.wait_copying(order["migration_id"])
    equal(repeat()["status"], "running")
    for change in ({"options": {}}, {"host": "kvm03"}, {"instance": guest.uuid}):
        error = stage.refuses("InvalidRequest", "kvm01", "live_migrate_instance",
                              **dict(order, **change))
        check(order["migration_id"] in error.message, error.message)
    stage.completed(order["migration_id"])
    equal(repeat()["status"], "completed")
    equal(repeat(), repeat())
    upper = dict(order, migration_id=order["migration_id"].upper())
    stage.refuses("InvalidRequest", "kvm01", "live_migrate_instance", **dict(upper, options={}))
    equal(len(stage.controller.call("kvm01", "list_migrations", instance=guest.name)), 1)
    stage.rests_on(guest, stage.destination)


def without_an_id(stage):
    """an order without an id gets one; a cast is an order too"""
    guest = stage.still(Disk("vda", GIB, data=MIB))
    answer = stage.controller.call("kvm01", "live_migrate_instance", instance=guest.name,
                                   host="kvm02")
    stage.completed(answer["migration_id"])
    guest.moved_to(stage.destination)
    stage.controller.cast("kvm02", "live_migrate_instance", instance=guest.name, host="kvm01")
    event = stage.recorder.wait(
        lambda each: each.type == "migration.completed" and each.payload["source"] == "kvm02"
        and each.payload["instance"]["uuid"] == guest.uuid, 60, "the end of the order by cast")
    equal(stage.recorder.complaints(event.migration_id), [])


# What a stranger could send instead of an agent

def _info(stage, guest):
    return stage.controller.call("kvm01", "describe_instance", instance=guest.name)


def _prepare(stage, info, code=None):
    """Asks the destination to prepare for it: refused, nothing made."""
    error = stage.refuses(code, "kvm02", "pre_live_migration", migration_id=new_id(),
                          instance_info=info, source="kvm01", options={})
    _alive(stage, "kvm02")
    return error


def hostile_paths(stage):
    """instance_info with paths that lead out of the allowed ones"""
    info = _info(stage, stage.still(Disk("vda", GIB)))
    for path in ("/etc/passwd", "/etc/cron.d/job", IMAGES + "/../../../../etc/cron.d/job",
                 IMAGES + "/a/../../secrets", IMAGES + "x/disk", "relative", "", IMAGES + "/../x",
                 IMAGES + "/a\nb", IMAGES + "/" + "d/" * 3000 + "disk"):
        info["disks"][0]["source"] = path
        error = None
        for code in ("PathNotAllowed", "InvalidRequest"):
            try:
                error = _prepare(stage, info, code)
                break
            except AssertionError as found:
                error = found
        check(not isinstance(error, AssertionError), "%r: %s" % (path, error))
    equal(stage.destination.run("ls", "/etc/cron.d/job", check=False).returncode, 2)


def hostile_instances(stage):
    """instance_info with wrong types, sizes, formats and twice the same file"""
    good = _info(stage, stage.still(Disk("vda", GIB)))

    def changed(**disk):
        return dict(good, disks=[dict(good["disks"][0], **disk)])
    for info in (changed(capacity_bytes=-1), changed(capacity_bytes=1 << 63),
                 changed(capacity_bytes="20G"), changed(target=None), changed(target="vda\n"),
                 changed(target="v" * 99), changed(source=5), changed(migrate="yes"),
                 dict(good, disks="vda"), dict(good, disks=[5]), dict(good, name=5),
                 dict(good, name="a/b\n"), dict(good, uuid=None), dict(good, memory_bytes=-1),
                 dict(good, disks=good["disks"] * 300), dict(good, disks=good["disks"] * 2),
                 dict(good, domain_xml="x" * (2 << 20)), {}):
        _prepare(stage, info, "InvalidRequest")
    for info in (changed(format="vmdk"), changed(type="block", source="/dev/sda"),
                 changed(capacity_bytes=0)):
        error = _prepare_fails(stage, info)
        check(error.code in ("MigrationPreCheckError", "PathNotAllowed", "InvalidRequest"), error)


def _prepare_fails(stage, info):
    for code in ("MigrationPreCheckError", "PathNotAllowed", "InvalidRequest"):
        try:
            return _prepare(stage, info, code)
        except AssertionError as error:
            last = error
    raise last


BOMB = ("<?xml version='1.0'?><!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join("<!ENTITY %s '%s'>" % (name, "&%s;" % before * 10)
                  for before, name in zip("abcdefgh", "bcdefghi"))
        + "]><domain>&i;</domain>")
OUTSIDE = ("<?xml version='1.0'?><!DOCTYPE d [<!ENTITY a SYSTEM 'file:///etc/shadow'>]>"
           "<domain><name>&a;</name></domain>")


def hostile_xml(stage):
    """domain_xml and cpu_xml with entities, or no XML at all: nothing is expanded, nothing ends"""
    info = _info(stage, stage.still(Disk("vda", GIB)))
    for field in ("domain_xml", "cpu_xml"):
        for text in (BOMB, OUTSIDE, "<domain>", "no XML", "<a/>" * 1000, "\ufffd\u202e"):
            answer = None
            try:
                answer = stage.controller.call("kvm02", "check_can_live_migrate_destination",
                                               instance_info=dict(info, **{field: text}))
            except Exception as error:  # pylint: disable=broad-except
                equal(getattr(error, "code", repr(error)), "InvalidRequest")
            check("root:" not in json.dumps(answer), "a file came along")
            _alive(stage, "kvm02")


def hostile_uris(stage):
    """migrate_data with URIs that would start a program or go elsewhere"""
    guest = stage.still(Disk("vda", GIB))
    good = {"migration_id": new_id(), "host": "kvm02",
            "libvirt_uri": "qemu+tcp://192.0.2.12/system", "migrate_uri": "tcp://192.0.2.12",
            "pools": [], "volumes": []}
    for name, value in (
            ("libvirt_uri", "qemu+ext:///system?command=/bin/true"),
            ("libvirt_uri", "qemu+ssh://kvm02/system?command=/bin/true"),
            ("libvirt_uri", "qemu+ssh://kvm02/system?netcat=/bin/true"),
            ("libvirt_uri", "qemu+libssh2://kvm02/system?known_hosts_verify=ignore"),
            ("libvirt_uri", "qemu+tls://kvm02/system?no_verify=1"),
            ("libvirt_uri", "qemu+unix:///system?socket=/tmp/s"),
            ("libvirt_uri", "qemu+ssh://-oProxyCommand=true/system"),
            ("libvirt_uri", "qemu+ssh://root@kvm02/system"),
            ("libvirt_uri", "qemu:///system"),
            ("libvirt_uri", "qemu+tcp://kvm02/session"),
            ("libvirt_uri", "test:///default"),
            ("libvirt_uri", "qemu+tcp://kvm02/system\n"),
            ("libvirt_uri", 5), ("libvirt_uri", None),
            ("migrate_uri", "unix:///tmp/socket"), ("migrate_uri", "exec:true"),
            ("migrate_uri", "tcp:192.0.2.12:1"), ("migrate_uri", "tcp://192.0.2.12/x?y"),
            ("migrate_uri", "tcp://"), ("migrate_uri", 5), ("migrate_uri", None)):
        error = stage.refuses("InvalidRequest", "kvm01", "live_migration", migration_id=new_id(),
                              instance=guest.name, migrate_data=dict(good, **{name: value}))
        check(name in error.message, "%r: %s" % (value, error.message))
    for host, code in (("kvm01", "DestinationNotAllowed"), ("", "InvalidRequest"),
                       (5, "InvalidRequest")):
        stage.refuses(code, "kvm01", "live_migration", migration_id=new_id(),
                      instance=guest.name, migrate_data=dict(good, host=host))
    equal(stage.controller.call("kvm01", "list_migrations", instance=guest.name), [])


def _deep(depth):
    return b'{"method": "ping", "args": {"x": ' + b"[" * depth + b"]" * depth + b"}}"


GARBAGE = (
    b"", b"\0", b"null", b"[]", b"5", b'"ping"', b"{", b"\xff\xfe", b"{}",
    b'{"method": 5, "args": {}}', b'{"method": "ping", "args": []}', b'{"method": null}',
    b'{"method": "ping", "args": {}} trailing', b'{"args": {}}',
    b'{"method": "ping", "method": "describe_host", "args": {}}',
    b'{"method": "' + b"p" * 100000 + b'", "args": {}}',
    b'{"method": "\\u0000", "args": {}}', b'{"method": "ping", "args": {"\\ud800": 1}}',
    b'{"oslo.version": "2.0"}', b'{"oslo.version": "2.0", "oslo.message": 5}',
    b'{"oslo.version": "9.0", "oslo.message": "{}"}',
    b'{"oslo.version": "2.0", "oslo.message": "{\\"method\\": [], \\"args\\": 1}"}',
    _deep(100000), b"[" * 100000, b'{"a":' * 100000, b"A" * (3 << 20), b"\0" * (3 << 20),
    b'{"method": "ping", "args": {"x": "' + b"A" * (3 << 20) + b'"}}',
    b'{"method": "live_migrate_instance", "args": {"instance": 1e999, "host": -1e999}}',
)


def garbage(stage):
    """garbage in the queue, 3 MiB of it and 100,000 levels deep, while a journey goes on"""
    said = {agent: len(agent.log()) for agent in stage.agents.values()}
    guest = stage.still(Disk("vda", GIB, data=16 * MIB))
    migration_id = stage.migrate(guest, bandwidth_mib_s=12)
    stage.recorder.wait_event("migration.running", migration_id)
    with stage.channel() as channel:
        replies = channel.queue_declare("", exclusive=True).method.queue
        for host in ("kvm01", "kvm02"):
            for body in GARBAGE:
                for kind in ("application/json", "text/plain", None):
                    channel.basic_publish(
                        "virt-ferry", "virt-ferry." + host, body,
                        pika.BasicProperties(content_type=kind, reply_to=replies,
                                             correlation_id="garbage"))
        for host in ("kvm01", "kvm02"):
            _alive(stage, host)
            queue = "virt-ferry." + host
            wait_until(lambda name=queue: channel.queue_declare(name, passive=True)
                       .method.message_count == 0, 20, "an empty queue " + queue)
    stage.completed(migration_id)
    stage.rests_on(guest, stage.destination)
    longest = max((len(line) for agent, before in said.items()
                   for line in agent.log()[before:].splitlines()), default=0)
    check(longest < 4096, "a line of %d characters in the log" % longest)


def replies_nowhere(stage):
    """calls whose answer nobody waits for, and whose reply queue is gone"""
    with stage.channel() as channel:
        for reply_to in ("gone", "", "x" * 255):
            for _ in range(5):
                channel.basic_publish(
                    "virt-ferry", "virt-ferry.kvm01",
                    b'{"method": "describe_host", "args": {}}',
                    pika.BasicProperties(content_type="application/json", reply_to=reply_to,
                                         correlation_id="c"))
    _alive(stage)


def names_with_newlines(stage):
    """names with newlines and escapes neither get through nor break the log"""
    for name in ("vm\nERROR everything is lost", "\x1b[2Jvm", "vm\r\n", "vm\u2028x", "%s%n"):
        for method in ("describe_instance", "check_can_live_migrate_source"):
            code = "InvalidRequest" if any(ord(c) < 32 for c in name) else "InstanceNotFound"
            stage.refuses(code, "kvm01", method, instance=name)
    check("\nERROR everything" not in stage.agents["kvm01"].log(), "the log has a forged line")
    check("\x1b" not in stage.agents["kvm01"].log(), "the log has an escape")


CASES = (bad_options, bad_arguments, same_order_twice, without_an_id, hostile_paths,
         hostile_instances, hostile_xml, hostile_uris, garbage, replies_nowhere,
         names_with_newlines)
