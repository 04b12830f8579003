"""Does the working tree compute, bit for bit, what a commit computed? Plays every preset with both and compares the states.

``python benchmarks/same_bits.py COMMIT`` plays 50 rounds of each preset, with its knobs as they stand and with its knobs set
anew half-way, in one process per code, one after the other. Exit status: the number of presets that differ. Bits are those of
one processor, so both are played on this machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.commits import checked_out, environment_of

PLAYER = """
import json, sys, torch
from gan_core.config import PRESETS, preset_config
from gan_core.training import build, capture, knobs, knobs_of, load_source, play, resolve, state_hash
torch.set_num_threads(1)
for name in sys.argv[2:] or PRESETS:
    config = resolve(preset_config(name, {"device": "cpu"}))
    game, rounds = build(config, load_source(config)), int(sys.argv[1])
    for turn in play(game):
        if turn.ends_round and turn.round == rounds // 2:
            half = state_hash(capture(game, turn.round))
            for knob, value in knobs_of(config).items():
                value = value + 1 if isinstance(value, int) and knob != "data.batch_size" else value
                game.set_knob(knob, value) if hasattr(game, "set_knob") else knobs.turn(game, knob, value)
        if turn.ends_round and turn.round >= rounds:
            break
    print(json.dumps([name, half, state_hash(capture(game, rounds))]), flush=True)
"""


def hashes(code: Path, rounds: int, presets: list[str]) -> dict[str, tuple[str, str]]:
    """The state of each preset half-way and at the end, as the code in a folder computes it."""
    command = [sys.executable, "-c", PLAYER, str(rounds), *presets]
    told = subprocess.run(command, cwd=code, env=environment_of(code), check=True, stdout=subprocess.PIPE, text=True)
    return {name: (half, end) for name, half, end in map(json.loads, told.stdout.splitlines())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="whose states are expected")
    parser.add_argument("--rounds", type=int, default=50, help="of each preset (default: %(default)s)")
    parser.add_argument("--presets", nargs="*", default=[], help="only these")
    options = parser.parse_args()
    with checked_out(options.commit) as then:
        expected = hashes(then, options.rounds, options.presets)
    found = hashes(ROOT, options.rounds, options.presets or list(expected))
    different = [name for name, states in expected.items() if found.get(name) != states]
    for name, (_, end) in expected.items():
        print(f"{'DIFFERENT' if name in different else 'same':10}{name:32}{end[:16]}")
    print(f"{len(expected) - len(different)} of {len(expected)} presets are the same after {options.rounds} rounds")
    return len(different)


if __name__ == "__main__":
    sys.exit(main())
