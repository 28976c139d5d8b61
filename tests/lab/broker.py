#!/usr/bin/python3
"""A private RabbitMQ node: started, frozen, killed and taken away again by a test.

Everything it needs lies under one folder of its own (data, log, cookie, list of plugins), and its
name, ports and port mapper are its own too, so it meets no broker that may already run on the
machine. Run as root it drops to the user "rabbitmq", otherwise it stays who it is.

    with Broker() as broker:
        url = broker.url()
        broker.table('list_queues', ['name', 'consumers'])

As a program it starts one node, prints its URL and runs until it is interrupted:

    tests/lab/broker.py [--address A] [--port P]
"""

import argparse
import atexit
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PROGRAMS = '/usr/lib/rabbitmq/bin'
STARTED = 'Server startup complete'

# How the node lists things itself: of each a list of {column, value}.
LISTS = {
    'list_queues': 'rabbit_amqqueue:info_all({vhost}, [{columns}])',
    'list_exchanges': 'rabbit_exchange:info_all({vhost}, [{columns}])',
    'list_bindings': 'rabbit_binding:info_all({vhost}, [{columns}])',
    'list_consumers': 'rabbit_amqqueue:consumers_all({vhost})',
    'list_connections': 'rabbit_networking:connection_info_all([{columns}])',
}
PRINT_ROWS = """
Text = fun({{resource, _, _, Name}}) -> Name;
          (Value) when is_binary(Value) -> Value;
          (Value) -> io_lib:format("~0p", [Value]) end,
[io:put_chars([lists:join("\\t", [Text(proplists:get_value(Column, Row))
                                || Column <- [{columns}]]), "\\n"]) || Row <- {rows}],
ok"""
# The program without the plugins that no test enables, and what only they need: a node looks for
# each of a thousand modules in the folders of all, which is half of the time that its start takes.
LINK_PROGRAM = """
home=$(dirname "$(dirname "$(readlink -f "$1/rabbitmq-server")")")
mkdir -p "$0/plugins"
ln -sfn "$home/sbin" "$home/escript" "$0"
for application in "$home"/plugins/*; do
    case ${application##*/} in
    rabbitmq_prelaunch-*) ;;
    rabbitmq_* | cowboy-* | cowlib-* | gun-* | eetcd-* | prometheus-*) continue ;;
    esac
    ln -sfn "$application" "$0/plugins"
done
"""
BY_A_TEST = '<<"test">>'


def binary(text):
    """Text as Erlang writes a binary."""
    return '<<"%s">>' % text.replace('\\', r'\\').replace('"', r'\"')


class BrokerError(Exception):
    """The node did not do what it was told; the message carries the end of its log."""


def free_port(address='127.0.0.1'):
    with socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Tls:
    """Where the node finds its certificate and what it asks of clients."""

    def __init__(self, ca, cert, key, port=0, client_certificate=False):
        self.ca, self.cert, self.key = ca, cert, key
        self.port = port
        self.client_certificate = client_certificate


class PortMapper:
    """Erlang's epmd; the nodes of one cluster share one."""

    def __init__(self, address='127.0.0.1', port=0, prefix=()):
        self.address = address
        self.prefix = list(prefix)
        self.port = port or (4369 if self.prefix else free_port(address))
        self.process = None

    def start(self):
        if self.process:
            return
        self.process = subprocess.Popen(
            self.prefix + drop_root() + ['epmd', '-port', str(self.port), '-address', self.address],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd='/', start_new_session=True)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def drop_root():
    """The command that turns root into "rabbitmq" and ties the child's life to ours."""
    command = ['setpriv']
    if threading.current_thread() is threading.main_thread():
        # The signal comes when the thread that forked ends, so it is of no use to a worker.
        command += ['--pdeathsig', 'KILL']
    if os.geteuid() == 0:
        # By numbers: a root of another release may give the name another one.
        user = pwd.getpwnam('rabbitmq')
        command += ['--reuid', str(user.pw_uid), '--regid', str(user.pw_gid), '--clear-groups']
    return command if len(command) > 1 else []


