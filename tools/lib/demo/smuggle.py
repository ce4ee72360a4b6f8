"""Puts a revision into a control plane's store that the control plane never judged, as a faulty tool would."""
import contextlib
import sqlite3
import subprocess
import time

from demo.stage import ROOT


def encoded(message, text):
    """The bytes of a message of portico.v1 that is written as text."""
    file = {"Resource": "resource", "RevisionRecord": "config_service"}[message]
    command = ["protoc", f"--proto_path={ROOT}", f"--encode=portico.v1.{message}", f"api/portico/v1/{file}.proto"]
    return subprocess.run(command, input=text.encode(), cwd=ROOT, capture_output=True, check=True).stdout


def smuggle(store, additions):
    """Adds to the newest versions of resources ({key: more of it}), in a revision of its own, whose number is returned. The
    control plane must have ended: it reads its store at its start. Bytes of one message behind those of another are both of
    them, merged: of what is repeated, there is more."""
    with contextlib.closing(sqlite3.connect(store)) as database, database:
        revision = database.execute("SELECT max(number) FROM revision").fetchone()[0] + 1
        record = f'revision: {revision} time {{ seconds: {int(time.time())} }} author: "nobody it knows"'
        database.execute("INSERT INTO revision (number, record) VALUES (?, ?)",
                         (revision, encoded("RevisionRecord", record)))
        for key, addition in additions.items():
            created, value = database.execute("SELECT created, value FROM version WHERE key = ? "
                                              "ORDER BY revision DESC LIMIT 1", (key.encode(),)).fetchone()
            database.execute("INSERT INTO version (key, revision, created, value) VALUES (?, ?, ?, ?)",
                             (key.encode(), revision, created, value + encoded("Resource", addition)))
    return revision
