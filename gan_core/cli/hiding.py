"""The command that looks for what a cycle hides."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from gan_core import api
from gan_core.cli.terminal import print_rows, to_json
from gan_core.engine.showing.pictures import png, tile
from gan_core.store import StoreError, must_be_there


def hidden(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    path: Path | None = options.to
    if path is not None and path.suffix.lower() != ".png":
        raise StoreError(f"{path.name} cannot be written: a picture goes into a .png.")
    found = api.hidden(options.run, at=options.at, store=options.store)
    if path is not None:
        rows, columns, *shape = found.picture.shape
        try:
            path.write_bytes(png(tile(found.picture.reshape(rows * columns, *shape), columns)))
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    told = {"round": found.round, "outside": found.outside, "of_real": found.of_real, "signal": found.signal}
    if options.json:
        print(to_json({"run": options.run, **told, "rows": [asdict(row) for row in found.rows]}))
        return 0
    print(
        f"round {found.round}: {found.outside:.3f} outside of the space of A, beside a signal of {found.signal:.3f}; real "
        f"pictures of A have {found.of_real:.3f}"
    )
    rows = [
        {
            "given to G": row.given,
            "error": f"{row.error:.3f}",
            "class kept": "" if row.label is None else f"{row.label:.3f}",
        }
        for row in found.rows
    ]
    return print_rows(rows, False)
