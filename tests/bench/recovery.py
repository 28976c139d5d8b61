"""From the agent's start to a re-attached transfer, with a long history in the journal."""

import datetime
import sqlite3
import time
import uuid

from lab.lab import Disk, Lab

from figures import median

FINISHED = 1000


def _fill(path):
    """Finished migrations, as the agent itself would have left them."""
    journal = sqlite3.connect(path)
    now = int(time.time() * 1e6)
    with journal:
        columns = [row[1] for row in journal.execute("PRAGMA table_info(migrations)")]
        for number in range(FINISHED):
            row = dict.fromkeys(columns)
            row.update(migration_id=str(uuid.uuid4()), role="source", instance_name="old",
                       instance_uuid=str(uuid.uuid4()), source="kvm01", destination="kvm02",
                       status="completed", open=0, order_json='{"method": "x", "args": {}}',
                       created_us=now - number, updated_us=now, ended_us=now, expires_us=0, seq=8, abort_ordered=0, force_ordered=0)
            journal.execute("INSERT INTO migrations (%s) VALUES (%s)" % (
                ",".join(columns), ",".join("?" * len(columns))), list(row.values()))
    journal.close()


def run(table, runs):
    samples = []
    with Lab() as lab:
        controller = lab.controller()
        recorder = controller.recorder()
        agents = {name: lab.agent(name).start() for name in lab.hosts}
        agents["kvm01"].stop()
        _fill(agents["kvm01"].state_path + "/journal.db")
        agents["kvm01"].start()
        guest = lab.guest("kvm01", "vm1", [Disk("vda", data=64 << 20)])
        guest.create_images().start().wait_number(5)
        order = controller.migrate("vm1", "kvm01", "kvm02", bandwidth_mib_s=2)
        for _ in range(runs):
            recorder.wait(lambda e: e.migration_id == order and e.type == "migration.progress", 60)
            agents["kvm01"].kill()
            mark = recorder.mark()
            begun = time.time()
            agents["kvm01"].start(wait=False)
            event = recorder.wait(
                lambda e: e.migration_id == order and e.type == "migration.progress", 60,
                after=mark)
            at = datetime.datetime.strptime(event.payload["at"], "%Y-%m-%dT%H:%M:%S.%fZ")
            samples.append(at.replace(tzinfo=datetime.timezone.utc).timestamp() - begun)
        controller.call("kvm01", "live_migration_abort", migration_id=order)
        recorder.wait_terminal(order)
    table.add("start to re-attached, %d finished migrations in the journal" % FINISHED,
              "%.2f s" % median(samples), "<= 1 s, median of %d" % runs)
