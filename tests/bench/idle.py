"""The agent at rest: memory and wake-ups."""

import os
import time

from lab.lab import Lab


def _status(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def _kib(status, key):
    return int(status[key].split()[0])


def _switches(pid):
    return sum(int(_status_of_task(pid, task)["voluntary_ctxt_switches"])
               for task in os.listdir("/proc/%d/task" % pid))


def _status_of_task(pid, task):
    with open("/proc/%d/task/%s/status" % (pid, task), encoding="ascii") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def agent_pid(host):
    """The machine's PID of virt-ferryd on a host: in its PID namespace, by name."""
    wanted = os.readlink("/proc/%d/ns/pid" % host.pid)
    for name in os.listdir("/proc"):
        try:
            if (name.isdigit() and os.readlink("/proc/%s/ns/pid" % name) == wanted
                    and open("/proc/%s/comm" % name, encoding="ascii").read() == "virt-ferryd\n"):
                return int(name)
        except OSError:
            continue
    raise RuntimeError("no virt-ferryd on " + host.name)


def run(table, seconds=60):
    with Lab(hosts=("kvm01",)) as lab:
        settings = {"oslo_messaging_rabbit": {"heartbeat_timeout_threshold": None},
                    "DEFAULT": {"debug": "false"}}
        agent = lab.agent("kvm01", settings).start()
        pid = agent_pid(lab.hosts["kvm01"])
        time.sleep(20)
        before = _switches(pid)
        time.sleep(seconds)
        status = _status(pid)
        switches = _switches(pid) - before
        agent.stop()
    table.add("idle agent, private memory (RssAnon)",
              "%.1f MiB" % (_kib(status, "RssAnon") / 1024), "<= 6 MiB")
    table.add("idle agent, RSS", "%.1f MiB" % (_kib(status, "VmRSS") / 1024), "<= 28 MiB")
    table.add("idle agent, wake-ups a minute in all threads; 30 of them answer the laboratory's libvirtd, which asks every 2 s",
              "%.1f" % (switches * 60 / seconds), "heartbeats only")
