"""Programs of stock oslo.messaging by fork: its import, a second of a processor, is made once.

Started by probe.py with one end of a socket as standard input. Each message is a JSON list, the
arguments of oslo_probe.py, and a folder to import from or null; with it come three files: standard
output, standard error, and where the PID and then the exit code are told, a line each.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import traceback

import oslo_probe

PR_SET_PDEATHSIG = 1
MESSAGE_BYTES = 2 << 20


def _be_probe(arguments, modules, files):
    output, errors, told = files
    # Nobody else knows of it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.write(told, b"%d\n" % os.getpid())
    if modules:
        sys.path.insert(1, modules)
    try:
        status = oslo_probe.main(arguments)
    except SystemExit as leaving:
        status = leaving.code
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(told, b"%d\n" % status)
    oslo_probe.finish(status)


def main():
    # Its children are awaited by those who read what they tell.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    requests = socket.socket(fileno=os.dup(0))
    while True:
        text, files, _flags, _address = socket.recv_fds(requests, MESSAGE_BYTES, 3)
        if not text:
            return
        if os.fork() == 0:
            requests.close()
            _be_probe(*json.loads(text), files)
        for each in files:
            os.close(each)


if __name__ == '__main__':
    main()
