"""What virt-ferryd's unit leaves the agent, for one that runs without systemd (confined.py).

The numbers are the unit's own, from etc/virt-ferryd.service.in: user and mask of modes, what it may
write to, the system calls, and of their arguments those that the unit's other lines are about:
families of addresses, namespaces, memory to write and execute, set-user-ID bits. The filters are
compiled once and kept in a laboratory's folder.
"""

import ctypes
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAUNCHER = os.path.join(TOP, "tests", "lab", "confined.py")
USER = "virt-ferry"
HOME = "/var/lib/virt-ferry"
# Where a host shows its agents the program.
PROGRAM = "/run/virt-ferryd"
_UNIT = os.path.join(TOP, "etc", "virt-ferryd.service.in")

# Keys of the unit's [Service]. These are given, by the values that the unit says.
_READ = {"UMask", "ReadWritePaths", "RestrictAddressFamilies", "SystemCallFilter"}
# These are given with these values alone.
_GIVEN = {"User": [USER], "Group": [USER], "ProtectSystem": ["strict"], "NoNewPrivileges": ["yes"],
          "CapabilityBoundingSet": [], "ProtectKernelTunables": ["yes"],
          "ProtectProc": ["invisible"], "LimitCORE": ["0"], "PrivateMounts": ["yes"],
          "RestrictNamespaces": ["yes"], "RestrictSUIDSGID": ["yes"],
          "MemoryDenyWriteExecute": ["yes"], "SystemCallErrorNumber": ["EPERM"]}
# And these by a host that boots alone (--service): the manager's own, and what an agent never does.
_LEFT = {"Type", "ExecCondition", "ExecStartPre", "ExecStart", "Restart", "RestartSec",
         "RestartPreventExitStatus", "TimeoutStopSec", "WatchdogSec", "StateDirectory",
         "StateDirectoryMode", "LogsDirectory", "LogsDirectoryMode", "MemoryMax", "ProtectHome",
         "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups", "ProtectClock",
         "ProtectHostname", "RemoveIPC", "RestrictRealtime", "LockPersonality",
         "SystemCallArchitectures"}

_ALLOW = 0x7fff0000
_ERRNO = 0x00050000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_GREATER, _EQUAL, _MASKED = 6, 4, 7

_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
_FAMILIES_MAX = 63
_NEW_NAMESPACE = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000,
                  0x40000000)
_WRITE, _EXECUTE, _SHM_EXECUTE = 2, 4, 0o100000
# Which argument is the mode of what is made or changed.
_MODE_AT = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "creat": 1, "mkdir": 1,
            "mkdirat": 2, "mknod": 1, "mknodat": 2}
_SET_ID_BITS = (0o4000, 0o2000)


class _Argument(ctypes.Structure):
    """struct scmp_arg_cmp"""
    _fields_ = (("number", ctypes.c_uint), ("how", ctypes.c_int), ("first", ctypes.c_uint64),
                ("second", ctypes.c_uint64))


class _Filter:
    """A filter of system calls for this machine's architecture, by libseccomp."""

    def __init__(self, default):
        self._library = ctypes.CDLL("libseccomp.so.2")
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(default))

    def rule(self, action, name, *arguments):
        """A call that the library does not know, this machine does not have."""
        call = self._library.seccomp_syscall_resolve_name(name.encode())
        if call < 0:
            return
        done = self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), call, len(arguments),
            (_Argument * len(arguments))(*arguments))
        if done != 0:
            raise OSError(-done, "the rule of %s" % name)

    def save(self, path):
        with open(path, "wb") as out:
            if self._library.seccomp_export_bpf(self._context, out.fileno()) != 0:
                raise RuntimeError("the filter of system calls cannot be made")
        self._library.seccomp_release(self._context)


def _masked(number, bits):
    return _Argument(number, _MASKED, bits, bits)


def settings(unit=None):
    """{key: [words]} of the [Service] of a unit's text, of virt-ferryd's where none is told; a key
    that comes again adds to its words. ValueError: one that is not given here."""
    if unit is None:
        with open(_UNIT, encoding="utf-8") as file:
            unit = file.read()
    service = re.search(r"^\[Service\]$(.*?)(?=^\[|\Z)", unit, re.MULTILINE | re.DOTALL).group(1)
    found = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", service, re.MULTILINE):
        found.setdefault(key, []).extend(value.split())
    strange = sorted(set(found) - _READ - set(_GIVEN) - _LEFT)
    other = sorted(key for key, words in _GIVEN.items() if found.get(key) != words)
    if strange or other:
        raise ValueError("the laboratory does not give an agent what the unit says by %s: change "
                         "tests/lab/confined.py and unit.py with it" % ", ".join(strange + other))
    return found


