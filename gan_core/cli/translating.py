"""The commands of runs from picture to picture: what one makes of a picture, and what lies between two."""

from __future__ import annotations

import argparse
from pathlib import Path

from gan_core import api
from gan_core.cli.terminal import print_rows, to_json
from gan_core.engine import DataError
from gan_core.engine.showing.pictures import png, tile
from gan_core.store import StoreError, must_be_there


def translate(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    path: Path = options.to or Path(f"{options.run}.png")
    if path.suffix.lower() != ".png":
        raise StoreError(f"{path.name} cannot be written: what this run makes goes into a .png.")
    try:
        made = api.translate(
            options.run,
            options.image,
            degrade=options.degrade,
            at=options.at,
            between=options.between,
            share=options.share,
            back=options.back,
            store=options.store,
        )
    except OSError as error:
        raise DataError(f"{options.image} cannot be read: {error.strerror}.") from error
    content = png(tile(made[None]))
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    print(to_json({"file": str(path), "bytes": len(content), "shape": list(made.shape)}))
    return 0


def along(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    table = api.along(
        options.run, options.other, options.shares, at=options.at, other_at=options.other_at, store=options.store
    )
    rows: list[dict[str, float]] = [
        {str(name): value for name, value in row.items()} for row in table.to_dict("records")
    ]
    if options.json:
        print(to_json({"run": options.run, "other": options.other, "rows": rows}))
        return 0
    return print_rows([{name: f"{value:.4g}" for name, value in row.items()} for row in rows], False)
