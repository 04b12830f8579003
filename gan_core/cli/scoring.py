"""Commands that score what a run has learnt."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from gan_core.cli.terminal import StatusLine, print_rows, to_json
from gan_core.engine.exchange.disentangling import disentangle as scores_of
from gan_core.store import RunStore, must_be_there

TITLES = {
    "mig": "MIG",
    "sap": "SAP",
    "disentanglement": "D",
    "completeness": "C",
    "informativeness": "I",
    "factor_vae": "FactorVAE",
}


def disentangle(options: argparse.Namespace) -> int:
    must_be_there(options.store)
    line = StatusLine()
    with RunStore(options.store) as store:
        round, scores = scores_of(
            store, options.run, options.at, lambda share, sentence: line.show(f"{share:4.0%} {sentence}")
        )
    line.end()
    rows = [asdict(row) for row in scores]
    if options.json:
        print(to_json({"run": options.run, "round": round, "rows": rows}))
        return 0
    return print_rows(
        [
            {TITLES.get(key, key): f"{value:.3f}" if isinstance(value, float) else value for key, value in row.items()}
            for row in rows
        ],
        False,
    )
