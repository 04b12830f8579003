"""The words of the command line: each command, what runs it (``module:function``), and its options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

MOST_SAID = 400  # characters of what is wrong with the arguments, which may be of any length
SETTING = "e.g. schedule.rounds=2000 or model.generator.widths=[64,64]"
Fill = Callable[[argparse.ArgumentParser], object]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(message if len(message) <= MOST_SAID else f"{message[:MOST_SAID]}…")


def parser(asked: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Of the whole command line; with the options of ``asked`` commands only, where any is named: some take long to know."""
    made = _Parser(prog="python -m gan_core", description="GANscope without a browser.")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for name, run, help, fill in (*_TRAINING, *_FILES, *_WALKING, *_LOOKING, *_SCORING, *_KEEPING, *_SERVING):
        sub = commands.add_parser(name, help=help, description=help)
        sub.set_defaults(command=run)
        if not asked or name in asked:
            fill(sub)
    return made


def _store(sub: argparse.ArgumentParser) -> None:
    from gan_core.store import default_root

    sub.add_argument("--store", type=Path, default=default_root(), help="folder of the runs (default: %(default)s)")


def _json(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _lab(sub: argparse.ArgumentParser) -> None:
    """Options of every command that trains."""
    help = (
        "what a run trains in: thread, process, ray or auto, which is the default unless GANSCOPE_EXECUTOR says another"
    )
    sub.add_argument("--executor", help=f"{help}: a thread for one run, processes for a comparison")
    help = "address of a Ray cluster to train on, HOST:PORT or ray://HOST:PORT; GANSCOPE_RAY is the default"
    sub.add_argument("--ray", metavar="ADDRESS", help=help)
    sub.add_argument("--quiet", action="store_true", help="no progress on stderr")
    _store(sub)


def _live(sub: argparse.ArgumentParser) -> None:
    """What is done to a run while it trains."""
    help = "turn a knob when so many rounds are over, e.g. 120:optimizers.generator.lr=0.05; it acts from the next on"
    sub.add_argument("--knob", action="append", default=[], metavar="ROUND:KEY=VALUE", help=help)
    sub.add_argument("--until", type=int, metavar="ROUND", help="stop after so many rounds; `resume` goes on")


def _train(sub: argparse.ArgumentParser) -> None:
    source = sub.add_mutually_exclusive_group()
    help = "see `presets`; a cure may stand after it, as in ring-collapse+r1 (default: %(default)s)"
    source.add_argument("--preset", default="digits-mlp", help=help)
    source.add_argument("--config", type=Path, help="a JSON file, as the dashboard exports it")
    sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=SETTING)
    sub.add_argument("--name", default="", help="what to call the run")
    _live(sub)
    _lab(sub)


def _resume(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", nargs="?")
    sub.add_argument("--set", action="append", default=[], help=argparse.SUPPRESS)  # to be told what does
    sub.add_argument("--all", action="store_true", help="every run that was interrupted, at once")
    _lab(sub)


def _fork(sub: argparse.ArgumentParser) -> None:
    from gan_core.config import CURES

    sub.add_argument("run")
    sub.add_argument("--at", type=int, metavar="ROUND", help="round of the checkpoint (default: the newest)")
    help = f"change what a cure changes, as in --with r1: {', '.join(CURES)}"
    sub.add_argument("--with", action="append", default=[], dest="cures", metavar="CURE", help=help)
    sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. objective=wgan_gp")
    sub.add_argument("--name", default="", help="what to call the fork")
    _live(sub)
    _lab(sub)


def _compare(sub: argparse.ArgumentParser) -> None:
    from gan_core.config import TEMPLATES

    sub.add_argument("--base", help="a preset, see `presets` (default: the template's, or ring-mlp)")
    sub.add_argument("--vary", action="append", default=[], metavar="KEY=A,B", help="e.g. objective=ns_gan,wgan_gp")
    sub.add_argument("--template", help=f"instead of --vary: {', '.join(TEMPLATES)}")
    sub.add_argument("--seeds", default="0-2", help="e.g. 0-4 or 1,5,9 (default: %(default)s)")
    budget = sub.add_mutually_exclusive_group()
    budget.add_argument("--budget", metavar="UNIT=N", help="of each run: rounds=N, images=N or seconds=N")
    budget.add_argument("--rounds", type=int, help="the same as --budget rounds=N (default: the base's)")
    sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="changes of the base")
    sub.add_argument("--name", default="", help="what to call the comparison")
    _json(sub)
    _lab(sub)


