"""Commands that walk through the latent space of a run, and write what is there."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
import pandas as pd

from gan_core import api
from gan_core.cli.terminal import to_json
from gan_core.engine.latent.taking import picture_file
from gan_core.store import StoreError, must_be_there

PICTURES = (".png", ".gif")


def encode(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    table = api.encode(options.run, at=options.at, store=options.store)
    path = options.to or Path(f"{options.run}-codes.csv")
    return _written(path, table.to_csv(index=False).encode(), codes=len(table))


def interpolate(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    points = [point for point in options.points.split(",") if point]
    try:
        found = api.interpolate(
            options.run,
            points,
            steps=options.steps,
            straight=options.straight,
            seed=options.seed,
            at=options.at,
            store=options.store,
        )
    except ValueError as error:
        raise StoreError(str(error)) from error
    return _row(found, options)


def traverse(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    try:
        found = api.traverse(
            options.run,
            options.kind,
            options.index,
            base=options.base,
            reach=options.reach,
            steps=options.steps,
            seed=options.seed,
            at=options.at,
            store=options.store,
        )
    except ValueError as error:
        raise StoreError(str(error)) from error
    return _row(found, options)


def _row(found: np.ndarray, options: argparse.Namespace) -> int:
    """Samples as a file of their kind."""
    images = found.ndim == 4
    path = options.to or Path(f"{options.run}{'.png' if images else '.csv'}")
    end = path.suffix.lower()
    if images and end in PICTURES:
        return _written(path, picture_file(found, end[1:]), samples=len(found))
    if not images and end == ".csv":
        text = io.StringIO()
        pd.DataFrame(found, columns=[f"x{index}" for index in range(1, found.shape[1] + 1)]).to_csv(text, index=False)
        return _written(path, text.getvalue().encode(), samples=len(found))
    wanted = "a .png or a .gif" if images else "a .csv"
    raise StoreError(f"{path.name} cannot be written: what this run makes goes into {wanted}.")


def _written(path: Path, content: bytes, **told: int) -> int:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    print(to_json({"file": str(path), "bytes": len(content), **told}))
    return 0
