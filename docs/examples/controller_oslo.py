#!/usr/bin/python3
"""Moves an instance with stock oslo.messaging, shows its way, and exits with the outcome.

    controller_oslo.py rabbit://user:password@broker:5672/ web1 kvm01 kvm02

Exit status: 0 completed, 1 failed, refused or in error, 3 cancelled, 4 no answer.
"""

import argparse
import os
import queue
import sys
import uuid

import oslo_messaging
from oslo_config import cfg

TERMINAL = {"completed": 0, "failed": 1, "error": 1, "cancelled": 3}
PATIENCE_S = 30


class Listener:
    """Hears the notifications of one migration's source."""

    def __init__(self, transport, exchange, source, migration_id):
        self.heard = queue.Queue()
        self.filter_rule = oslo_messaging.NotificationFilter(
            publisher_id=r"^virt-ferryd\.%s$" % source, payload={"migration_id": migration_id})
        # A pool is a queue of one's own: without it all listeners of the site share one.
        self.server = oslo_messaging.get_notification_listener(
            transport, [oslo_messaging.Target(exchange=exchange, topic="notifications")], [self],
            executor="threading", pool="example-controller")

    def info(self, _context, _publisher, event_type, payload, _metadata):
        self.heard.put((event_type, payload))

    # "failed" and "error" come with this priority, progress with the other.
    error = info
    sample = info


def order(client, source, **arguments):
    """Gives the order. The id makes a repetition harmless, so a lost answer is no problem."""
    for attempt in range(3):
        try:
            return client.prepare(server=source).call({}, "live_migrate_instance", **arguments)
        except oslo_messaging.MessagingTimeout:
            print("no answer from %s yet (%d)" % (source, attempt + 1), flush=True)
    return None


def show(event_type, payload):
    progress = payload["progress"] or {}
    rate = (progress.get("throughput_bytes_s") or 0) / 2**20
    print("%-24s %-14s %-10s %3d %%  %4d MiB/s" % (
        event_type, payload["status"], payload["phase"] or "-", progress.get("percent") or 0,
        rate), flush=True)


def follow(listener, client, source, migration_id):
    """Shows events until one tells of the end; after a silence the source is asked."""
    while True:
        try:
            event_type, payload = listener.heard.get(timeout=PATIENCE_S)
        except queue.Empty:
            event_type, payload = "(asked)", client.prepare(server=source).call(
                {}, "get_migration", migration_id=migration_id)
        show(event_type, payload)
        if payload["status"] in TERMINAL:
            return payload


def move(client, listener, arguments, migration_id):
    try:
        answer = order(client, arguments.source, instance=arguments.instance,
                       host=arguments.destination, migration_id=migration_id,
                       options={"progress_interval_s": 0.5})
    except oslo_messaging.RemoteError as refused:
        print("refused: %s: %s" % (refused.exc_type, refused.value))
        return 1
    if answer is None:
        return 4
    print("migration %(migration_id)s is %(status)s" % answer, flush=True)
    end = follow(listener, client, arguments.source, migration_id)
    if end["error"]:
        print("%(code)s: %(message)s\n%(hint)s" % end["error"])
    for disk in (end["report"] or {}).get("disks", []):
        print("disk %(target)s: %(allocation_before_bytes)s bytes before, "
              "%(allocation_after_bytes)s after, of %(capacity_bytes)s" % disk)
    return TERMINAL[end["status"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--exchange", default="virt-ferry")
    for name in ("url", "instance", "source", "destination"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    migration_id = str(uuid.uuid4())

    conf = cfg.CONF
    conf([], project="virt-ferry-example", default_config_files=[], default_config_dirs=[])
    listener = Listener(oslo_messaging.get_notification_transport(conf, url=arguments.url),
                        arguments.exchange, arguments.source, migration_id)
    client = oslo_messaging.get_rpc_client(
        oslo_messaging.get_rpc_transport(conf, url=arguments.url),
        oslo_messaging.Target(exchange=arguments.exchange, topic="virt-ferry", version="1.0"),
        timeout=20)
    # Listening comes first: no event of this migration is missed.
    listener.server.start()
    status = move(client, listener, arguments, migration_id)
    listener.server.stop()
    listener.server.wait()
    sys.stdout.flush()
    # The library's own threads would keep the process for some seconds more.
    os._exit(status)


if __name__ == "__main__":
    main()
