"""What shall be compared? The base, what varies, the seeds, and Start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from gan_core.config import (
    BUDGETS,
    PRESETS,
    TEMPLATES,
    Comparison,
    ConfigError,
    RunConfig,
    Template,
    Variant,
    differences_of,
    of_a_game,
    parse_seeds,
    parse_vary,
    preset_config,
)
from gan_core.config.comparison import MOST_VARIANTS, Difference
from gan_core.ui.forecasting import told_of_all
from gan_core.ui.forms import objective_names
from gan_core.ui.rights import why_not
from gan_core.ui.shell import COMPARE, click_of, lab, said_in_a_sentence, say, show_started, start_button

BASE = "compare:base"
FIELDS = "compare:fields"
START = "compare:start"
OBJECTIVES_CHOSEN = "objectives"
MOST_NAMED = 5
SETTING = "another setting"
UNITS = {"rounds": "rounds", "images": "images that are seen", "seconds": "seconds of training"}


def compare_from(config: RunConfig, *, template: str = "", vary: str = "", seeds: str = "") -> None:
    """Go to the Compare page with this configuration as the base, and its fields as given."""
    st.session_state[BASE] = config.to_json()
    what = template or (SETTING if vary else "")
    fields = {"compare:what": what, "compare:vary": vary, "compare:seeds": seeds}
    st.session_state[FIELDS] = {key: value for key, value in fields.items() if value}
    st.switch_page(COMPARE)


def _usual(config: RunConfig) -> str:
    """A setting with two values that can be compared in this game: the steps of its first player that has any."""
    steps = next((seat.steps_key for seat in config.seats.values() if seat.steps_key), "")
    return f"{steps}=1,5" if steps else "data.batch_size=32,128"


def show_form() -> None:
    """The form of a new comparison, and what it will differ in."""
    given = RunConfig.from_json(st.session_state[BASE]) if BASE in st.session_state else None
    st.session_state.update(st.session_state.pop(FIELDS, {}))
    for key, value in (("compare:vary", _usual(given or RunConfig())), ("compare:seeds", "0-2")):
        st.session_state.setdefault(key, value)
    left, right = st.columns([3, 2], gap="large")
    with left:
        wanted = st.selectbox(
            "Compare",
            [OBJECTIVES_CHOSEN, *TEMPLATES, SETTING] if given is None or given.recipe else [SETTING],
            format_func=lambda name: TEMPLATES[name].title if name in TEMPLATES else name.capitalize(),
            key="compare:what",
        )
        template = TEMPLATES.get(wanted)
        if template:
            st.caption(template.question)
        base = _base(given, template.preset if template else "ring-mlp", wanted)
        if (
            template and template.shows and base == preset_config(template.preset)
        ):  # of another base nobody has counted what it shows
            st.caption(f"What it shows: {template.shows}")
        seeds, unit, amount = st.columns(3)
        chosen_seeds = seeds.text_input(
            "Seeds", key="compare:seeds", help="Such as 0-4 or 1, 5, 9. With three or fewer, little can be told apart"
        )
        budget = unit.selectbox("Budget of each run in", BUDGETS, format_func=UNITS.__getitem__, key="compare:unit")
        amounts = {"rounds": (rounds := _rounds(base, template)), "images": rounds * base.images_per_round}
        spent = amount.number_input(
            UNITS[budget].capitalize(), 1, 10**12, amounts.get(budget, 60), key=f"compare:amount:{budget}:{wanted}"
        )
        if budget == "seconds":
            st.caption("Only training counts. How far a run comes depends on this machine and what else it is doing.")
        try:
            variants = _variants(wanted, base)
            comparison = Comparison.load(
                {"base": base, "variants": variants, "seeds": parse_seeds(chosen_seeds), budget: spent}
            )
        except ConfigError as error:
            for problem in error.problems:  # the terminal's options are the fields of the form
                say(replace(problem, field=problem.field.removeprefix("--").capitalize()))
            return
        runs = len(comparison.variants) * len(comparison.seeds)
        if why_not("teach") is None:  # measuring takes the processor from the runs that are being watched
            with said_in_a_sentence():
                st.caption(told_of_all(comparison.configs().values()))
        label, icon = f"Start {runs} runs", ":material/play_arrow:"
        shown = (label, wanted, budget, base.to_json(), [variant.name for variant in comparison.variants])
        if start_button(label, key=START, seen=shown, action="teach", type="primary", icon=icon):
            with said_in_a_sentence():
                made = lab().compare(comparison, key=click_of(START))
                show_started(START, COMPARE, {"comparison": made})
    with right:
        show_differences(differences_of(comparison))


def _rounds(base: RunConfig, template: Template | None) -> int:
    """As many as the template was made for, else as the base has, within what a class waits for."""
    return template.rounds if template and template.rounds else min(base.schedule.rounds, 3000)


def _base(given: RunConfig | None, preset: str, scope: str) -> RunConfig:
    names = list(PRESETS)
    if given is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Base: the settings you came with ({given.data.name}, {given.recipe or given.game})")
            if st.button("Take a preset instead", type="tertiary", icon=":material/close:"):
                del st.session_state[BASE]
                st.rerun()
        return given
    chosen = st.selectbox(
        "Base", names, names.index(preset), format_func=lambda name: PRESETS[name].title, key=f"compare:base:{scope}"
    )
    return preset_config(chosen)


def _variants(wanted: str, base: RunConfig) -> list[dict[str, Any]] | tuple[Variant, ...]:
    if wanted in TEMPLATES:
        return [{"name": name, "changes": changes} for name, changes in TEMPLATES[wanted].variants(base).items()]
    if wanted == SETTING:
        text = st.text_input(
            "What varies", key="compare:vary", help="Settings and their values, as on the command line"
        )
        return parse_vary(text)
    titles = objective_names()
    chosen = st.multiselect(
        "Objectives",
        list(titles),
        ["ns_gan", "wgan_gp", "ls_gan"],
        format_func=titles.__getitem__,
        max_selections=MOST_VARIANTS,
        key="compare:objectives",
    )
    same = st.toggle("The same optimiser and steps for all", help="Else each objective brings those of its paper")
    kept: dict[str, Any] = {seat.optimizer_key: seat.optimizer.model_dump(mode="json") for seat in base.seats.values()}
    kept |= {seat.steps_key: seat.steps for seat in base.seats.values()}
    return [
        {"name": titles[name].partition(" (")[0][:60], "changes": {"objective": name} | (kept if same else {})}
        for name in chosen
    ]


def show_differences(found: list[Difference]) -> None:
    """What differs between the variants, and a warning of what else does."""
    consists = [d for d in found if of_a_game(d, found)]
    asked, brought = ([d for d in found if d.asked is wanted and d not in consists] for wanted in (True, False))
    if asked:
        st.caption("What differs, and only that" if not brought else "What was asked for")
        st.dataframe(_rows(asked), hide_index=True)
    if brought:
        st.warning(
            "Something else differs too: a game or an objective brings what its paper trained it with. "
            "A difference may come from here.",
            icon=":material/balance:",
        )
        st.dataframe(_rows(brought), hide_index=True)
    if consists:
        with st.expander(f"Settings that only some of these games have: {len(consists)}", icon=":material/extension:"):
            st.dataframe(_rows(consists), hide_index=True)


def what_was_brought(found: list[Difference]) -> str:
    """A sentence that warns of what differs beside what was asked for; empty where nothing does."""
    fields = [difference.field for difference in found if not difference.asked]
    if not fields:
        return ""
    more = f" and {len(fields) - MOST_NAMED} more" if len(fields) > MOST_NAMED else ""
    return f"Beside what was asked for, these differ too: {', '.join(fields[:MOST_NAMED])}{more}."


def _rows(found: list[Difference]) -> list[dict[str, str]]:
    return [
        {"setting": d.field} | {name: "–" if value is None else str(value) for name, value in d.values.items()}
        for d in found
    ]
