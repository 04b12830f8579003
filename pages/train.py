"""What if? Every setting of a run, what it means, what it costs, and Start."""

import streamlit as st

from gan_core.config import ConfigError, RunConfig, diff, preset_config
from gan_core.engine import Choice, DataError, Forecast, catalogue, expected, in_words, training_now
from gan_core.ui.beginning import base_config
from gan_core.ui.compare_form import compare_from
from gan_core.ui.forecasting import measured_now, pace_of
from gan_core.ui.forms import ConfigForm, objective_names
from gan_core.ui.layers import layer_tables
from gan_core.ui.rights import why_not
from gan_core.ui.shell import about_card, copy_as, lab, say, start, start_button

MOST_NAMED = 3  # problems above the button; all stand beside their fields
choices: dict[str, dict[str, Choice]] = catalogue()
left, right = st.columns([3, 2], gap="large")

with left:
    st.title("Train a GAN", anchor=False)
    base, scope, preset = base_config(choices)
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
        base = base.replace({"objective": objective})
    form = ConfigForm(base, choices, f"{scope}:{objective}")

    with st.expander("Data", expanded=True, icon=":material/dataset:"):
        form.group("data", skip=("options",))
        form.options("data.options", choices["datasets"][form.settings["data"]["name"]])
    with st.expander("Networks", expanded=True, icon=":material/account_tree:"):
        form.group("model", columns=3)
        for player in ("generator", "discriminator"):
            st.markdown(f"**{player.capitalize()}**")
            form.group(f"model.{player}", columns=3)
    with st.expander("Loss and regularisers", icon=":material/balance:"):
        form.group("objective", skip=("name",))
        form.options("objective.options", choices["losses"][form.settings["objective"]["loss"]])
        form.penalties()
    with st.expander("Tricks", icon=":material/healing:"):
        form.group("tricks", columns=3)
    with st.expander("Optimisers", icon=":material/speed:"):
        for player, column in zip(("discriminator", "generator"), st.columns(2), strict=True):
            with column:
                st.markdown(f"**{player.capitalize()}**")
                form.group(f"optimizers.{player}", columns=1)
    with st.expander("Schedule, seed and device", expanded=True, icon=":material/schedule:"):
        form.group("schedule")
        form.group("", skip=("game",))
    with st.expander("Diagnostics", icon=":material/monitoring:"):
        form.group("diagnostics")

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

    with st.container(border=True):
        name = st.text_input("Name of the run", max_chars=120, placeholder="made from the settings")
        if forecasted is not None and config is not None:
            generator, discriminator, pace = st.columns(3)
            generator.metric("G parameters", f"{forecasted.parameters['G']:,}")
            discriminator.metric("D parameters", f"{forecasted.parameters['D']:,}")
            known, training = pace_of(config, forecasted), training_now(lab().store.runs(limit=50))
            pace.metric("1,000 rounds", in_words(1000 * known.seconds_per_round), help=known.basis.capitalize())
            told = expected(config, known, training=training)
            st.caption(f"All {config.schedule.rounds:,} rounds: {told}.")
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
            start(config, key="start", name=name)
        if config is not None and st.button(
            "Compare…", icon=":material/compare_arrows:", help="Vary something of these settings, over several seeds"
        ):
            compare_from(config)

    if forecasted is not None:
        with st.container(border=True):
            layer_tables(forecasted.layers)
    with st.container(border=True):
        st.subheader(choices["objectives"][objective].about.title, anchor=False)
        about_card(choices["objectives"][objective].about)
    if config is not None:
        with st.expander("Copy as code", icon=":material/code:"):
            reference = preset_config(preset) if preset else RunConfig()
            changed = (
                {} if config == reference else {field: value for field, (_, value) in diff(reference, config).items()}
            )
            copy_as(config.to_dict(), changed, preset)
