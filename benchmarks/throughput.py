"""Rounds per second of (a) the plain loop of a course, (b) our loop alone, (c) our loop in the dashboard, watched.

    python benchmarks/throughput.py                  # about ten minutes; writes docs/results/throughput.md
    python benchmarks/throughput.py --seconds 3 --cycles 1 --out /tmp/quick.md

Machines are noisy, so everything happens in one run, in slices that take turns: a, a with torch's own number of threads,
b, c, a, …; each slice goes on with the networks where its last one stopped. Ratios compare slices of the same cycle.

(c) is `app.py` itself in a process of its own (this file with ``--serve``), in which the run is started as the Train page
starts it, and a real Chromium with the run's Watch page open. While the others are measured the run is paused and the
page is blank.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.sections import command_line
from benchmarks.serving import Dashboard, WatchPage, cpu_seconds, machine, open_browser, parse_or_serve, serve
from gan_core.config import RunConfig, preset_config
from gan_core.data import ImageSource
from gan_core.engine import Lab
from gan_core.models import Dropout
from gan_core.training import build, count_parameters, load_source, play, resolve

NETWORKS = {"MLP": "digits-mlp", "DCGAN": "digits-dcgan"}
OBJECTIVE = {"objective": "ns_gan", "schedule.n_critic": 1, "schedule.rounds": 100_000_000, "device": "cpu"}
WARM_UP_ROUNDS = 10
SETTLE_SECONDS = 3.0


# (a) The plain loop of a course


def course_loader(source: ImageSource, batch_size: int, folder: Path) -> torch.utils.data.DataLoader:  # type: ignore[type-arg]
    """torchvision's MNIST over our 4,000 training digits: a PIL image and a transform per sample."""
    from torchvision import datasets, transforms

    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    assert source.y is not None
    images, labels = source.x[source.train_index, 0].numpy(), source.y[source.train_index].numpy().astype(np.uint8)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, *images.shape) + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, len(labels)) + labels.tobytes())
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    digits = datasets.MNIST(str(folder), train=True, transform=transform)
    return torch.utils.data.DataLoader(digits, batch_size=batch_size, shuffle=True, drop_last=True)


def course_networks(config: RunConfig, source: ImageSource) -> tuple[nn.Module, nn.Module]:
    """The layers of our preset as a course has them: torch's dropout, a sigmoid at the end of D."""
    game = build(config, source)
    for network in (game.G, game.D):
        for name, module in list(network.named_children()):
            if isinstance(module, Dropout):
                setattr(network, name, nn.Dropout(module.share))
        network.requires_grad_(True)
    return game.G, nn.Sequential(game.D, nn.Sigmoid())


def course_loop(config: RunConfig, source: ImageSource, folder: Path) -> Iterator[None]:
    """As it stands in many a notebook; yields after every round."""
    loader = course_loader(source, config.data.batch_size, folder)
    G, D = course_networks(config, source)
    criterion = nn.BCELoss()
    settings = config.optimizers.generator
    betas = (settings.beta1, settings.beta2)
    optimizer_G = torch.optim.Adam(G.parameters(), lr=settings.lr, betas=betas)
    optimizer_D = torch.optim.Adam(D.parameters(), lr=config.optimizers.discriminator.lr, betas=betas)
    history = []
    while True:
        for real, _ in loader:
            ones, zeros = torch.ones(len(real)), torch.zeros(len(real))

            D.zero_grad()
            output_real = D(real)
            loss_real = criterion(output_real, ones)
            loss_real.backward()
            fake = G(torch.randn(len(real), config.model.latent_dim))
            output_fake = D(fake.detach())
            loss_fake = criterion(output_fake, zeros)
            loss_fake.backward()
            optimizer_D.step()

            G.zero_grad()
            fake = G(torch.randn(len(real), config.model.latent_dim))
            output = D(fake)
            loss_G = criterion(output, ones)
            loss_G.backward()
            optimizer_G.step()

            history.append(
                (
                    loss_real.item() + loss_fake.item(),
                    loss_G.item(),
                    output_real.mean().item(),
                    output_fake.mean().item(),
                )
            )
            yield


