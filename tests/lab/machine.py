"""What a laboratory could leave on the machine, to be compared before and after."""

import os
import subprocess
import tempfile

# Folders of the machine that a host has its own of.
_WATCHED = ("/etc/libvirt", "/etc/pki", "/etc/ssh", "/var/lib/libvirt", "/var/log/libvirt",
            "/var/cache/libvirt", "/run/libvirt", "/run/sshd", "/var/lib/rabbitmq",
            "/var/log/rabbitmq")


def _files(folder):
    found = {}
    for top, _folders, names in os.walk(folder):
        found[top] = None
        for name in names:
            path = os.path.join(top, name)
            info = os.lstat(path)
            found[path] = (info.st_size, info.st_mtime_ns)
    return found


def _output(*words):
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE).stdout


def picture():
    """Mounts, interfaces, named namespaces and files, by name."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        mounted = sorted(line.split()[4] for line in mounts)
    links = sorted(line.split(":")[1].strip() for line in _output("ip", "-o", "link").splitlines())
    files = {}
    for folder in _WATCHED:
        files.update(_files(folder))
    return {"mounts": mounted, "links": links, "netns": _output("ip", "netns", "list"),
            "files": files, "host name": os.uname().nodename}


def folders():
    """Folders of laboratories and brokers in the place for temporary files."""
    return {name for name in os.listdir(tempfile.gettempdir())
            if name.startswith(("virt-ferry-", "ferry-broker-"))}


def difference(before, after):
    """What has changed between two pictures, in words; empty when nothing has."""
    return ["%s: %r became %r" % (name, before[name], after[name]) if name != "files"
            else "files: %s" % sorted(set(before[name].items()) ^ set(after[name].items()))
            for name in before if before[name] != after[name]]
