#!/usr/bin/python3
"""Moves an instance with bare JSON over AMQP, shows its way, and exits with the outcome.

    controller_bare.py amqp://user:password@broker:5672/%2F web1 kvm01 kvm02

Nothing here belongs to Python: a client for AMQP 0-9-1 and one for JSON are all it takes.
Exit status: 0 completed, 1 failed, refused or in error, 3 cancelled, 4 no answer.
"""

import argparse
import json
import sys
import uuid

import pika
import pika.exceptions

TERMINAL = {"completed": 0, "failed": 1, "error": 1, "cancelled": 3}
PATIENCE_S = 30


class Agent:
    """One agent, asked in bare JSON."""

    def __init__(self, channel, exchange, host):
        self.channel = channel
        self.exchange = exchange
        self.host = host
        self.replies = channel.queue_declare("", exclusive=True).method.queue

    def call(self, method, **args):
        correlation = uuid.uuid4().hex
        self.channel.basic_publish(
            self.exchange, "virt-ferry." + self.host,
            json.dumps({"method": method, "args": args}),
            pika.BasicProperties(content_type="application/json", delivery_mode=2,
                                 reply_to=self.replies, correlation_id=correlation),
            mandatory=True)
        for _method, properties, body in self.channel.consume(
                self.replies, auto_ack=True, inactivity_timeout=PATIENCE_S):
            if properties is None:
                raise TimeoutError("%s did not answer" % self.host)
            if properties.correlation_id == correlation:
                self.channel.cancel()
                return json.loads(body)


def listen(channel, exchange):
    """A queue of its own for every notification from now on."""
    events = channel.queue_declare("", exclusive=True).method.queue
    for priority in ("info", "error", "sample"):
        channel.queue_bind(events, exchange, "notifications." + priority)
    return events


def notification(body):
    """Notifications come in oslo.messaging's envelope: JSON in a string in JSON."""
    return json.loads(json.loads(body)["oslo.message"])


def show(event_type, payload):
    progress = payload["progress"] or {}
    rate = (progress.get("throughput_bytes_s") or 0) / 2**20
    print("%-24s %-14s %-10s %3d %%  %4d MiB/s" % (
        event_type, payload["status"], payload["phase"] or "-", progress.get("percent") or 0,
        rate), flush=True)


def follow(agent, events, migration_id):
    """Shows events until one tells of the end; after a silence the source is asked."""
    while True:
        for _method, properties, body in agent.channel.consume(
                events, auto_ack=True, inactivity_timeout=PATIENCE_S):
            if properties is None:
                break
            event = notification(body)
            payload = event["payload"]
            if (payload.get("migration_id") == migration_id and
                    event["publisher_id"] == "virt-ferryd." + agent.host):
                show(event["event_type"], payload)
                if payload["status"] in TERMINAL:
                    return payload
        agent.channel.cancel()
        answer = agent.call("get_migration", migration_id=migration_id)
        if answer.get("result", {}).get("status") in TERMINAL:
            return answer["result"]


def move(channel, arguments):
    migration_id = str(uuid.uuid4())
    # Listening comes first: no event of this migration is missed.
    events = listen(channel, arguments.exchange)
    agent = Agent(channel, arguments.exchange, arguments.source)
    answer = agent.call("live_migrate_instance", instance=arguments.instance,
                        host=arguments.destination, migration_id=migration_id,
                        options={"progress_interval_s": 0.5})
    if "error" in answer:
        print("refused: %(code)s: %(message)s" % answer["error"])
        return 1
    print("migration %(migration_id)s is %(status)s" % answer["result"], flush=True)
    end = follow(agent, events, migration_id)
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
    connection = pika.BlockingConnection(pika.URLParameters(arguments.url))
    channel = connection.channel()
    # With confirms and the mandatory flag a message without a queue comes back at once.
    channel.confirm_delivery()
    try:
        status = move(channel, arguments)
    except pika.exceptions.UnroutableError:
        print("no agent serves %s" % arguments.source)
        status = 4
    except TimeoutError as silence:
        print(silence)
        status = 4
    connection.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