# (b) Our loop alone


def bare_loop(config: RunConfig, source: ImageSource) -> Iterator[None]:
    for turn in play(build(config, source)):
        if turn.ends_round:
            yield


# Measuring


@dataclass
class Slices:
    """What one row of the table measured, a value per cycle."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, rate: float, cpu: float) -> None:
        self.rates.append(rate)
        self.cpu.append(cpu)

    @property
    def per_cpu_second(self) -> list[float]:
        return [rate / cpu for rate, cpu in zip(self.rates, self.cpu, strict=True)]


def measure(rounds: Iterator[None], seconds: float) -> tuple[float, float]:
    """Rounds per second over ``seconds``, and the CPU seconds per second that the process got meanwhile."""
    for _ in range(WARM_UP_ROUNDS):
        next(rounds)
    count, started, cpu = 0, time.perf_counter(), time.process_time()
    while (passed := time.perf_counter() - started) < seconds or count < WARM_UP_ROUNDS:
        next(rounds)
        count += 1
    return count / passed, (time.process_time() - cpu) / passed


# (c) The dashboard, watched


def _carry_out(do: str, run: str = "", **details: Any) -> dict[str, Any]:
    from gan_core.engine import open_lab
    from gan_core.engine.lab import prepare_classifier

    lab = open_lab()  # the one that the application's start-up opens, or has opened
    if do == "start":
        config = RunConfig.load(details["config"])
        prepare_classifier(lab, config)
        return {"run": lab.submit(config)}
    if do == "measure":
        return _measure_run(lab, run, details["seconds"])
    lab.command(run, do)  # type: ignore[arg-type]
    return {}


def _measure_run(lab: Lab, run_id: str, seconds: float) -> dict[str, float]:
    """The slope of rounds over wall-clock time through the recorder's ticks: measuring and all else is in it."""
    view = lab.view(run_id)
    ticks: list[tuple[float, int, float]] = []

    def on_tick() -> None:
        status = view.status
        ticks.append((time.perf_counter(), status["round"], status["elapsed"]))

    end = view.subscribe(on_tick)
    cpu = cpu_seconds()
    time.sleep(seconds)
    cpu = cpu_seconds() - cpu
    end()
    clock, rounds, training = (np.array(column) for column in zip(*ticks, strict=True))
    return {
        "rate": float(np.polyfit(clock - clock[0], rounds, 1)[0]),
        "training_share": float((training[-1] - training[0]) / (clock[-1] - clock[0])),
        "cpu": cpu / seconds,
    }


def measure_watched(dashboard: Dashboard, run: str, page: WatchPage, seconds: float) -> dict[str, float]:
    dashboard.ask("resume", run=run)
    page.open()
    time.sleep(SETTLE_SECONDS)
    before = page.last_round_drawn()
    result = dashboard.ask("measure", run=run, seconds=seconds)
    after = page.last_round_drawn()
    if after <= before:
        raise RuntimeError("the page did not draw while it was measured")
    dashboard.ask("pause", run=run)
    page.leave()
    return result


# All of it


ROWS = ("a", "a*", "b", "c")
RATIOS = (("b", "a"), ("b", "a*"), ("c", "b"))
AIMS = {"MLP": {("b", "a"): 3.0, ("c", "b"): 0.95}, "DCGAN": {("c", "b"): 0.95}}


@dataclass
class Outcome:
    config: RunConfig
    rows: dict[str, Slices]
    training_share: list[float]

    def ratio(self, one: str, other: str, what: str = "rates") -> float:
        """The median over the cycles of one rate over the other."""
        pairs = zip(getattr(self.rows[one], what), getattr(self.rows[other], what), strict=True)
        return median(x / y for x, y in pairs)


