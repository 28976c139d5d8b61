#!/usr/bin/python3
"""One call by stock oslo.messaging: the order on standard input, the answer on standard output.

A process of its own, because the library starts threads that have to live in the namespace.
"""

import json
import os
import sys
import tempfile

import oslo_messaging
from oslo_config import cfg


def main():
    order = json.load(sys.stdin)
    conf = cfg.CONF
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write("[oslo_messaging_rabbit]\n")
        settings.writelines("%s = %s\n" % item for item in order["settings"].items())
        settings.flush()
        conf([], project="lab", version="1", default_config_files=[settings.name],
             default_config_dirs=[])
    transport = oslo_messaging.get_rpc_transport(conf, url=order["url"])
    target = oslo_messaging.Target(exchange=order["exchange"], topic=order["topic"],
                                   server=order["server"], version="1.0")
    client = oslo_messaging.get_rpc_client(transport, target, timeout=order["timeout"])
    try:
        answer = {"result": client.call({}, order["method"], **order["args"])}
    except oslo_messaging.RemoteError as error:
        answer = {"error": {"code": error.exc_type, "message": error.value}}
    except oslo_messaging.MessagingTimeout as error:
        answer = {"error": {"code": "MessagingTimeout", "message": str(error)}}
    json.dump(answer, sys.stdout)
    sys.stdout.flush()
    # The library's own threads would keep the process for some more seconds.
    os._exit(0)


if __name__ == "__main__":
    main()
