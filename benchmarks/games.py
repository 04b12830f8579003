"""The duel "GAN, VAE, autoencoder" of the Compare page as a class runs it: who is sharper, and who covers more?

    nice -n 19 python benchmarks/games.py                     # three seeds, 1,500 rounds; writes docs/results/games.md
    python benchmarks/games.py --seeds 0-1 --rounds 50 --out /tmp/games.md

The runs stay in ``--store``, so that a second call only writes the page; they are compared there by the code of the page.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sections import command_line
from gan_core.config import TEMPLATES, Comparison, parse_seeds, preset_config
from gan_core.engine import Lab
from gan_core.engine.comparing import standings
from gan_core.engine.comparing.headlines import headlines
from gan_core.engine.comparing.standings import METRICS, OF_RECONSTRUCTIONS, Standing
from gan_core.store import ACTIVE, RunStore

TEMPLATE = TEMPLATES["games"]
TOLD = (
    *("sample_laplacian_variance", "sample_grey_share", "effective_modes", "modes_covered", "recall", "coverage"),
    *("unsure_share", "frechet_distance", "class_diversity", "rec_error", "class_kept", "code_mmd2"),
)


def asked_for(seeds: tuple[int, ...], rounds: int | None) -> Comparison:
    made = TEMPLATE.comparison(preset_config(TEMPLATE.preset, {"device": "cpu"}), seeds)
    return made if rounds is None else Comparison.load({**made.to_dict(), "rounds": rounds})


def played(root: Path, wanted: Comparison) -> str:
    """The comparison in this store whose runs are those that are wanted; they are trained now where there is none."""
    with RunStore(root) as store:
        for kept in store.comparisons():
            runs = [store.run(member.run) for member in kept.members]
            same = {key: kept.spec.get(key) for key in ("variants", "seeds", "rounds")} == {
                key: wanted.to_dict()[key] for key in ("variants", "seeds", "rounds")
            }
            if same and not any(run.status in ACTIVE for run in runs):
                return kept.id
    with Lab(root, executor="thread") as lab:
        comparison = lab.compare(wanted)
        for member in lab.store.comparison(comparison).members:
            print(f"{member.variant}, seed {member.seed}: {lab.wait(member.run, 24 * 3600).status}", flush=True)
        return comparison


def report(found: list[Standing], floors: dict[str, float], wanted: Comparison, command: str) -> str:
    variants = standings.variants(found)
    lines = [
        "# GAN, VAE, autoencoder",
        "",
        f"Made by `{command}`: the template of the Compare page, {wanted.rounds:,} rounds of {TEMPLATE.preset}'s data, seeds "
        f"{', '.join(map(str, wanted.seeds))}.",
        "G and both decoders are one network, D and both encoders too, z is as long as the codes. What the page says:",
        "",
    ]
    for headline in headlines(found, floors):
        lines += [f"**{headline.question}: {headline.answer}**", "", *(f"- {line}" for line in headline.numbers), ""]
    lines += [
        f"| measure | {' | '.join(variants)} | real data | |",
        f"|---|{'---|' * len(variants)}---|---|",
    ]
    for metric in TOLD:
        if metric in standings.measures(found):
            rows = {row.variant: standings.cell(row) for row in standings.table(found, metric, floors.get(metric))}
            cells = " | ".join(rows[variant] for variant in variants)
            real = standings.real(metric, floors)
            lines.append(f"| {standings.title(metric)} | {cells} | {real} | {METRICS[metric].way} |")
    lines += [
        "",
        "Mean ± standard deviation over seeds of the last measurement, in brackets the rank; a number "
        f"{OF_RECONSTRUCTIONS} has none.",
        "Effective modes count classes: a game that makes each class equally often reads ten, also where all samples of a",
        "class are its mean. Coverage and recall count how much of the data lies beside a sample.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0-2", help="%(default)s")
    parser.add_argument("--rounds", type=int, help="of each run; the template's where none is given")
    parser.add_argument(
        "--store", type=Path, default=ROOT / "build" / "games", help="where the runs stay (%(default)s)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "games.md")
    options = parser.parse_args()
    wanted = asked_for(parse_seeds(options.seeds), options.rounds)
    comparison = played(options.store, wanted)
    with RunStore(options.store) as store:
        found = standings.read_standings(store, comparison)
        text = report(found, standings.read_floors(store, found), wanted, command_line("--store", str(options.store)))
    options.out.write_text(text)
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
