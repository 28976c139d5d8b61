"""A stock oslo.messaging server that answers `ping` with a constant; for latency.py."""

import sys
import time

import oslo_messaging
from oslo_config import cfg

ANSWER = {"host": "stock", "version": "0", "api_version": "1.0", "started_at": "",
          "libvirt_connected": True}


class Endpoint:
    target = oslo_messaging.Target(version="1.0")

    @staticmethod
    def ping(_context):
        return ANSWER


def main():
    conf = cfg.CONF
    conf([], project="stock", default_config_files=[], default_config_dirs=[])
    transport = oslo_messaging.get_rpc_transport(conf, url=sys.argv[1])
    server = oslo_messaging.get_rpc_server(
        transport, oslo_messaging.Target(exchange="virt-ferry", topic="stock", server="stock"),
        [Endpoint()], executor="threading")
    server.start()
    print("serving", flush=True)
    time.sleep(3600)


main()