def _export(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("what", metavar="RUN_OR_COMPARISON")
    kinds = ".html a report that opens offline, .zip a pack for another store, .gif its samples over time"
    kinds = f"the ending decides: {kinds}, none or a slash a folder for TensorBoard"
    sub.add_argument("--to", metavar="FILE", help=f"{kinds} (default: its id, as .zip)")
    sub.add_argument("--checkpoints", action="store_true", help="put checkpoints into the pack too")
    _store(sub)


def _import(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("file", type=Path)
    sub.add_argument("--copies", action="store_true", help="under new ids, so that what is there may stay")
    _store(sub)


def _bring(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("file", type=Path, help="a table; or a folder or a zip file of pictures")
    sub.add_argument("--columns", nargs=2, metavar=("X", "Y"), help="their names, or their places from 1")
    sub.add_argument("--name", default="", help="what to call the set (default: as the file)")
    sub.add_argument(
        "--size", type=int, choices=(16, 28, 32, 64), default=32, help="pictures: pixels a side (default: %(default)s)"
    )
    sub.add_argument("--colour", action="store_true", help="pictures: in colour")
    help = (
        "pictures: what a class is: folder:1, none, kinds for normal/, test/KIND/, masks/KIND/ (default: as it looks)"
    )
    sub.add_argument("--level", help=help)
    _store(sub)


def _encode(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    sub.add_argument("--to", type=Path, metavar="FILE", help="a CSV file (default: RUN-codes.csv)")
    _of_a_round(sub)


def _interpolate(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    help = "two to four: 12 one of 64 draws, s3 the mean z of class 3 on the shell, c3 that mean, h17 a held-out sample's code"
    sub.add_argument("--points", default="0,1", metavar="A,B", help=f"{help} (default: %(default)s)")
    sub.add_argument("--steps", type=int, default=11, help="(default: %(default)s)")
    sub.add_argument("--straight", action="store_true", help="on a line instead of on the sphere")
    _strip(sub)


def _traverse(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    sub.add_argument("--kind", default="sefa", help="sefa, dim, class, logistic or pca:LAYER (default: %(default)s)")
    sub.add_argument("--index", type=int, default=0, help="which of them, from 0 (default: %(default)s)")
    sub.add_argument("--base", default="0", metavar="POINT", help="as those of `interpolate` (default: %(default)s)")
    sub.add_argument("--reach", type=float, default=3.0, help="how far, both ways (default: %(default)s)")
    sub.add_argument("--steps", type=int, default=9, help="(default: %(default)s)")
    _strip(sub)


def _translate(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    help = "a picture, which is padded to a square and brought to the size of the run's own"
    sub.add_argument("--image", type=Path, required=True, metavar="FILE", help=help)
    sub.add_argument("--to", type=Path, metavar="FILE", help="a PNG file (default: RUN.png)")
    sub.add_argument(
        "--degrade", action="store_true", help="the picture is a target: degrade it first, as the run does"
    )
    sub.add_argument("--back", action="store_true", help="of a run without pairs: from B to A, by F")
    sub.add_argument("--between", metavar="OTHER", help="with weights between this run's and those of another")
    sub.add_argument("--share", type=share_of, default=0.5, help="of the way to OTHER (default: %(default)s)")
    _of_a_round(sub)


def share_of(text: str) -> float:
    """A share from 0 to 1. Raises ArgumentTypeError."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no share from 0 to 1")
    return share


def shares_of(text: str) -> list[float]:
    """Shares with commas. Raises ArgumentTypeError."""
    return [share_of(part) for part in text.split(",")]


def _along(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    sub.add_argument("other", help="a run that went on from it")
    help = "of the way from one to the other, with commas (default: %(default)s)"
    sub.add_argument("--shares", type=shares_of, default="0,0.25,0.5,0.75,1", metavar="A,B", help=help)
    sub.add_argument(
        "--other-at", type=int, metavar="ROUND", help="round of the other's checkpoint (default: the newest)"
    )
    _json(sub)
    _of_a_round(sub)


def _strip(sub: argparse.ArgumentParser) -> None:
    """Options of what writes samples in a row."""
    sub.add_argument(
        "--to", type=Path, metavar="FILE", help=".png a strip, .gif a film, .csv points (default: RUN and its ending)"
    )
    sub.add_argument("--seed", type=int, default=0, help="of the draws (default: %(default)s)")
    _of_a_round(sub)


def _of_a_round(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--at", type=int, metavar="ROUND", help="round of the checkpoint (default: the newest)")
    _store(sub)


def _runs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--limit", type=int, default=50, help="how many (default: %(default)s)")
    sub.add_argument("--deleted", action="store_true", help="instead, what was deleted, and what each frees in bytes")
    _json(sub)
    _store(sub)


def _show(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    _json(sub)
    _store(sub)


def _scores(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    sub.add_argument("--at", type=int, metavar="ROUND", help="round of the checkpoint (default: the newest)")
    _json(sub)
    _store(sub)


def _hidden(sub: argparse.ArgumentParser) -> None:
    _scores(sub)
    sub.add_argument("--to", type=Path, metavar="FILE", help="write the picture, a .png")


def _study(sub: argparse.ArgumentParser) -> None:
    from gan_core.config.studies import STUDY_SETTINGS

    sub.add_argument("what", help=f"{', '.join(STUDY_SETTINGS)} to compute one; list, show, export or resume")
    sub.add_argument("id", nargs="?", help="the study that is shown, exported or gone on with")
    sub.add_argument("--config", type=Path, help="settings as a JSON file, as an export has them")
    sub.add_argument("--run", help="the run that is asked")
    sub.add_argument("--at", type=int, metavar="ROUND", help="round of its checkpoint (default: the newest)")
    sub.add_argument("--data", help="the data set (default: mnist5k)")
    sub.add_argument("--sizes", metavar="N,N", help="real samples of each class, e.g. 5,20,100")
    sub.add_argument("--seeds", help="e.g. 0-4 or 1,5,9 (default: 0-4)")
    sub.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. rounds=1000")
    sub.add_argument("--name", default="", help="what to call the study")
    sub.add_argument("--to", metavar="FILE", help="of `export`: .csv, .json or .zip (default: its id, as .zip)")
    sub.add_argument("--processes", type=int, choices=range(1, 9), help="at once (default: 2 where two cores are free)")
    sub.add_argument("--quiet", action="store_true", help="no progress on stderr")
    _json(sub)
    _store(sub)


def _checkpoints(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run")
    sub.add_argument("--pin", type=int, metavar="ROUND", help="let the checkpoint of this round stay")
    sub.add_argument("--unpin", type=int, metavar="ROUND", help="let it be one like the others")
    _json(sub)
    _store(sub)


def _bin(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("what", nargs="+", metavar="RUN_OR_COMPARISON")
    _store(sub)


def _purge(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("what", nargs="*", metavar="RUN_OR_COMPARISON")
    sub.add_argument("--all", action="store_true", help="everything that was deleted")
    _store(sub)


def _fsck(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--quick", action="store_true", help="only what costs milliseconds per run")
    _json(sub)
    _store(sub)


def _copy(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("file", type=Path)
    _store(sub)


def _class(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--port", type=int, default=8501, help="(default: %(default)s)")
    sub.add_argument("--address", default="0.0.0.0", help="the interface to open (default: every one)")
    sub.add_argument("--host", action="append", default=[], help="another name by which students reach this machine")
    sub.add_argument("--student-runs", type=int, default=0, metavar="N", help="runs that each student may start")
    _store(sub)


_Command = tuple[str, str, str, Fill]
_TRAINING: tuple[_Command, ...] = (
    ("train", "training:train", "train one run; the last line on stdout is its result as JSON", _train),
    ("resume", "training:resume", "go on with a run that did not finish", _resume),
    (
        "fork",
        "training:fork",
        "go on from a checkpoint of a run as another run, with settings changed: --with r1, --set objective=wgan_gp",
        _fork,
    ),
    ("compare", "training:compare", "train variants side by side; the last line on stdout is JSON", _compare),
    ("prepare", "training:prepare", "train the frozen classifier of the embedded digits", _store),
)
_FILES: tuple[_Command, ...] = (
    ("export", "files:export", "write a run or a comparison as a file", _export),
    ("import", "files:take_in", "take the runs of a pack into a store", _import),
    (
        "bring",
        "files:bring",
        "keep two columns of a table, or the pictures of a folder or a zip file, as a data set",
        _bring,
    ),
)
_WALKING: tuple[_Command, ...] = (
    ("encode", "latent:encode", "write the codes of held-out samples, of a run with an encoder", _encode),
    ("interpolate", "latent:interpolate", "write samples on the way from one z to another", _interpolate),
    ("traverse", "latent:traverse", "write samples along a direction of z", _traverse),
    ("translate", "translating:translate", "write what a run from picture to picture makes of one", _translate),
    ("along", "translating:along", "measure the networks between two runs from picture to picture", _along),
)
_LOOKING: tuple[_Command, ...] = (
    ("presets", "looking:presets", "list the presets, for `train --preset`: ring-mlp, or ring-collapse+r1", _json),
    ("objectives", "looking:objectives", "list the objectives", _json),
    ("games", "looking:games", "list the games, for `train --set game=…`", _json),
    ("runs", "looking:runs", "list the runs, newest first", _runs),
    ("show", "looking:show", "show one run", _show),
)
_SCORING: tuple[_Command, ...] = (
    ("disentangle", "scoring:disentangle", "score how far a code tells the known factors of its data apart", _scores),
    ("study", "studies:study", "measure what a GAN is good for: study augmentation, study list", _study),
    ("hidden", "hiding:hidden", "look for what a CycleGAN's F writes into its outputs for G to read", _hidden),
    ("copying", "copies:copying", "look for copies of training pictures among the samples of a run", _hidden),
)
_KEEPING: tuple[_Command, ...] = (
    ("checkpoints", "keeping:checkpoints", "list the checkpoints of a run, pin and unpin them", _checkpoints),
    ("delete", "keeping:delete", "take runs and comparisons off every list; they stay whole until `purge`", _bin),
    ("restore-run", "keeping:restore_run", "take back what was deleted", _bin),
    ("purge", "keeping:purge", "remove what was deleted for good", _purge),
    ("fsck", "keeping:check", "look for damage in a store, and change nothing; exits 1 if there is any", _fsck),
    ("backup", "keeping:backup", "write the whole store as one zip file, while runs train", _copy),
    ("restore", "keeping:restore", "make a store from a backup; never overwrites one", _copy),
)
_SERVING: tuple[_Command, ...] = (
    (
        "class",
        "serving:serve_class",
        "serve the dashboard to the network: one teacher, and everyone else may watch",
        _class,
    ),
)
