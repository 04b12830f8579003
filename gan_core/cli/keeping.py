"""Commands about what a store keeps: checkpoints, the bin, its health, copies of it. They load neither torch nor the engine."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from gan_core.cli.terminal import FAILED, print_rows, tell, to_json
from gan_core.store import RunStore, StoreError, fsck, must_be_there, restore_backup
from gan_core.store import backup as write_backup


def checkpoints(options: argparse.Namespace) -> int:
    """Pin and unpin, then list what is there."""
    must_be_there(options.store)
    with RunStore(options.store) as store:
        if options.pin is not None:
            store.pin(options.run, options.pin)
        if options.unpin is not None:
            store.unpin(options.run, options.unpin)
        rows = [asdict(saved) for saved in store.checkpoints(options.run)]
    return print_rows(rows, options.json)


def delete(options: argparse.Namespace) -> int:
    """Into the bin, as one act."""
    must_be_there(options.store)
    with RunStore(options.store) as store:
        store.bin.delete(options.what)
    print(to_json({"deleted": options.what}))
    tell("to take it back: restore-run; to remove it for good: purge; what is deleted: runs --deleted")
    return 0


def restore_run(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    with RunStore(options.store) as store:
        for what in options.what:
            store.bin.restore(what)
    print(to_json({"restored": options.what}))
    return 0


def purge(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    if bool(options.what) == options.all:
        raise StoreError(
            "Say what to remove for good, or --all for everything that was deleted; runs --deleted lists it."
        )
    with RunStore(options.store) as store:
        entries = {entry.id: entry for entry in store.bin.listed()}
        freed = 0
        for what in options.what or list(entries):
            freed += store.bin.frees(entries[what]) if what in entries else 0
            store.bin.purge(what)
    print(to_json({"purged": options.what or list(entries), "bytes": freed}))
    return 0


def check(options: argparse.Namespace) -> int:
    """What ``fsck`` finds."""
    must_be_there(options.store)
    faults = fsck(options.store, thorough=not options.quick)
    if options.json:
        print(to_json([asdict(fault) for fault in faults]))
    else:
        for fault in faults:
            print(f"{fault.run or 'the store'}: {fault}")
        print("nothing is wrong" if not faults else f"{len(faults)} faults; nothing was changed", file=sys.stderr)
    return FAILED if faults else 0


def backup(options: argparse.Namespace) -> int:
    count = write_backup(options.store, options.file)
    print(to_json({"file": str(options.file), "files": count, "bytes": options.file.stat().st_size}))
    return 0


def restore(options: argparse.Namespace) -> int:
    count = restore_backup(options.file, options.store)
    faults = fsck(options.store)
    print(to_json({"store": str(options.store), "files": count, "faults": [str(fault) for fault in faults]}))
    return FAILED if faults else 0
