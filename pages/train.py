"""What if? Every setting of a run, what it means, what it costs, and Start."""

import streamlit as st

from gan_core.config import ConfigError, GanConfig, RunConfig, diff, preset_config, turned
from gan_core.engine import Choice, DataError, Forecast, catalogue, expected, in_words, training_now
from gan_core.ui import sections
from gan_core.ui.beginning import base_config
from gan_core.ui.cluster_form import takes
from gan_core.ui.compare_form import compare_from
from gan_core.ui.forecasting import measured_now, pace_of
from gan_core.ui.forms import MARK, ConfigForm, objective_names
from gan_core.ui.layers import layer_tables
from gan_core.ui.rights import why_not
from gan_core.ui.shell import BEGINS, about_card, as_typed, copy_as, lab, say, start, start_button

MOST_NAMED = 3  # problems above the button; all stand beside their fields
MOST_ACROSS = 4  # numbers in a row, each of a few digits
choices: dict[str, dict[str, Choice]] = catalogue()
st.html(BEGINS)
left, right = st.columns([3, 2], gap="large")
brought: dict[str, object] = {}

with left:
    heading = st.empty()
    base, scope, preset = base_config(choices)
    if len(choices["games"]) > 1:
        game = st.selectbox(
            "Game",
            list(choices["games"]),
            list(choices["games"]).index(st.query_params.get("game", base.game)),
            format_func=lambda name: choices["games"][name].about.title,
            key=f"game:{scope}",
            help="Who plays, and for what; every game has settings of its own",
        )
        if game != base.game:
            base, scope = base.replace({"game": game}), f"{scope}:{game}"
    about = choices["games"][base.game].about
    heading.title("Train a GAN" if isinstance(base, GanConfig) else f"Train: {about.title}", anchor=False)
    if isinstance(base, GanConfig):
        titles = objective_names()
        wanted = st.query_params.get("objective", base.objective.name)
        objective = st.selectbox(
            "Objective",
            list(titles),
            list(titles).index(wanted if wanted in titles else base.objective.name),
            format_func=titles.__getitem__,
            key=f"objective:{scope}",
            help="Brings the paper's loss, regularisers, optimisers and steps per player; every value can be changed below",
        )
        if objective != base.objective.name:
            before, base = base, base.replace({"objective": objective})
            brought = {field: value for field, (_, value) in diff(before, base).items() if field != "objective.name"}
            st.caption(f"{titles[objective]} brings: {as_typed(turned(brought))}. Each is marked {MARK.strip()} below.")
        about = choices["objectives"][objective].about
    form = ConfigForm(base, choices, f"{scope}:{base.recipe}", brought)

    with st.expander("Data", expanded=True, icon=":material/dataset:"):
        form.group("data", skip=("options",))
        form.options("data.options", choices["datasets"][form.settings["data"]["name"]])
    sections.of_run(form, base)
    with st.expander("Schedule, seed and device", expanded=True, icon=":material/schedule:"):
        form.group("schedule")
        form.group("", skip=("game",))
    with st.expander("Diagnostics", icon=":material/monitoring:"):
        form.group("diagnostics")
    share = takes(form.settings["device"], scope)

with right:
    forecasted: Forecast | None = None
    config: RunConfig | None = None
    try:
        config = RunConfig.load(form.settings)
        if reason := why_not("start"):  # measuring takes the processor from the runs that are being watched
            st.info(reason, icon=":material/lock:")
        else:
            forecasted = measured_now(config.to_json())
            form.show_advice(forecasted.advice)
    except ConfigError as error:
        form.show_problems(error.problems)
        say(ConfigError(error.problems[:MOST_NAMED]))
        if len(error.problems) > MOST_NAMED:
            st.caption(f"And {len(error.problems) - MOST_NAMED} more; each is marked beside its field.")
    except DataError as error:
        say(error, ":material/folder_open:")

    with st.container(border=True, key="begins"):
        name = st.text_input("Name of the run", max_chars=120, placeholder="made from the settings")
        if forecasted is not None and config is not None:
            told = len(forecasted.parameters) + 1
            across = told if told <= MOST_ACROSS else 3
            *learned, pace = [cell for _ in range(0, told, across) for cell in st.columns(across)][:told]
            for (role, count), column in zip(forecasted.parameters.items(), learned, strict=True):
                column.metric(f"{role} parameters", f"{count:,}")
            known, training = pace_of(config, forecasted), training_now(lab().store.runs(limit=50))
            pace.metric("1,000 rounds", in_words(1000 * known.seconds_per_round), help=known.basis.capitalize())
            st.caption(f"All {config.schedule.rounds:,} rounds: {expected(config, known, training=training)}.")
        wanted_now = start_button(
            "Start",
            key="start",
            seen=form.drawn,
            type="primary",
            icon=":material/play_arrow:",
            width="stretch",
            disabled=forecasted is None,
        )
        if wanted_now and config is not None:
            start(config, key="start", name=name, takes=share)
        if config is not None and st.button(
            "Compare…", icon=":material/compare_arrows:", help="Vary something of these settings, over several seeds"
        ):
            compare_from(config)

    if forecasted is not None:
        with st.container(border=True):
            layer_tables(forecasted.layers)
    with st.container(border=True):
        st.subheader(about.title, anchor=False)
        about_card(about)
    if config is not None:
        section = st.expander("Copy as code", icon=":material/code:", key="copy-as-code", on_change="rerun")
        if section.open:
            named = preset_config(preset) if preset else RunConfig()
            reference = named.replace({"game": config.game})
            changed = (
                {} if config == reference else {field: value for field, (_, value) in diff(reference, config).items()}
            )
            other = {} if config.game == named.game else {"game": config.game}
            with section:
                copy_as(config.to_dict(), other | changed, preset)
