"""Latencies: ping against a stock server and a bare echo; an order against one fsync."""

import json
import os
import subprocess
import tempfile
import time
import uuid

import pika

from lab.lab import Disk, Lab

from figures import median, percentile

HERE = os.path.dirname(os.path.abspath(__file__))


def _in_hub(lab, *words):
    """Runs a Python program of this folder beside the broker; returns its last line as JSON."""
    done = lab.hub.run("/usr/bin/python3", *words, timeout=300)
    return json.loads(done.stdout.strip().splitlines()[-1])


def ping(table, calls=1000):
    with Lab(hosts=("kvm01",), libvirtd=True) as lab:
        controller = lab.controller()
        agent = lab.agent("kvm01", {"DEFAULT": {"debug": "false"}}).start()
        stock = subprocess.Popen(
            [*lab.hub.prefix(), "/usr/bin/python3", os.path.join(HERE, "stock_server.py"),
             controller.url], stdout=subprocess.PIPE, text=True)
        stock.stdout.readline()
        try:
            figures = _in_hub(lab, os.path.join(HERE, "ping_client.py"), controller.url,
                              str(calls))
        finally:
            stock.kill()
            stock.wait()
        agent.stop()
    floor = figures["echo"]
    for name in ("echo", "ferry", "stock"):
        table.add("ping, %s: median / 99th percentile" % {
            "echo": "bare AMQP echo (the floor)", "ferry": "virt-ferryd",
            "stock": "stock oslo.messaging server"}[name],
            "%.2f / %.2f ms" % tuple(figures[name]), "%d calls" % calls)
    for index, name in enumerate(("median", "99th percentile")):
        share = (figures["ferry"][index] - floor[index]) / (figures["stock"][index] - floor[index])
        table.add("ping, agent's share over the stock server's, " + name, "%.2f" % share,
                  "<= 0.5")


def _fsync_ms(folder, times=100):
    samples = []
    with tempfile.NamedTemporaryFile(dir=folder) as out:
        for _ in range(times):
            begun = time.monotonic()
            os.write(out.fileno(), b"x" * 4096)
            os.fsync(out.fileno())
            samples.append((time.monotonic() - begun) * 1000)
    return median(samples)


def order(table, times=100):
    """Orders that are accepted and journaled like any other, and fail in the checks soon after: a
    foreign file is in the way."""
    with Lab() as lab:
        controller = lab.controller()
        agents = [lab.agent(name, {"DEFAULT": {"debug": "false"}}).start() for name in lab.hosts]
        guest = lab.guest("kvm01", "vm1", [Disk("vda", capacity=64 << 20)], memory_mib=96)
        guest.create_images().start()
        guest.disks[0].create_empty(lab.hosts["kvm02"])
        samples, pings = [], []
        with lab.hub.network():
            connection = pika.BlockingConnection(pika.URLParameters(
                controller.url.replace("rabbit://", "amqp://")))
            channel = connection.channel()
            queue = channel.queue_declare("", exclusive=True).method.queue

            def call(method, **args):
                begun = time.monotonic()
                channel.basic_publish(controller.exchange, "virt-ferry.kvm01", json.dumps(
                    {"method": method, "args": args}), pika.BasicProperties(
                        content_type="application/json", reply_to=queue))
                for _method, _properties, body in channel.consume(queue, auto_ack=True):
                    return (time.monotonic() - begun) * 1000, json.loads(body)

            recorder = controller.recorder()
            for _ in range(times):
                identity = str(uuid.uuid4())
                pings.append(call("ping")[0])
                took, answer = call("live_migrate_instance", instance="vm1", host="kvm02",
                                    migration_id=identity)
                assert "result" in answer, answer
                samples.append(took)
                recorder.wait_terminal(identity)
            connection.close()
        fsync = _fsync_ms(agents[0].state_path)
        for agent in agents:
            agent.stop()
    took, round_trip = median(samples), median(pings)
    table.add("order answered (journaled with full sync)", "%.2f ms" % took,
              "median of %d" % times)
    table.add("fsync of 4 KiB / round trip (ping)", "%.2f / %.2f ms" % (fsync, round_trip), "")
    table.add("order over 2 x fsync + round trip", "%.2f" % (took / (2 * fsync + round_trip)),
              "<= 1")
