"""Training runs and reading what they left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gan_core.api.stores import open_store
from gan_core.config import RunConfig
from gan_core.engine import Lab, advice, default_root, prepare_classifier, use_store
from gan_core.engine.exchange.generator import Generator, open_generator
from gan_core.engine.library.history import KnobsByRound
from gan_core.engine.showing.live import stored_view
from gan_core.engine.showing.parts import STANDING, first_of
from gan_core.store import RunRecord, RunStore

if TYPE_CHECKING:
    import plotly.graph_objects as go

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Result:
    """A run that has ended. ``scalars`` has one row per round, ``diagnostics`` one per measurement, both with a column
    ``round``; ``metrics`` are the last measurements; ``verdict`` says what the run is like (``state``), since when
    (``onset_round``), why (``sentence``, ``evidence``) and what to try (``cures``); ``state_hash`` is the SHA-256 of the whole
    training state, equal for equal runs.

    ``samples`` maps the rounds at which the run was looked at to what was seen: of images the file of a picture, of points on
    a plane a table (n, 2), on a line the density (bins, 2) as columns x and p, both in the units of the data.
    """

    run: str
    status: str
    rounds: int
    seconds: float
    metrics: dict[str, float]
    state_hash: str | None
    scalars: pd.DataFrame
    diagnostics: pd.DataFrame
    samples: Mapping[int, Any]
    store: Path
    message: str = ""
    verdict: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def generator(self) -> Generator:
        """G as the run left it: ``generator(z, y)`` for z (n, ``generator.latent_dim``). Raises StoreError where no
        checkpoint of the run is left.
        """
        with open_store(self.store) as opened:
            return open_generator(opened, self.run)

    def sample(self, n: int, y: int | str | Sequence[int | str] | None = None, seed: int = 0) -> np.ndarray:
        """``n`` samples of G as the run left it: images uint8 (n, C, H, W), points (n, d) in the units of the data.

        ``y``, of a conditional run only, is a class for all or one for each, as an index or a name. Raises ValueError for a
        class that does not fit, StoreError as ``generator``.
        """
        return self.generator.sample(n, y, seed)

    def plot(self, what: str = "losses") -> go.Figure:
        """A Plotly figure: ``"losses"``, ``"samples"`` of the last look, or a column of ``diagnostics`` or ``scalars``.

        Raises ValueError for anything else, StoreError where nothing was seen.
        """
        from gan_core.ui import result_figures

        with open_store(self.store) as opened:
            return result_figures.figure(opened, opened.run(self.run), what)

    def _repr_html_(self) -> str:
        """What a notebook shows of a result: its end, its verdict, its last samples and measurements."""
        from gan_core.ui import result_figures

        with open_store(self.store) as opened:
            return result_figures.card(opened, opened.run(self.run), self.verdict)


class _Seen(Mapping[int, Any]):
    """What was seen by round; the table of a round is read when somebody asks for it."""

    def __init__(self, files: dict[int, Path]) -> None:
        self._files = files

    def __getitem__(self, round: int) -> Any:
        file = self._files[round]
        if file.suffix != ".json":
            return file
        seen = json.loads(file.read_bytes())
        fake = np.array(seen["fake"], dtype=np.float64)
        return fake.reshape(-1, 2) if "ys" in seen else np.column_stack([seen["xs"], fake])

    def __iter__(self) -> Iterator[int]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"<samples of {len(self)} rounds: {', '.join(map(str, list(self)[:5]))}{', …' if len(self) > 5 else ''}>"


def train(
    config: RunConfig | None = None,
    *,
    store: Path | str | None = None,
    name: str = "",
    knobs: KnobsByRound | None = None,
    until: int | None = None,
    progress: Progress | None = None,
    ray: str | None = None,
) -> Result:
    """Train one run to its end in this process and return what was recorded.

    The run is kept in ``store`` (default: ``GANSCOPE_STORE`` or ``runs``), where the dashboard shows it. ``knobs`` are
    turned while it trains: ``{120: {"optimizers.generator.lr": 0.05}}`` acts from round 121 on. ``until`` stops it after so
    many rounds, whatever its clock says. A run that was steered by hand is this with what was turned, bit for bit.
    ``progress(status)`` is called about twice a second. Raises ConfigError for a config that cannot be built; a run
    that fails or diverges is returned with that status. Ctrl-C interrupts the run, saves it and is raised again.
    """
    config = RunConfig() if config is None else config
    use_store(Path(default_root() if store is None else store))  # where a data set of one's own is looked for
    advice(config)  # refused before a store is made for it
    with Lab(default_root() if store is None else store, ray=ray) as lab:
        prepare_classifier(lab, config)
        return follow(lab, lab.submit(config, name=name, knobs=knobs, until=until), progress)


def resume(
    run_id: str, *, store: Path | str | None = None, progress: Progress | None = None, ray: str | None = None
) -> Result:
    """Go on with a run that did not finish, exactly where its newest checkpoint left it. Raises RunNotFound, Refused."""
    with Lab(default_root() if store is None else store, ray=ray) as lab:
        lab.resume(run_id)
        return follow(lab, run_id, progress)


def fork(
    run_id: str,
    changes: Mapping[str, Any] | None = None,
    *,
    at: int | None = None,
    store: Path | str | None = None,
    name: str = "",
    knobs: KnobsByRound | None = None,
    until: int | None = None,
    progress: Progress | None = None,
    ray: str | None = None,
) -> Result:
    """Go on from a checkpoint of a run as another run, with dotted settings changed, and train that one to its end.

    ``at`` is the round of the checkpoint; None is the newest. ``knobs`` and ``until`` are those of `train`, in the rounds of
    the fork, which go on counting. ``scalars`` of the result begin with the parent's rounds.
    Raises RunNotFound, Refused where there is no such checkpoint, ConfigError where the changed run cannot be built.
    """
    with Lab(default_root() if store is None else store, ray=ray) as lab:
        child = lab.fork(run_id, changes, at=at, name=name, knobs=knobs, until=until)
        return follow(lab, child, progress)


def read_result(store: RunStore, run: RunRecord) -> Result:
    """What the store holds of a run, also of one that still trains."""
    frames = store.frames(run.id)
    return Result(
        run=run.id,
        status=run.status,
        rounds=run.rounds,
        seconds=float(run.summary.get("seconds", 0.0)),
        metrics=dict(run.summary.get("metrics", {})),
        state_hash=run.summary.get("state_hash"),
        scalars=store.track(run.id, "turns").frame(),
        diagnostics=store.track(run.id, "diagnostics").frame(),
        samples=_Seen(
            {
                frame.round: store.artefact_path(run.id, frame.parts[part]["file"])
                for frame in frames
                if (part := first_of(STANDING, frame.parts))
            }
        ),
        store=store.root,
        message=run.message,
        verdict=run.summary.get("verdict") or stored_view(store, run).status["verdict"],
    )


def follow(lab: Lab, run_id: str, progress: Progress | None = None) -> Result:
    """Wait for a run of this lab to end."""
    while lab.is_active(run_id):
        view = lab.view(run_id)  # one that was lost on a cluster goes on with another
        lab.wait(run_id, timeout=0.5)
        if progress is not None:
            progress(view.status)
    return read_result(lab.store, lab.store.run(run_id))
