"""Journals as text: taken from an agent, and many of them put into one."""

import contextlib
import json
import os
import sqlite3

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "journals")
NAME = "journal.db"


def dump(state_path, replace):
    """The SQL of the journal in a state folder; @replace: [(text, other text)]."""
    with contextlib.closing(sqlite3.connect(os.path.join(state_path, NAME))) as database:
        lines = list(database.iterdump())
        schema = database.execute("PRAGMA user_version").fetchone()[0]
    text = "\n".join(lines + ["PRAGMA user_version = %d;" % schema]) + "\n"
    for found, other in replace:
        text = text.replace(found, other)
    return text


def versions():
    """The names of the agents whose journals there are, oldest first."""
    return sorted(os.listdir(FOLDER))


def load(version, moment, side):
    """The SQL of a journal, or None."""
    path = os.path.join(FOLDER, version, "%s-%s.sql" % (moment, side))
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as text:
        return text.read()


def write(state_path, texts):
    """Makes a journal that holds what all these hold."""
    os.makedirs(state_path, exist_ok=True)
    path = os.path.join(state_path, NAME)
    with contextlib.closing(sqlite3.connect(path)) as whole:
        for text in texts:
            with contextlib.closing(open_text(text)) as part:
                if not _tables(whole):
                    _copy_schema(part, whole)
                _copy_rows(part, whole)
        whole.commit()


def _tables(database):
    return [name for name, in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]


def _copy_schema(part, whole):
    for sql, in part.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
                             " AND name NOT LIKE 'sqlite%'"):
        whole.execute(sql)
    whole.execute("PRAGMA user_version = %d"
                  % part.execute("PRAGMA user_version").fetchone()[0])


def _copy_rows(part, whole):
    for table in _tables(part):
        rows = part.execute("SELECT * FROM %s" % table)
        # Numbers of rows are each journal's own.
        columns = [column[0] for column in rows.description]
        kept = [index for index, name in enumerate(columns) if name != "id"]
        whole.executemany(
            "INSERT OR REPLACE INTO %s (%s) VALUES (%s)" % (
                table, ", ".join(columns[index] for index in kept),
                ", ".join("?" for _ in kept)),
            [[row[index] for index in kept] for row in rows])


def open_text(text):
    """A database in memory that holds a journal."""
    database = sqlite3.connect(":memory:")
    database.executescript(text)
    return database


def disk_path(instance_info):
    """Where the first disk of an instance lies."""
    return json.loads(instance_info)["disks"][0]["source"]


def open_records(state_path, role):
    """The ids of the records that have not ended."""
    with contextlib.closing(sqlite3.connect(os.path.join(state_path, NAME))) as database:
        return [name for name, in database.execute(
            "SELECT migration_id FROM migrations WHERE role = ? AND open = 1", (role,))]
