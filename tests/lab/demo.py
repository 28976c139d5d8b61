"""The main job, shown: a guest with a thin disk moves between two hosts of a laboratory."""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# pylint: disable=wrong-import-position
from lab import program  # noqa: E402
from lab.images import MIB  # noqa: E402
from lab.lab import Disk, Lab, end_on_signals  # noqa: E402


def say(text):
    print("\n==> " + text, flush=True)


def ferry(lab, controller, *words):
    """Runs virt-ferry beside the broker, on this terminal."""
    shown = "virt-ferry " + " ".join(words)
    print("$ " + shown, flush=True)
    command = [*lab.hub.prefix(), program.find("virt-ferry"), "--transport-url", controller.url,
               *words]
    return subprocess.run(command, check=False).returncode


def main():
    end_on_signals()
    say("Bringing the laboratory up: kvm01, kvm02 and a broker")
    with Lab() as lab:
        guest = lab.guest("kvm01", "vm1", [Disk("vda", data=300 * MIB)], memory_mib=256)
        say("Starting the guest 'vm1' on kvm01: 20 GiB thin disk, 300 MiB of data")
        guest.create_images().start().wait_number(10)
        print("It has numbered %d writes." % guest.number())

        controller = lab.controller()
        agents = [lab.agent(name).start() for name in lab.hosts]
        say("The agents answer")
        ferry(lab, controller, "hosts")

        say("Moving it")
        status = ferry(lab, controller, "migrate", "vm1", "--from", "kvm01", "--to", "kvm02")
        if status != 0:
            for agent in agents:
                print(agent.log())
            return status

        guest.moved_to(lab.hosts["kvm02"]).wait_counting(20)
        say("On kvm02 it counts on: write number %d" % guest.number())
        complaints = guest.complaints()
        for complaint in complaints:
            print(complaint)
        print("Checked on console and disk: %s." %
              ("something is missing" if complaints else
               "every number is there, none is missing, none came twice"))
        print(lab.hosts["kvm02"].virsh("list", "--all"))
        say("Taking everything down")
        for agent in agents:
            agent.stop()
    print("Nothing is left.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
