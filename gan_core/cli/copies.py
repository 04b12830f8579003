"""The command that looks for copies among the samples of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from gan_core import api
from gan_core.cli.terminal import StatusLine, print_rows, to_json
from gan_core.engine.exchange.copies import as_png, told
from gan_core.store import StoreError, must_be_there


def copying(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    path: Path | None = options.to
    if path is not None and path.suffix.lower() != ".png":
        raise StoreError(f"{path.name} cannot be written: a picture goes into a .png.")
    line = StatusLine()
    copies = api.copying(
        options.run,
        at=options.at,
        store=options.store,
        progress=lambda share, sentence: line.show(f"{share:4.0%} {sentence}"),
    )
    line.end()
    if path is not None:
        try:
            path.write_bytes(as_png(copies))
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    if options.json:
        print(to_json({"run": options.run, **told(copies)}))
        return 0
    print(f"round {copies.round}: {copies.found.sentence}")
    rows = [
        {
            "sample": pair.sample,
            "nearest training picture": pair.training,
            "nearest held-out picture": pair.held_out,
            "ratio of distances": f"{pair.ratio:.3f}",
        }
        for pair in copies.pairs
    ]
    return print_rows(rows, False)