def compare(preset: str, folder: Path, browser: Any, cycles: int, seconds: float, threads: int) -> Outcome:
    config = resolve(preset_config(preset, OBJECTIVE))
    source = load_source(config)
    assert isinstance(source, ImageSource)
    torch.manual_seed(0)
    course, course_threads = (course_loop(config, source, folder / name) for name in ("a", "b"))
    bare = bare_loop(config, source)
    dashboard = Dashboard(folder, __file__)
    outcome = Outcome(config, {row: Slices() for row in ROWS}, [])
    try:
        run_id = dashboard.ask("start", config=config.to_dict())["run"]
        page = WatchPage(browser, f"http://localhost:{dashboard.port}/watch?run={run_id}")
        page.open()
        page.leave()
        dashboard.ask("pause", run=run_id)
        for cycle in range(cycles):
            torch.set_num_threads(1)
            outcome.rows["a"].add(*measure(course, seconds))
            torch.set_num_threads(threads)
            outcome.rows["a*"].add(*measure(course_threads, seconds))
            torch.set_num_threads(1)
            outcome.rows["b"].add(*measure(bare, seconds))
            watched = measure_watched(dashboard, run_id, page, 2 * seconds)
            outcome.rows["c"].add(watched["rate"], watched["cpu"])
            outcome.training_share.append(watched["training_share"])
            rates = "  ".join(f"{row} {slices.rates[-1]:7.1f}" for row, slices in outcome.rows.items())
            print(f"    cycle {cycle + 1}/{cycles}: rounds/s {rates}", file=sys.stderr, flush=True)
        dashboard.ask("stop", run=run_id)
    finally:
        dashboard.close()
    return outcome


