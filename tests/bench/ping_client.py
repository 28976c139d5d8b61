"""Calls `ping` alternately on the agent, a stock server and a bare echo; for latency.py."""

import json
import os
import sys
import threading
import time
import uuid

import oslo_messaging
import pika
from oslo_config import cfg


def summary(samples):
    ordered = sorted(samples)
    return [ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000]


def echo_server(parameters, ready):
    """A consumer that sends back what it gets: the broker's own share."""
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.queue_declare("echo", auto_delete=True)
    channel.confirm_delivery()

    def answer(ch, method, properties, body):
        ch.basic_ack(method.delivery_tag)
        ch.basic_publish("", properties.reply_to, body,
                         pika.BasicProperties(content_type="application/json", delivery_mode=2),
                         mandatory=True)
    channel.basic_consume("echo", answer)
    ready.set()
    channel.start_consuming()


class Raw:
    """The same message, confirmed as the library does it, without any library at the far side."""

    def __init__(self, parameters):
        self.sending = pika.BlockingConnection(parameters).channel()
        self.sending.confirm_delivery()
        self.channel = pika.BlockingConnection(parameters).channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.replies = self.channel.consume(self.queue, auto_ack=True)

    def call(self):
        body = json.dumps({"oslo.version": "2.0", "oslo.message": json.dumps(
            {"method": "ping", "args": {}, "_msg_id": uuid.uuid4().hex})})
        begun = time.perf_counter()
        self.sending.basic_publish("", "echo", body, pika.BasicProperties(
            content_type="application/json", reply_to=self.queue, delivery_mode=2))
        next(self.replies)
        return time.perf_counter() - begun


def oslo_call(conf, url, topic, server):
    transport = oslo_messaging.get_rpc_transport(conf, url=url)
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(
        exchange="virt-ferry", topic=topic, server=server, version="1.0"), timeout=10)

    def call():
        begun = time.perf_counter()
        client.call({}, "ping")
        return time.perf_counter() - begun
    return call


def main():
    url, calls = sys.argv[1], int(sys.argv[2])
    conf = cfg.CONF
    conf([], project="bench", default_config_files=[], default_config_dirs=[])
    parameters = pika.URLParameters(url.replace("rabbit://", "amqp://"))
    ready = threading.Event()
    threading.Thread(target=echo_server, args=(parameters, ready), daemon=True).start()
    ready.wait(10)
    ways = {"echo": Raw(parameters).call,
            "ferry": oslo_call(conf, url, "virt-ferry", "kvm01"),
            "stock": oslo_call(conf, url, "stock", "stock")}
    samples = {name: [] for name in ways}
    for name, call in ways.items():
        for _ in range(50):
            call()
    for _ in range(calls):
        for name, call in ways.items():
            samples[name].append(call())
    print(json.dumps({name: summary(values) for name, values in samples.items()}), flush=True)
    os._exit(0)


main()
