"""What is the real data, can the classifier that judges samples be trusted, and how do I bring my own?"""

import streamlit as st

from gan_core.engine import Choice, DataError, catalogue, dataset_facts
from gan_core.ui.data_facts import show_classifier, show_delete, show_images, show_origin, show_points
from gan_core.ui.data_intake import just_kept, show_intake, show_missing
from gan_core.ui.pressing import PageEnds
from gan_core.ui.shell import TRAIN, about_card, lab, say

BUILT_IN, PUBLISHED, OWN = "Built in", "Published sets", "Your own"
PAINT = "paint"  # in the place of a data set's name: a painting is to be made


def group_of(choice: Choice) -> str:
    if choice.name.startswith("own:"):
        return OWN
    return PUBLISHED if choice.download_size or choice.missing or choice.name == "celeba" else BUILT_IN


def arrive(made: str) -> None:
    """A fresh row of data sets, in which what has come in is chosen."""
    st.session_state["arrived"] = made
    st.session_state["arrivals"] = st.session_state.get("arrivals", 0) + 1


if made := just_kept(lab()):  # first: whatever has come in by then is a choice below
    arrive(made)
choices = catalogue()["datasets"]
groups = {group: [name for name in choices if group_of(choices[name]) == group] for group in (BUILT_IN, PUBLISHED, OWN)}
# Kept until it is shown: this run of the page may be broken off before.
wanted = st.session_state.get("arrived") or st.query_params.get("data", "")
st.title("Data", anchor=False)
if wanted.startswith("own:") and wanted not in choices:
    st.warning("This data set is not on this machine any more.", icon=":material/delete:")
adds = wanted == PAINT
start = OWN if adds else group_of(choices[wanted]) if wanted in choices else BUILT_IN
group = st.segmented_control("Group", list(groups), default=start, key="group", label_visibility="collapsed") or start
names = groups[group]
adding = "Add data"
if group == OWN:
    names = [*names, adding]
name = st.pills(
    "Data set",
    names,
    default=wanted if wanted in names else adding if adds and adding in names else names[0],
    format_func=lambda item: choices[item].about.title if item in choices else f":material/add: {item}",
    key=f"dataset:{group}:{len(names)}:{st.session_state.get('arrivals', 0)}",
    label_visibility="collapsed",
) or (wanted if wanted in names else names[0])

st.session_state.pop("arrived", None)

if name == adding:
    if not groups[OWN]:
        st.markdown(
            "Nothing of your own yet. Bring pictures or points, and they can be trained on like any other data."
        )
    with st.container(border=True):
        made = show_intake(lab(), paints=adds)
    if made:
        arrive(made)
        st.rerun()
    raise PageEnds

choice = choices[name]
if st.query_params.get("data") != name:
    st.query_params["data"] = name
left, right = st.columns([3, 2], gap="large")
with right, st.container(border=True):
    st.subheader(choice.about.title, anchor=False)
    about_card(choice.about)
    if not choice.missing and st.button(
        "Train on this", type="primary", icon=":material/play_arrow:", key=f"train:{name}"
    ):
        st.switch_page(TRAIN, query_params={"part": f"datasets:{name}"})
    if group == OWN:
        show_origin(lab(), choice)

with left:
    facts = None
    if choice.missing:
        show_missing(lab(), choice)
    else:
        try:
            with st.spinner("reading the data…"):
                facts = dataset_facts(name, lab().classifiers)
        except DataError as error:
            say(error)
    if facts is not None:
        if facts.kind == "images":
            show_images(facts)
        else:
            show_points(facts)

with right:
    if facts is not None and facts.judged:
        show_classifier(facts, lambda: dataset_facts(name, lab().classifiers))
    deletable = group == OWN or (group == PUBLISHED and choice.download_size and not choice.missing)
    if deletable and show_delete(lab(), choice, files=group == PUBLISHED):
        del st.query_params["data"]
        st.rerun()