def report(outcomes: dict[str, Outcome], command: str, threads: int, load: list[tuple[float, float, float]]) -> str:
    lines = [
        "# Throughput",
        "",
        "How many rounds per second the loop plays that a course would write, ours alone, and ours in the dashboard with a",
        "browser watching. Medians over the cycles; brackets hold the least and the greatest.",
        "",
        "| | what | " + " | ".join(f"{name}, rounds/s" for name in outcomes) + " |",
        "|---|---|" + "---|" * len(outcomes),
    ]
    what = {
        "a": "plain loop, 1 thread",
        "a*": f"plain loop, torch's default of {threads} thread{'s' if threads > 1 else ''}",
        "b": "our loop alone, 1 thread",
        "c": "our loop in the dashboard, watched",
    }
    for row in ROWS:
        cells = []
        for outcome in outcomes.values():
            rates = outcome.rows[row].rates
            cells.append(f"{median(rates):.1f} ({min(rates):.1f}–{max(rates):.1f})")
        lines.append(f"| {_shown(row)} | {what[row]} | {' | '.join(cells)} |")
    for pair in RATIOS:
        ratios = [f"**{outcome.ratio(*pair):.2f}**" for outcome in outcomes.values()]
        lines.append(f"| | {' ÷ '.join(map(_shown, pair))}, median of the cycles | {' | '.join(ratios)} |")
    lines += ["", "Aims: " + "; ".join(_aims(outcomes)) + ".", "", "## What each row is", ""]
    lines += [
        "* **a** torchvision's `datasets.MNIST` (a PIL image, `ToTensor` and `Normalize` per sample) over the 4,000 training",
        "  digits, a `DataLoader` without workers, `nn.BCELoss` on a sigmoid, `torch.optim.Adam` as it comes, two backward",
        "  passes for D, fresh noise for G's turn, and `.item()` of two losses, D(x) and D(G(z)) in every round.",
        "* **a′** the same with the number of intra-op threads that torch chooses by itself.",
        "* **b** `gan_core.training.build` and `play`, no recorder and no store; it computes D's readings and both",
        "  gradient norms, which (a) does not.",
        "* **c** the run started in the real application (`app.py` in its own process, submitted to its lab as the Train",
        "  page does it), with recorder, store, default diagnostics, and the Watch page open in headless Chromium, whose",
        "  loss chart must have moved or the benchmark fails. Rounds against the wall clock, so the time that diagnostics",
        "  take is in it.",
        "",
        "Networks, batch size and objective (`ns_gan`, one step of D per round) are the same in all rows:",
        "",
    ]
    for name, outcome in outcomes.items():
        parameters = count_parameters(outcome.config)
        model = outcome.config.model
        lines.append(
            f"* {name}: G {list(model.generator.widths)}, {parameters['G']:,} parameters; D {list(model.discriminator.widths)},"
            f" {parameters['D']:,} parameters; batch {outcome.config.data.batch_size}."
        )
    lines += ["", "## Every slice", "", "| | cycle | " + " | ".join(map(_shown, ROWS)) + " |"]
    lines.append("|---|---|" + "---|" * len(ROWS))
    for name, outcome in outcomes.items():
        for cycle in range(len(outcome.rows["a"].rates)):
            cells = [f"{outcome.rows[row].rates[cycle]:.1f}" for row in ROWS]
            lines.append(f"| {name} | {cycle + 1} | {' | '.join(cells)} |")
    lines += [
        "",
        "## Per CPU second",
        "",
        "Rounds per second of CPU time that the process got, and in brackets the CPU time it got per second. Where other",
        "work shares the machine, this is the steadier comparison. For (c) it counts all of the server and its",
        "processes: recorder, store, HTTP.",
        "",
        "| | " + " | ".join(outcomes) + " |",
        "|---|" + "---|" * len(outcomes),
    ]
    for row in ROWS:
        slices = [outcome.rows[row] for outcome in outcomes.values()]
        cells = [f"{median(one.per_cpu_second):.1f} ({median(one.cpu):.2f})" for one in slices]
        lines.append(f"| {_shown(row)} | {' | '.join(cells)} |")
    for pair in RATIOS:
        ratios = [f"{outcome.ratio(*pair, 'per_cpu_second'):.2f}" for outcome in outcomes.values()]
        lines.append(f"| {' ÷ '.join(map(_shown, pair))} | {' | '.join(ratios)} |")
    shares = ", ".join(f"{name} {median(outcome.training_share):.3f}" for name, outcome in outcomes.items())
    lines += ["", f"Share of the wall clock that the watched run spent training, not measuring: {shares}."]
    lines += [
        "",
        "## Machine and command",
        "",
        f"`{command}`",
        "",
        f"{machine(load)} The benchmark itself makes a load of 1 to 2.",
        "",
    ]
    return "\n".join(lines)


def _aims(outcomes: dict[str, Outcome]) -> Iterator[str]:
    """What was expected of the ratios, and what came of it."""
    for name, outcome in outcomes.items():
        for pair, least in AIMS.get(name, {}).items():
            ratio = outcome.ratio(*pair)
            verdict = "reached" if ratio >= least else "missed"
            yield f"{name}, {' ÷ '.join(map(_shown, pair))} ≥ {least:g}: {verdict} ({ratio:.2f})"


def _shown(row: str) -> str:
    return row.replace("*", "′")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=5, help="how often all take their turn (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="per slice of a and b; c gets twice that")
    parser.add_argument("--only", choices=NETWORKS, help="measure one of the networks")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "throughput.md")
    options = parse_or_serve(parser, partial(serve, carry_out=_carry_out))
    threads = torch.get_num_threads()
    load = [os.getloadavg()]
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        for name, preset in NETWORKS.items():
            if options.only in (None, name):
                print(f"{name} ({preset})", file=sys.stderr)
                outcomes[name] = compare(preset, Path(folder), browser, options.cycles, options.seconds, threads)
    load.append(os.getloadavg())
    command = command_line()
    options.out.write_text(report(outcomes, command, threads, load))
    for name, outcome in outcomes.items():
        ratios = [f"{' ÷ '.join(map(_shown, pair))} = {outcome.ratio(*pair):.2f}" for pair in RATIOS]
        print(f"{name}: {'  '.join(ratios)}")
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
