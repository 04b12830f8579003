"""A run or a comparison as one HTML file that opens anywhere, also without a network. No Streamlit here.

Plotly's script stands in the file once, pictures are data URIs, and a content security policy forbids everything else.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

import gan_core
from gan_core.config import ConfigError, RunConfig, diff, flatten, losses_of
from gan_core.engine.comparing import standings
from gan_core.engine.comparing.headlines import as_sentence, headlines
from gan_core.engine.comparing.standings import Standing
from gan_core.engine.comparing.variants import look_up
from gan_core.engine.exchange.film import Reel, reels, still
from gan_core.engine.exchange.packs import class_names
from gan_core.engine.exchange.reproducing import code, what_differs
from gan_core.engine.library.history import happenings, line_of, marks
from gan_core.said import said
from gan_core.store import ComparisonRecord, RunRecord, RunStore, StoreError
from gan_core.ui import charts, comparison_charts, theme
from gan_core.ui.result_figures import curves_of, thinned

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
LOOKS = 5  # rounds at which samples are shown
SIDE = 224  # pixels of a picture of samples
_HERE = Path(__file__).parent
Chart = tuple[str, go.Figure]


def report(store: RunStore, wanted: str) -> str:
    """The report of a run or a comparison by its id. Raises RunNotFound."""
    comparison, run_ids = look_up(store, wanted)
    return _Report(store).of_run(store.run(run_ids[0])) if comparison is None else _Report(store).of(comparison)


class _Report:
    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._figures: list[tuple[str, str]] = []

    def of(self, comparison: ComparisonRecord) -> str:
        found = standings.read_standings(self._store, comparison.id)
        floors = standings.read_floors(self._store, found)
        first = {standing.variant: standing.run for standing in reversed(found)}
        shown = {variant: first[variant] for variant in standings.variants(found)}
        measured = standings.measures(found)
        seeds = sorted({standing.seed for standing in found})
        parts = [
            _line(f"{len(found)} runs: {len(shown)} variants, seeds {', '.join(map(str, seeds))}. {_states(found)}"),
            _section("Who is ahead", self._standings(found, floors, measured)),
            _section("What was generated", self._samples(comparison.id, f"seed {seeds[0]}" if seeds else "")),
            _section("Over all seeds", self._charts(self._measures(found, floors, measured))),
            _section("Losses", self._charts([chart for v, run in shown.items() for chart in self._losses(run, v)]))
            + _note("Losses of different objectives have different scales; compare the measures above instead."),
            _section("Classes and modes", self._charts([c for v, run in shown.items() for c in self._classes(run, v)])),
            _section("What differs", self._differences(comparison, found)),
            _section("What was done while they trained", self._history([standing.run for standing in found])),
            self._made_with(comparison.id, list(shown.values())),
        ]
        return self._page(comparison.name, parts)

    def of_run(self, run: RunRecord) -> str:
        verdict = run.summary.get("verdict", {})
        metrics = {name: value for name, value in run.summary.get("metrics", {}).items() if name in standings.METRICS}
        floors = standings.read_floors(self._store, [Standing("", 0, run, {})])
        parts = [
            _line(f"{run.status.capitalize()} after {run.rounds:,} rounds. {verdict.get('sentence', '')}"),
            _section("Measured at the end", _table([_MEASURED, *_numbers(metrics, floors)])),
            _section("What was generated", self._samples(run.id, "")),
            _section("Losses", self._charts(self._losses(run, ""))),
            _section("Measures", self._charts(self._measures_of(run))),
            _section("Classes and modes", self._charts(self._classes(run, ""))),
            _section("Settings", self._settings(run)),
            _section("What was done while it trained", self._history([run])),
            self._made_with(run.id, [run]),
        ]
        return self._page(run.name, parts)

    def _measures_of(self, run: RunRecord) -> Iterable[Chart]:
        track = self._store.track(run.id, "diagnostics")
        for name in track.columns:
            if name in standings.METRICS:
                title = standings.title(name)
                series = {name: thinned(track.rounds, track.column(name))}
                yield title, charts.curves(series, y_title=title, marks=self._marks(run))

    def _marks(self, run: RunRecord) -> list[tuple[float, str]]:
        return marks(happenings(self._store, run))

    def _history(self, runs: Sequence[RunRecord]) -> str:
        """What was turned, forked, paused, stopped: a row each; nothing for runs that were left alone."""
        rows = [
            [*([run.name] if len(runs) > 1 else []), f"{one.round:,}", one.what]
            for run in runs
            for one in happenings(self._store, run)
        ]
        head = [*(["run"] if len(runs) > 1 else []), "after round", "what"]
        return _table([head, *rows]) if rows else ""

    def _standings(self, found: Sequence[Standing], floors: Mapping[str, float], measured: Sequence[str]) -> str:
        if not measured:
            return _line("Nothing has been measured.")
        rows = [["measure", *standings.variants(found), "real data", "better"]]
        for metric in measured:
            cells = [standings.cell(row) for row in standings.table(found, metric, floors.get(metric))]
            way = standings.METRICS[metric].way
            rows.append([standings.title(metric), *cells, standings.real(metric, floors), way])
        sentences = {metric: standings.verdicts(found, metric, floors.get(metric)) for metric in measured}
        first, *others = measured
        more = "".join(_list(sentences[metric]) for metric in others if sentences[metric])
        return (
            _list([as_sentence(headline) for headline in headlines(found, floors)])
            + _list(sentences[first])
            + (f"<details><summary>By the other measures</summary>{more}</details>" if more else "")
            + _table(rows)
            + _note(
                "Mean ± standard deviation over seeds of the last measurement; in brackets the rank. Runs that failed or "
                "diverged have no result. A difference counts when Student's interval and the bootstrap's of the paired "
                "differences leave out zero."
            )
        )

    def _measures(
        self, found: Sequence[Standing], floors: Mapping[str, float], measured: Sequence[str]
    ) -> Iterable[Chart]:
        for metric in measured:
            curves: dict[str, dict[int, standings.Curve]] = {}
            for standing in found:
                if metric in standing.curves:
                    curves.setdefault(standing.variant, {})[standing.seed] = standing.curves[metric]
            title = standings.title(metric)
            yield title, comparison_charts.over_seeds(curves, y_title=title, floor=floors.get(metric))

    def _losses(self, run: RunRecord, variant: str) -> Iterable[Chart]:
        losses = curves_of(self._store, run, "turns", losses_of(run.config), "loss", self._marks(run))
        yield f"Losses of {variant}" if variant else "Losses", losses

    def _classes(self, run: RunRecord, variant: str) -> Iterable[Chart]:
        frame = self._store.latest_frame(run.id, "histogram")
        events = self._store.events(run.id)
        names = class_names(events)
        if frame is None or not names:
            return
        reference: dict[str, Any] = {}
        for event in events:
            reference |= event.data if event.kind == "reference" else {}
        bars = [reference.get(name, ()) for name in ("real_share", "band_low", "band_high")]
        part = frame.parts["histogram"]
        last = reference.get("unsure_label", "unsure")
        bins, title = ("mode", "Points per mode") if "centers" in reference else ("class", "Classes")
        figure = charts.class_histogram(names, *bars, counts=part["counts"], n=part["n"], last=last, bins=bins)
        yield f"{title}{f' of {variant}' if variant else ''}, round {frame.round:,}", figure

    def _samples(self, wanted: str, told: str) -> str:
        try:
            shown = reels(self._store, wanted)
        except StoreError as error:
            return _line(str(error))
        rounds = sorted({frame.round for reel in shown for frame in reel.frames})
        chosen = [rounds[round(i)] for i in np.linspace(0, len(rounds) - 1, min(len(rounds), LOOKS))]
        rows = [f"<tr><th></th>{''.join(f'<th>round {place:,}</th>' for place in chosen)}</tr>"]
        for reel in shown:
            cells = "".join(f"<td>{self._picture(reel, place)}</td>" for place in chosen)
            rows.append(f"<tr><th>{escape(reel.title)}</th>{cells}</tr>")
        note = _note(f"From the same noise at every round; {told}." if told else "From the same noise at every round.")
        return f'<div class="wide"><table class="samples">{"".join(rows)}</table></div>{note}'

    def _picture(self, reel: Reel, place: int) -> str:
        frame = reel.at(place)
        if place > frame.round and place > reel.run.rounds:
            return f'<span class="quiet">ended at {reel.run.rounds:,}</span>'
        try:
            picture = still(self._store, reel, frame, SIDE)
        except StoreError:
            return '<span class="quiet">gone</span>'
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG")
        return embedded(buffer.getvalue(), f"samples of {reel.title} at round {frame.round}")

    def _differences(self, comparison: ComparisonRecord, found: Sequence[Standing]) -> str:
        differing = what_differs(comparison, [(standing.variant, standing.run) for standing in found])
        names = standings.variants(found)
        parts = []
        for asked, told in ((True, "What was asked for"), (False, "What an objective brought with its recipe")):
            rows = [[d.field, *(_plain(d.values.get(name)) for name in names)] for d in differing if d.asked is asked]
            if rows:
                parts.append(_line(told) + _table([["setting", *names], *rows]))
        return "".join(parts) or _line("Nothing.")

    def _settings(self, run: RunRecord) -> str:
        try:
            changed = diff(RunConfig(), RunConfig.load(run.config))
        except ConfigError as error:
            return _line(str(error))
        turned: dict[str, list[str]] = {}
        line = line_of(self._store, run)
        for round, values in (line[-1].knobs if line else {}).items():
            for knob, value in values.items():
                turned.setdefault(knob, []).append(f"{_plain(value)} from round {round + 1:,}")
        rows = [[field, _plain(value), _plain(default)] for field, (default, value) in changed.items()]
        settings = flatten(run.config)
        rows += [[knob, _plain(settings.get(knob)), ""] for knob in turned if knob not in changed]
        rows = [[field, "; ".join([value, *turned.get(field, [])]), default] for field, value, default in rows]
        return _table([["setting", "value", "default"], *rows]) if rows else _line("The defaults.")

    def _made_with(self, wanted: str, runs: Sequence[RunRecord]) -> str:
        versions: dict[str, set[str]] = {"GANscope, this report": {gan_core.__version__}}
        for run in runs:
            for name, value in run.environment.items():
                versions.setdefault(name, set()).add(str(value))
        rows = [[name, ", ".join(sorted(values))] for name, values in versions.items()]
        rows += [["ids", ", ".join([wanted, *(run.id for run in runs if run.id != wanted)])]]
        try:
            again = f"<pre>{escape(code(self._store, wanted))}</pre>"
            again = f"<details><summary>The Python that makes it again</summary>{again}</details>"
        except ConfigError:
            again = ""
        return _section("Made with", _table(rows) + again)

    def _charts(self, found: Iterable[Chart]) -> str:
        made = []
        for title, figure in found:
            figure.update_layout(height=300, font={"color": "#17202a"}, hoverlabel={"bgcolor": "white"})
            self._figures.append((f"chart-{len(self._figures)}", figure.to_json()))
            key = self._figures[-1][0]
            buttons = "".join(
                f'<button data-chart="{key}" data-format="{kind}" data-name="{escape(title)}">{kind.upper()}</button>'
                for kind in ("png", "svg")
            )
            made.append(
                f'<figure><figcaption>{escape(title)}<span>{buttons}</span></figcaption><div id="{key}"></div></figure>'
            )
        return f'<div class="charts">{"".join(made)}</div>' if made else ""

    def _page(self, title: str, parts: Sequence[str]) -> str:
        # No text of a figure can end the script: "<" is written as an escape.
        figures = ",".join(f'"{key}":{figure}' for key, figure in self._figures).replace("<", "\\u003c")
        style, script = ((_HERE / name).read_text("utf-8") for name in ("report.css", "report.js"))
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}</title><style>:root{{--d:{theme.D}}}{style}</style></head><body>"
            f"<main><h1>{escape(title)}</h1>{''.join(parts)}</main>"
            f"<script>{get_plotlyjs()}</script><script>const FIGURES = {{{figures}}};\n{script}</script></body></html>"
        )


_MEASURED = ["measure", "this run", "near real", "real data", "better"]


def _numbers(metrics: Mapping[str, float], floors: Mapping[str, float]) -> Iterable[list[str]]:
    """A row for each measure: its value, whether real data reads about as much, what real data reads, which way is better."""
    for name, value in metrics.items():
        metric = standings.METRICS[name]
        near = "" if name not in floors else "✓" if metric.near_real(value, floors[name]) else "✗"
        real, way = standings.real(name, floors), metric.way
        silent = standings.says_nothing(name, metrics)
        told = ["–", "", real, silent] if silent else [said(value, metric.form), near, real, way]
        yield [standings.title(name), *told]


def embedded(png: bytes, alt: str) -> str:
    """A picture that is part of the file."""
    return f'<img src="data:image/png;base64,{b64encode(png).decode()}" alt="{escape(alt)}">'


def _states(found: Sequence[Standing]) -> str:
    states = [standing.run.status for standing in found]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) + "."


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def _line(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _note(text: str) -> str:
    return f'<p class="quiet">{escape(text)}</p>'


def _list(texts: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    if len(rows) < 1:
        return ""
    head, *body = rows
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in body)
    return (
        f'<div class="wide"><table><tr>{"".join(f"<th>{escape(cell)}</th>" for cell in head)}</tr>{cells}</table></div>'
    )


def _plain(value: Any) -> str:
    return "–" if value is None else str(value)
