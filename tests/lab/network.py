"""Two separate links between the hosts: one for migrations, one for messages.

Each link is a bridge in a namespace of its own, with a veth pair to every host, so the machine's
own network sees nothing of them.
"""

from .namespace import Namespace

MIGRATION = "migration"
CONTROL = "control"

# Documentation addresses (RFC 5737): they mean nothing outside the namespaces.
SUBNETS = {MIGRATION: "192.0.2.", CONTROL: "198.51.100."}
INTERFACES = {MIGRATION: "mig0", CONTROL: "ctl0"}


class Network:
    """The switch: bridges, ports, and what can be done to a port."""

    def __init__(self, switch=None):
        self.switch = switch or Namespace("switch")

    def start(self, keep_open=()):
        self.switch.start(keep_open)
        script = ["ip link set lo up"]
        for link in SUBNETS:
            # No spanning tree and no snooping: a port forwards from its first packet on.
            script += ["ip link add %s type bridge stp_state 0 mcast_snooping 0" % link,
                       "ip link set %s up" % link]
        self.switch.run_network_script(script)

    def stop(self):
        self.switch.stop()

    def attach(self, namespace, link, number):
        """Plugs a namespace into a link as host `number`; returns its address."""
        address = SUBNETS[link] + str(number)
        interface = INTERFACES[link]
        port = self.port(namespace.name, link)
        self.switch.run_network_script([
            "ip link add %s type veth peer name %s netns %d"
            % (port, interface, namespace.pid),
            "ip link set %s master %s" % (port, link),
            "ip link set %s up" % port])
        namespace.run_network_script([
            "ip link set lo up",
            "ip addr add %s/24 dev %s" % (address, interface),
            "ip link set %s up" % interface])
        return address

    @staticmethod
    def port(name, link):
        """The switch's end of the cable to a host: at most 15 characters."""
        return "%s-%s" % (link[:3], name[:11])

    def cut(self, name, link=MIGRATION):
        """Pulls a host's cable."""
        self.switch.run("ip", "link", "set", self.port(name, link), "down")

    def heal(self, name, link=MIGRATION):
        self.switch.run("ip", "link", "set", self.port(name, link), "up")

    def limit(self, namespace, mbit_s, link=MIGRATION):
        """Makes a host's cable slow, in both directions."""
        shape = ["root", "tbf", "rate", "%gmbit" % mbit_s, "burst", "256kb", "latency", "100ms"]
        self.switch.run("tc", "qdisc", "replace", "dev", self.port(namespace.name, link), *shape)
        namespace.run("tc", "qdisc", "replace", "dev", INTERFACES[link], *shape)

    def unlimit(self, namespace, link=MIGRATION):
        for where, device in ((self.switch, self.port(namespace.name, link)),
                              (namespace, INTERFACES[link])):
            where.run("tc", "qdisc", "del", "dev", device, "root", check=False)

    def sent_bytes(self, namespace, link=MIGRATION):
        """What a host has put on the link since it was plugged in."""
        counter = "/sys/class/net/%s/statistics/tx_bytes" % INTERFACES[link]
        return int(namespace.output("cat", counter))
