"""The Watch page's parts: which buttons and which panels a run has."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from gan_core.about import About
from gan_core.config import ConfigError, RunConfig
from gan_core.engine import Choice, Lab, StepOf, data_choice, describe, traits
from gan_core.engine.comparing import standings
from gan_core.engine.library.catalogue import OF_FEW, WITHOUT_LABELS
from gan_core.server.roles import Action
from gan_core.store import RunRecord
from gan_core.ui import live_view
from gan_core.ui.forking import open_fork_dialog


@dataclass(frozen=True)
class Button:
    command: str
    label: str
    icon: str
    help: str
    action: Action = "steer"
    rare: bool = False
    """Whether it stands in the menu, not in the row."""


_PAUSE = Button("pause", "Pause", ":material/pause:", "Wait after this turn; nothing is lost")
_RESUME = Button("resume", "Resume", ":material/play_arrow:", "Go on")
_STOP = Button("stop", "Stop", ":material/stop:", "End after this round and save; it can be continued later")
_SAMPLE = Button("sample", "Sample now", ":material/photo_camera:", "Measure and show samples of this very round")
_SAVE = Button("checkpoint", "Save", ":material/save:", "Write a checkpoint of this round", rare=True)
_CONTINUE = Button("continue", "Continue", ":material/play_arrow:", "Go on from the newest checkpoint, exactly")

_STEP_OF = "step:"  # and the player
_STEP_ROUND = Button("step_round", "Round", ":material/fast_forward:", "Play to the end of this round")
_FORK = Button(
    "fork", "Fork from here…", ":material/call_split:", "Go on from these weights with something changed", "teach"
)

_BIRTHDAY = Button(
    "birthday",
    "Count distinct",
    ":material/cake:",
    "Birthday test: how many different samples there are, from how often two are alike",
    rare=True,
)

_BUTTONS = {
    "queued": (_STOP,),
    "running": (_PAUSE, _SAMPLE, _BIRTHDAY, _SAVE, _STOP, _FORK),
    "paused": (_RESUME, _STEP_ROUND, _BIRTHDAY, _STOP, _FORK),
    "finished": (_FORK,),
    "stopped": (_CONTINUE, _FORK),
    "interrupted": (_CONTINUE, _FORK),
    "failed": (_CONTINUE, _FORK),
    "diverged": (_FORK,),
}


def buttons_for(state: str, players: Iterable[str] = ()) -> tuple[Button, ...]:
    """What can be asked of a run in this state, of a paused one a turn of each of its players among them."""
    return tuple(
        button
        for known in _BUTTONS.get(state, ())
        for button in (*(map(_turn_of, players) if known is _STEP_ROUND else ()), known)
    )


def players_of(run: RunRecord) -> tuple[str, ...]:
    """Who plays in a run, in the order in which they move; nobody in one of a version with other settings."""
    try:
        return tuple(RunConfig.load(run.config).seats)
    except ConfigError:
        return ()


def _turn_of(player: str) -> Button:
    help = f"Play to the end of {player}'s next turn, and see what it did"
    return Button(f"{_STEP_OF}{player}", f"{player} turn", ":material/skip_next:", help)


def obey(lab: Lab, run_id: str, command: str) -> None:
    """Carry out a button. Raises Refused where the run cannot do it any more."""
    if command == "fork":
        open_fork_dialog(run_id)
    elif command == "continue":
        lab.resume(run_id)
    elif command.startswith(_STEP_OF):
        lab.command(run_id, StepOf(command.removeprefix(_STEP_OF)))
    else:
        lab.command(run_id, command)  # type: ignore[arg-type]


_UNLABELLED = ("std_ratio", "vendi_score", "mmd2")
_MOMENTS = ("mean", "std", "skew", "kurtosis")
_NEAR = ("precision", "recall", "density", "coverage")
_CLASSES = ("effective_modes", "entropy", "kl_to_real", "largest_share", "class_diversity")
_OF_CATEGORIES = ("code_agreement", "code_of_real")
_SHARPNESS = ("sample_grey_share", "sample_laplacian_variance")
_COUNTS = ("modes_covered", "modes_captured")
# What is measured of a kind of data, counted or not; the first five that a run has lead, the others are in the table.
_OF_DATA = {
    ("images", True): (
        *("modes_covered", "unsure_share", "frechet_distance", "recall", "class_diversity"),
        *("precision", "density", "coverage", "modes_captured", *_CLASSES[:-1], "js_to_real", "classifier_score"),
        *_UNLABELLED,
        *OF_FEW,
        *_SHARPNESS,
    ),
    ("images", False): (*WITHOUT_LABELS[:3], *OF_FEW, "std_ratio", *WITHOUT_LABELS[3:], *_SHARPNESS),
    ("points", True): (
        *("modes_covered", "high_quality_share", "sliced_wasserstein", "recall", "std_ratio"),
        *("precision", "density", "coverage", "modes_captured", *_CLASSES, *_UNLABELLED[1:]),
    ),
    ("points", False): ("sliced_wasserstein", "recall", "precision", "std_ratio", "vendi_score", *_NEAR[2:], "mmd2"),
    ("density", True): (
        *("modes_covered", "high_quality_share", "wasserstein", "mean", "std"),
        *("modes_captured", *_CLASSES, *_MOMENTS[2:], *_UNLABELLED),
    ),
    ("density", False): ("wasserstein", *_MOMENTS, *_UNLABELLED),
}
_ASKED = ("label_accuracy", "never_shown_accuracy")  # before these, of a game with classes
_LEAD = 5
_OF_CODES = (
    *("rec_error", "class_kept", "knn_accuracy", "code_mmd2", "active_dimensions"),
    *("grey_share", "laplacian_variance", "rec_ratio", "rec_gap", "linear_accuracy", "code_correlation"),
    *("code_variance_least", "code_variance_most"),
)
_OF_STAIRS = ("from_half_frechet", "from_quarter_frechet", "from_half_class", "from_quarter_class")
_OF_PAIRS = (
    *("target_class", "absolute_error", "ink_brightness", "ink_saturation", "psnr", "target_frechet"),
    *("ssim", "consistency"),
)
_OF_BOTH_WAYS = (
    *("translated_class", "translated_class_back", "modes_right", "share_right", "cycle_error", "cycle_error_back"),
    *("frechet_distance", "sliced_wasserstein"),
)
_LEAD_OF_PAIRS = 6


def number_of(column: str) -> dict[str, Any]:
    """One measure as the panel of numbers takes it."""
    metric = standings.METRICS[column]
    told = {
        "column": column,
        "label": metric.about.title,
        "format": metric.form,
        "better": metric.better,
        "way": metric.way,
        "floor_of": metric.floor_of,
        "slack": metric.slack,
        "counts": column in _COUNTS,
        "help": f"{metric.about.idea} {metric.about.watch_for}",
    }
    if column in standings.AMONG_REAL:
        told["unless"] = [
            {"column": other, "low": max(low, -1.0), "high": min(high, 2.0), "why": why}  # JSON knows no infinity
            for other, (low, high, why) in standings.MUSH.items()
        ]
    return told


def kind_of(data_name: str) -> str:
    """How the samples of a data set are shown: ``images``, ``points`` or ``density``."""
    return _data_of(data_name).kind


def _data_of(name: str) -> Choice:
    """What is known of a run's data; a run of a version with other data sets is shown as images."""
    try:
        return data_choice(name)
    except KeyError:
        return Choice(name, About("", "", 0, "", "", ""), kind="images", counted=True)