class Broker:
    """One node.

    address   where it listens, for clients and for other nodes
    port      0 takes a free one (5672 with a prefix, since a namespace is all its own)
    prefix    a command that every process of the node is run under, for example
              ["ip", "netns", "exec", "hub"]
    folder    where its files lie; kept by stop() when given, else temporary
    node      name before the "@"; host the name behind it, which must resolve
    mapper    a PortMapper shared with the other nodes of a cluster
    cookie    the same for all nodes of a cluster
    settings  further lines of rabbitmq.conf, as a dict
    """

    _living = set()

    def __init__(self, address='127.0.0.1', port=0, prefix=(), folder=None, node=None,
                 host='localhost', mapper=None, cookie=None, tls=None, settings=None):
        self.address, self.prefix = address, list(prefix)
        self.host, self.tls = host, tls
        self.port = port or (5672 if self.prefix else free_port(address))
        self.node = '%s@%s' % (node or 'ferry-%d-%d' % (os.getpid(), self.port), host)
        # Other nodes and rabbitmqctl reach this one by the name behind the "@".
        self.dist_address = '127.0.0.1' if host == 'localhost' else address
        self.dist_port = self.port + 20000 if self.prefix else free_port(self.dist_address)
        self.mapper = mapper or PortMapper(self.dist_address, prefix=self.prefix)
        self.owns_mapper = mapper is None
        self.cookie = cookie or os.urandom(12).hex()
        self.settings = dict(settings or {})
        self.temporary = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix='ferry-broker-')
        self.process = None
        if tls and not tls.port:
            tls.port = 5671 if self.prefix else free_port(address)
        self._write_files()

    # --- files ------------------------------------------------------------------------------

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    @property
    def log_path(self):
        return self.path('log', 'node.log')

    def _write(self, name, text, mode=0o644):
        path = self.path(name)
        if os.path.exists(path):
            os.unlink(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, mode), 'w') as stream:
            stream.write(text)

    def _write_files(self):
        for name in ('', 'data', 'log', 'home', 'generated'):
            os.makedirs(self.path(name), exist_ok=True)
        os.chmod(self.folder, 0o755)
        self._write('enabled_plugins', '[].\n')
        self._write('rabbitmq.conf', self._configuration())
        self._write('home/.erlang.cookie', self.cookie, 0o400)
        if os.geteuid() == 0:
            uid, gid = pwd.getpwnam('rabbitmq').pw_uid, grp.getgrnam('rabbitmq').gr_gid
            for top, folders, files in os.walk(self.folder):
                for name in [top] + [os.path.join(top, f) for f in files]:
                    os.chown(name, uid, gid)

    def _configuration(self):
        lines = {
            'listeners.tcp.1': '%s:%d' % (self.address, self.port),
            'loopback_users': 'none',
            'log.file': self.log_path,
            'log.file.level': 'info',
            'log.console': 'false',
            'disk_free_limit.absolute': '1MB',
            'vm_memory_high_watermark.absolute': '2GB',
            'heartbeat': '60',
            # RabbitMQ 3's; hostile messages are longer than RabbitMQ 4 takes by default.
            'max_message_size': '134217728',
        }
        if self.tls:
            lines.update({
                'listeners.ssl.1': '%s:%d' % (self.address, self.tls.port),
                'ssl_options.cacertfile': self.tls.ca,
                'ssl_options.certfile': self.tls.cert,
                'ssl_options.keyfile': self.tls.key,
                'ssl_options.verify':
                    'verify_peer' if self.tls.client_certificate else 'verify_none',
                'ssl_options.fail_if_no_peer_cert':
                    'true' if self.tls.client_certificate else 'false',
            })
        lines.update(self.settings)
        return ''.join('%s = %s\n' % item for item in lines.items())

    def _environment(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(('RABBITMQ', 'ERL'))}
        interface = '{%s}' % self.dist_address.replace('.', ',')
        environment.update({
            'HOME': self.path('home'),
            'ERL_EPMD_PORT': str(self.mapper.port),
            'ERL_EPMD_ADDRESS': self.mapper.address,
            'RABBITMQ_CONF_ENV_FILE': '/dev/null',
            'RABBITMQ_SCRIPTS_DIR': self.path('program', 'sbin'),
            'RABBITMQ_NODENAME': self.node,
            'RABBITMQ_DIST_PORT': str(self.dist_port),
            'RABBITMQ_CONFIG_FILE': self.path('rabbitmq.conf'),
            'RABBITMQ_ADVANCED_CONFIG_FILE': self.path('advanced.config'),
            'RABBITMQ_GENERATED_CONFIG_DIR': self.path('generated'),
            'RABBITMQ_MNESIA_BASE': self.path('data'),
            'RABBITMQ_LOG_BASE': self.path('log'),
            'RABBITMQ_LOGS': self.log_path,
            'RABBITMQ_ENABLED_PLUGINS_FILE': self.path('enabled_plugins'),
            'RABBITMQ_PID_FILE': self.path('node.pid'),
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS':
                '-kernel inet_dist_use_interface %s +S 1:1' % interface,
            'RABBITMQ_CTL_ERL_ARGS': '-kernel inet_dist_use_interface %s +S 1:1' % interface,
            # Makes the script replace itself by the node, so that our child is the node.
            'RUNNING_UNDER_SYSTEMD': 'true',
            'LC_ALL': 'C.UTF-8',
        })
        return environment

    # --- life -------------------------------------------------------------------------------

    def start(self, timeout=60):
        """Starts the node with whatever data its folder has; returns when it serves."""
        if not Broker._living:
            atexit.register(Broker.destroy_all)
        Broker._living.add(self)
        self.mapper.start()
        # Where the node runs, the program may be another release's.
        subprocess.run(self.prefix + ['sh', '-ec', LINK_PROGRAM, self.path('program'), PROGRAMS],
                       check=True, stdin=subprocess.DEVNULL)
        start_of_log = self._log_size()
        with open(self.path('log', 'console.log'), 'ab') as console:
            self.process = subprocess.Popen(
                self.prefix + drop_root() + [os.path.join(PROGRAMS, 'rabbitmq-server')],
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                cwd=self.folder, start_new_session=True)
        deadline = time.monotonic() + timeout
        while STARTED not in self.log(start_of_log):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                with open(self.path('log', 'console.log'), errors='replace') as console:
                    raise BrokerError('%s did not start:\n%s%s' % (
                        self.node, self.log()[-3000:], console.read()[-3000:]))
            time.sleep(0.05)
        return self

    def stop(self, timeout=30):
        """Shuts the node down in order; its data stays."""
        if not self.process:
            return
        self.thaw()
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self):
        """Takes the node away as a power cut would; its data stays."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self):
        self.stop()
        self.start()

    def freeze(self):
        """The node stands still, its connections stay open: what a dead link looks like."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def destroy(self):
        """Ends the node at once, and its files where the folder was temporary."""
        Broker._living.discard(self)
        self.kill()
        if self.owns_mapper:
            self.mapper.stop()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def destroy_all():
        """For the end of a program that has no time for anything else."""
        for broker in list(Broker._living):
            broker.destroy()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.destroy()

    # --- use --------------------------------------------------------------------------------

    def url(self, user='guest', password='guest', vhost='/', scheme='rabbit', tls=False,
            address=None):
        port = self.tls.port if tls else self.port
        return '%s://%s:%s@%s:%d/%s' % (scheme, user, password, address or self.address, port,
                                        vhost.lstrip('/').replace('/', '%2F'))

    def rabbitmqctl(self, *arguments, check=True, timeout=180):
        """Runs the management command on this node and returns its standard output."""
        done = subprocess.run(
            self.prefix + drop_root() + [os.path.join(PROGRAMS, 'rabbitmqctl'), '-q',
                                         '-n', self.node] + [str(a) for a in arguments],
            env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=self.folder, timeout=timeout)
        if check and done.returncode:
            raise BrokerError('rabbitmqctl %s: %s' % (' '.join(map(str, arguments)),
                                                      done.stderr.decode()))
        return done.stdout.decode()

    def evaluate(self, expressions, timeout=60):
        """Evaluates Erlang expressions in the node and returns what they print.

        rabbitmqctl starts an Erlang machine for each command, a second of a processor's time; this
        takes a fiftieth of that, so it is the way for all that is asked more than once."""
        done = subprocess.run(
            self.prefix + drop_root() + ['erl_call', '-R', '-fetch_stdout', '-e', '-address',
                                         '%s:%d' % (self.dist_address, self.dist_port)],
            input=expressions.encode() + b'.\n', env=self._environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, timeout=timeout)
        # The value of the last expression follows what was printed.
        text, good, value = done.stdout.decode().rpartition('{ok, ')
        if done.returncode or not good:
            raise BrokerError('%s: %s%s' % (expressions, done.stdout.decode(),
                                            done.stderr.decode()))
        return text

    def table(self, what, columns, vhost='/'):
        """The rows of what rabbitmqctl would list, each a list of its columns as text."""
        rows = LISTS[what].format(vhost=binary(vhost), columns=', '.join(columns))
        text = self.evaluate(PRINT_ROWS.format(rows=rows, columns=', '.join(columns)))
        return [line.split('\t') for line in text.splitlines()]

    def add_vhosts(self, *names):
        """Virtual hosts that the user "guest" may use."""
        for name in names:
            self.evaluate('rabbit_vhost:add(%s, %s)' % (binary(name), BY_A_TEST))
            self.set_permissions('guest', name, '.*', '.*', '.*')

    def add_user(self, name, password):
        self.evaluate('rabbit_auth_backend_internal:add_user(%s, %s, %s)' %
                      (binary(name), binary(password), BY_A_TEST))

    def delete_user(self, name):
        self.evaluate('rabbit_auth_backend_internal:delete_user(%s, %s)' %
                      (binary(name), BY_A_TEST))

    def set_permissions(self, user, vhost, configure, write, read):
        words = [binary(word) for word in (user, vhost, configure, write, read)]
        self.evaluate('rabbit_auth_backend_internal:set_permissions(%s, %s)' %
                      (', '.join(words), BY_A_TEST))

    def join(self, other):
        """Makes this node a member of the other's cluster; forgets its own data."""
        for command in (['stop_app'], ['reset'], ['join_cluster', other.node], ['start_app']):
            self.rabbitmqctl(*command)

    def _log_size(self):
        try:
            return os.path.getsize(self.log_path)
        except OSError:
            return 0

    def log(self, start=0):
        try:
            with open(self.log_path, 'rb') as stream:
                stream.seek(start)
                return stream.read().decode(errors='replace')
        except OSError:
            return ''


def main():
    parser = argparse.ArgumentParser(description='Runs one private RabbitMQ node.')
    parser.add_argument('--address', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Broker(options.address, options.port) as broker:
        print(broker.url(), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == '__main__':
    main()