def _groups():
    """{"@group": [system calls and groups]} as systemd has them."""
    found = {}
    said = subprocess.run(["systemd-analyze", "syscall-filter"], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    for line in said.splitlines():
        word = line.strip()
        if line.startswith("@"):
            group = found.setdefault(word, [])
        elif line.startswith("#"):
            # What the kernel has and no group.
            group = []
        elif word and not word.startswith("#"):
            group.append(word)
    return found


def _calls(groups, words):
    """The system calls that words mean, each a call or a group of words."""
    found = set()
    for word in words:
        found |= _calls(groups, groups[word]) if word.startswith("@") else {word}
    return found


def _allowed_calls(words):
    """A group, or several, of which those after a '~' are taken away."""
    allowed, taken, denying = [], [], False
    for word in words:
        denying = denying or word.startswith("~")
        (taken if denying else allowed).append(word.lstrip("~"))
    groups = _groups()
    return _calls(groups, allowed) - _calls(groups, taken)


def _filter_arguments(unit):
    made = _Filter(_ALLOW)
    allowed = {_FAMILIES[word] for word in unit["RestrictAddressFamilies"]}
    refused = _ERRNO | _EAFNOSUPPORT
    for family in set(range(_FAMILIES_MAX + 1)) - allowed:
        made.rule(refused, "socket", _Argument(0, _EQUAL, family))
    made.rule(refused, "socket", _Argument(0, _GREATER, _FAMILIES_MAX))
    refused = _ERRNO | _EPERM
    for flag in _NEW_NAMESPACE:
        for name in ("clone", "unshare"):
            made.rule(refused, name, _masked(0, flag))
    made.rule(refused, "setns")
    made.rule(_ERRNO | _ENOSYS, "clone3")
    made.rule(refused, "mmap", _masked(2, _WRITE | _EXECUTE))
    for name in ("mprotect", "pkey_mprotect"):
        made.rule(refused, name, _masked(2, _EXECUTE))
    made.rule(refused, "shmat", _masked(2, _SHM_EXECUTE))
    for bit in _SET_ID_BITS:
        for name, number in _MODE_AT.items():
            made.rule(refused, name, _masked(number, bit))
        made.rule(refused, "open", _masked(1, os.O_CREAT), _masked(2, bit))
        made.rule(refused, "openat", _masked(2, os.O_CREAT), _masked(3, bit))
    made.rule(_ERRNO | _ENOSYS, "openat2")
    return made


# What the packages do at their installation, by their own files; {etc} is where the folders of the
# package's files for users and for modes are.
PREPARE = """
mkdir -p {etc}/sysusers.d {etc}/tmpfiles.d
cp {top}/etc/virt-ferry.sysusers {etc}/sysusers.d/virt-ferry.conf
systemd-sysusers virt-ferry.conf
sed 's|@sysconfdir@|/etc|' {top}/etc/virt-ferry.tmpfiles.in >{etc}/tmpfiles.d/virt-ferry.conf
sed 's|#DEBHELPER#|systemd-tmpfiles --create virt-ferry.conf|' {top}/debian/virt-ferryd.postinst |
    sh -s configure
"""
# And what beside makes a service of a host that boots.
SERVE = """
mkdir -p /etc/virt-ferry
cp {top}/etc/virt-ferryd.conf /etc/virt-ferry/
cp {program} /usr/sbin/virt-ferryd
cp {top}/etc/60-virt-ferry.rules /usr/share/polkit-1/rules.d/
sed -e 's|@sbindir@|/usr/sbin|g' -e 's|@sysconfdir@|/etc|g' -e 's|@SERVICE_TYPE@|notify|' \\
    {top}/etc/virt-ferryd.service.in >/etc/systemd/system/virt-ferryd.service
"""


def confinement(host, writable, confined):
    """What confined.py is told of an agent of this host: lines of words. writable: folders beside
    the unit's; confined: (program, filters), of which a wrapper has none."""
    unit = settings()
    program, filters = confined
    uid, gid = host.user_ids(USER)
    paths = [path.lstrip("-") for path in unit["ReadWritePaths"]]
    lines = [("user", USER, str(uid), str(gid), unit["UMask"][0])]
    lines += [("writable", path) for path in (*paths, *writable)]
    lines += [("filter", path) for path in filters]
    lines += [("program", program, PROGRAM)] if program else []
    return "\n".join("\t".join(words) for words in lines)


def filters_in(folder):
    """Paths of the filters of a laboratory, in the order they are loaded in."""
    return [os.path.join(folder, name) for name in ("filter-arguments", "filter-calls")]


def write_filters(folder):
    """Makes the filters of a laboratory."""
    unit = settings()
    calls = _Filter(_ERRNO | _EPERM)
    for name in sorted(_allowed_calls(unit["SystemCallFilter"])):
        calls.rule(_ALLOW, name)
    for made, path in zip((_filter_arguments(unit), calls), filters_in(folder)):
        made.save(path)