def panels_for(run: RunRecord) -> list[live_view.Panel]:
    """The panels of a run's Watch page, from its config."""
    data = run.config.get("data", {}).get("name", "")
    kind, counted = kind_of(data), _data_of(data).counted
    try:
        config = RunConfig.load(run.config)
        told = describe(config)
    except (ConfigError, KeyError):  # a run of a version with other names: its curves can still be seen
        return live_view.watch_layout(kind, classes=counted)
    curves = told["curves"]
    game = traits(config)
    samples = "sample" in game.abilities
    made = _made(game.abilities)
    sight = {
        "images": lambda: live_view.samples_panel(
            title="Samples from fixed noise" if samples else f"{made[0].upper()}{made[1:]} of fixed samples", of=made
        ),
        "points": lambda: live_view.points_panel(abilities=game.abilities, of=made),
        "density": lambda: live_view.density_panel(note=game.note, judged="judge" in game.abilities),
    }[kind]()
    asked = _ASKED[: 1 + _data_of(data).withholds] if game.conditional else ()
    measured = [*asked, *_OF_DATA[kind, counted]]
    coded = counted and game.categories > 1
    numbers = [number_of(name) for name in [*(_OF_CATEGORIES if coded else ()), *measured]]
    numbers = [{**number, "lead": place < _LEAD} for place, number in enumerate(numbers)]
    losses = curves["losses"]
    title = "Losses" if all(column.endswith(".loss") for column in losses) else "Losses, and what is in them"
    panels = [live_view.curves_panel("loss-chart", title, losses, y_title="loss", of=game.of, reading=True)]
    if counted:
        panels += _counts(kind, made)
    if coded:
        panels.append(_codes())
    if "encode" in game.abilities and kind == "images":
        panels += _sheets(game.plane)
    if kind == "density":
        panels.append(_moments())
    likely = told["score_unit"] == "probability"
    unit = "mean probability of being real" if likely else "mean score"
    for chart in (chart for chart in game.charts if chart.name != "losses" and curves[chart.name]):
        panels.append(
            live_view.curves_panel(
                f"{chart.name}-chart",
                chart.title,
                curves[chart.name],
                y_title=chart.y_title or unit,
                of=game.of,
                y_range=(0, 1) if likely and not chart.y_title else None,
                log_y=chart.log_y,
            )
        )
    panels.append(live_view.numbers_panel(numbers, span="all"))
    if "encode" in game.abilities:
        panels.append(_code())
    return _arranged(sight, panels, kind, game.abilities)


