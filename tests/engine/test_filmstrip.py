"""The filmstrip of a collapse: which rounds tell it, and what is drawn of it."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_core.engine.exchange.filmstrip import WIDTH, Course, filmstrip, moving_filmstrip, story
from gan_core.engine.exchange.slides import slides
from gan_core.store import RunStore, StoreError

NAMES = ("a", "b", "c", "d")
#          0  10    20   30    40   50
THERE = ["abc", "abcd", "abc", "c", "cd", "abcd"]


def course(there: list[str]) -> Course:
    table = np.array([[name in row for name in NAMES] for row in there])
    return Course(np.arange(len(there)) * 10, table * 0.25, table, NAMES, np.full(4, 0.25))


def test_each_mode_dies_where_it_was_seen_last_before_the_fewest_were_left() -> None:
    told = story(course(THERE), sign=15)
    assert told is not None
    assert [(scene.round, scene.title) for scene in told.scenes] == [
        (10, "before"),
        (15, "first sign"),
        (20, "mode d dies"),
        (30, "modes a, b die"),
        (50, "as many again"),
    ]
    assert told.died == {"d": 20, "a": 30, "b": 30}
    assert told.scenes[3].told == "1 left"


def test_without_a_cure_the_end_is_shown_as_it_is() -> None:
    told = story(course(THERE[:-1]))
    assert told is not None
    assert [scene.title for scene in told.scenes] == ["before", "mode d dies", "modes a, b die", "at the end"]
    assert told.scenes[-1].told == "2 of 4"


def test_a_sign_that_is_no_news_is_left_out() -> None:
    for sign in (5, 20, 45):
        told = story(course(THERE), sign)
        assert told is not None
        assert "first sign" not in [scene.title for scene in told.scenes]


@pytest.mark.parametrize("there", [["abcd"] * 5, ["abcd", "abc", "abcd", "bcd"], ["a", "ab", "abc"], ["abcd", "a"]])
def test_where_no_more_than_a_quarter_is_lost_there_is_no_story(there: list[str]) -> None:
    assert story(course(there)) is None


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore(tmp_path)
    store.create("a-run", name="a run", config={})
    store.add_event("a-run", 0, "reference", {"class_names": list(NAMES), "points": [[0, 0]]})
    for place, row in enumerate(THERE):
        at = {"fake": [[0.1 * place, 0]], "critic": [[0, 1], [1, 0]], "xs": [-1, 1], "ys": [-1, 1]}
        file = store.save_artefact("a-run", "points", "json", json.dumps(at).encode())
        counts = [25 * (name in row) for name in NAMES] + [0]
        store.add_frame("a-run", 10 * place, {"points": {"file": file}, "histogram": {"counts": counts, "n": 100}})
    store.flush()
    return store


def test_what_no_verdict_called_a_loss_is_no_collapse(store: RunStore) -> None:
    with pytest.raises(StoreError, match="No collapse"):
        filmstrip(store, "a-run")


def test_the_strip_has_a_picture_per_scene_and_the_film_one_per_round(store: RunStore) -> None:
    store.add_event("a-run", 30, "verdict", {"state": "collapsed", "first_sign": 15})
    store.add_event("a-run", 40, "forked", {"changes": {"objective.penalties": {"r1": 0.1}}})
    store.flush()
    strip = Image.open(io.BytesIO(filmstrip(store, "a-run")))
    dark = Image.open(io.BytesIO(filmstrip(store, "a-run", dark=True)))
    assert strip.size == dark.size
    assert strip.width == WIDTH
    assert (strip.getpixel((2, 2)), dark.getpixel((2, 2))) == ((255, 255, 255), (14, 17, 23))
    film = Image.open(io.BytesIO(moving_filmstrip(store, "a-run")))
    assert film.n_frames == 5, "from shortly before the story to shortly after"


def test_slides_are_one_file_with_a_page_for_the_strip_and_for_each_scene(store: RunStore) -> None:
    store.update("a-run", name="<a> run")
    store.add_event("a-run", 30, "verdict", {"state": "collapsed", "first_sign": 15})
    store.flush()
    told = slides(store, "a-run")
    titles = re.findall("<h1>(.*?)</h1>", told)
    assert titles == ["&lt;a&gt; run", "before", "first sign", "mode d dies", "modes a, b die", "as many again"]
    assert not re.search(r"(src|href)=.(?!data:)", told), "nothing is loaded"
    pictures = [Image.open(io.BytesIO(b64decode(data))) for data in re.findall('base64,([^"]*)"', told)]
    assert len(pictures) == len(titles)
    assert {picture.width for picture in pictures} == {WIDTH}
