"""sshd in a host, and a key with which root of every host enters every other."""

import os
import shutil
import subprocess

_SERVER = """\
Port 22
HostKey /etc/ssh/lab_host_key
AuthorizedKeysFile /etc/ssh/lab_authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
"""

_CLIENT = """\
Host *
    User root
    IdentityFile /etc/ssh/lab_user_key
    IdentitiesOnly yes
    BatchMode yes
    ConnectTimeout 10
    UserKnownHostsFile /etc/ssh/lab_known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
"""


class Keyring:
    """One host key and one user key for a whole laboratory."""

    def __init__(self, directory):
        self.directory = directory

    def create(self):
        os.makedirs(self.directory, exist_ok=True)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab-" + name,
                            "-f", os.path.join(self.directory, name)],
                           stdin=subprocess.DEVNULL, check=True)

    def _public(self, name):
        with open(os.path.join(self.directory, name + ".pub"), encoding="ascii") as key:
            return key.read()

    def install(self, etc, names):
        """Fills a host's /etc/ssh, seen from outside at `etc`; names are all hosts' names."""
        folder = os.path.join(etc, "ssh")
        os.makedirs(folder, exist_ok=True)
        contents = {
            "sshd_config": _SERVER,
            "ssh_config": _CLIENT,
            "lab_authorized_keys": self._public("user"),
            "lab_known_hosts": "".join("%s %s" % (name, self._public("host"))
                                       for name in names),
        }
        for name, text in contents.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as out:
                out.write(text)
        for name in ("host", "user"):
            target = os.path.join(folder, "lab_%s_key" % name)
            shutil.copyfile(os.path.join(self.directory, name), target)
            os.chmod(target, 0o600)


def start_server(namespace, log_path):
    """Starts sshd inside; the end of the namespace is its end."""
    namespace.run("mkdir", "-p", "-m", "755", "/run/sshd")
    process = namespace.spawn("sshd", "/usr/sbin/sshd", "-D", "-e",
                              "-f", "/etc/ssh/sshd_config", log_path=log_path)
    namespace.wait_port(22, 10, process=process)
    return process