def _arranged(
    sight: live_view.Panel, panels: list[live_view.Panel], kind: str, abilities: Collection[str]
) -> list[live_view.Panel]:
    """What carries the lesson comes first, and is the largest: samples, or held-out inputs with what became of them."""
    first, measures = [sight], []
    if "translate" in abilities:
        *sheets, told = _both_ways(kind) if "translate_back" in abilities else _pairs()
        first, measures = [*sheets, sight], [told]
    if "climb" in abilities:
        staircase, told = _stairs()
        first, measures = [sight, staircase], [told]
    first[0]["span"] = "large"
    return [first[0], *panels[:2], *first[1:], *measures, *panels[2:]]


def _made(abilities: Collection[str]) -> str:
    """What is shown and measured of a game with these abilities."""
    if "sample" in abilities:
        return "generated samples"
    return "outputs G(a)" if "translate_back" in abilities else "reconstructions"


def _pairs() -> list[live_view.Panel]:
    """Held-out outputs beside their targets, and what is measured of many, each number with what it is read beside."""
    numbers = [{**number_of(name), "lead": place < _LEAD_OF_PAIRS} for place, name in enumerate(_OF_PAIRS)]
    return [
        live_view.sheet_panel("translated", "Input, output and target, held out", "translated"),
        live_view.numbers_panel(
            numbers, slot="pair-numbers", title="Outputs and targets, held out", beside="read beside", span="all"
        ),
    ]


def _both_ways(kind: str) -> list[live_view.Panel]:
    """Held-out samples of both kinds, there and back, and what is measured of many."""
    numbers = [{**number_of(name), "lead": place < _LEAD} for place, name in enumerate(_OF_BOTH_WAYS)]
    measured = live_view.numbers_panel(
        numbers, slot="both-ways", title="There and back, held out", beside="read beside", span="all"
    )
    if kind != "images":
        return [measured]
    return [live_view.sheet_panel("translated", "There and back, held out", "translated"), measured]


def _stairs() -> list[live_view.Panel]:
    """The levels of samples beside one another, and what the details are worth on real pictures made coarse."""
    return [
        live_view.sheet_panel("staircase", "From level to level", "staircase", span="all"),
        live_view.numbers_panel(
            [{**number_of(name), "lead": True} for name in _OF_STAIRS],
            slot="stairs-numbers",
            title="Details on real pictures made coarse",
            beside="read beside",
        ),
    ]


def _sheets(plane: bool) -> list[live_view.Panel]:
    """What is decoded of codes that are pushed about, and of a whole plane of codes."""
    note = (
        "Decoded all over the prior: equal shares of it lie between neighbours. Beside it: codes of held-out samples."
    )
    whole = live_view.sheet_panel("manifold", "The plane of codes", "manifold", codes="codes", note=note, span="all")
    noise = live_view.sheet_panel("perturbed", "Codes with noise, decoded", "perturbed")
    return [whole, noise] if plane else [noise]


def _code() -> live_view.Panel:
    """What is measured of codes and of reconstructions, each number with what it is read beside."""
    numbers = [{**number_of(name), "lead": place < _LEAD} for place, name in enumerate(_OF_CODES)]
    return live_view.numbers_panel(
        numbers, slot="code-numbers", title="The code, on held-out samples", beside="read beside", span="all"
    )


def _counts(kind: str, made: str) -> list[live_view.Panel]:
    """How many samples are of each class, or near each mode, now and over time."""
    if kind == "images":
        return [
            live_view.histogram_panel(title=f"Classes of the {made}", of=made),
            live_view.heatmap_panel(
                title=f"Classes of the {made} over time" if made == "reconstructions" else "Classes over time"
            ),
        ]
    return [
        live_view.histogram_panel(title="Points per mode", bins="mode", of=made),
        live_view.heatmap_panel(title="Modes over time", bins="mode"),
    ]


def _codes() -> live_view.Panel:
    """How the categories of the code agree with the classes of samples and of real data, and what stands beside that."""
    return live_view.curves_panel(
        "codes-chart",
        "Code and class",
        (*_OF_CATEGORIES, "code_by_chance", "kmeans_of_real"),
        y_title="share that agrees",
        track="diagnostics",
        y_range=(0, 1),
        note="Each code is named by a class of its own in the best way; what is of no class is wrong. The bound L_I knows "
        "nothing of this.",
    )


def _moments() -> live_view.Panel:
    return live_view.curves_panel(
        "moments-chart",
        "Moments of the generated points",
        _MOMENTS,
        y_title="data units",
        track="diagnostics",
        floors=True,
        note="Dotted: what as many real points read. Skewness and excess kurtosis of a Gaussian are 0.",
    )
