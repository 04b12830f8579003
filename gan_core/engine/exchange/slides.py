"""The filmstrip of a collapse as slides: one HTML file that opens anywhere without a network, and prints a page for each."""

from __future__ import annotations

import io
from base64 import b64encode
from html import escape

from PIL import Image

from gan_core.engine.exchange.film import still
from gan_core.engine.exchange.filmstrip import Drawn, read_collapse
from gan_core.store import RunStore

SIDE = 760  # pixels of the samples on a slide
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
html, body { margin: 0; height: 100%; background: #fff; color: #1b1e23; font-family: system-ui, sans-serif }
section { box-sizing: border-box; height: 100vh; padding: 3vh 4vw; display: none; flex-direction: column }
section.here { display: flex }
h1 { margin: 0; font-size: 6vh; line-height: 1.15 }
p { margin: 0.5vh 0 2vh; font-size: 3.2vh; color: #5a626c }
img { flex: 1; min-height: 0; object-fit: contain; object-position: center top }
output { position: fixed; right: 2vw; bottom: 1vh; font-size: 2.4vh; color: #5a626c }
@media print {
  @page { size: landscape; margin: 0 }
  section { display: flex; break-after: page }
  output { display: none }
}
"""
SCRIPT = """
const slides = [...document.querySelectorAll('section')]
const place = document.querySelector('output')
let at = 0
function go(to) {
  at = Math.max(0, Math.min(slides.length - 1, to))
  slides.forEach((slide, index) => slide.classList.toggle('here', index === at))
  place.textContent = `${at + 1} of ${slides.length}`
}
const ways = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ' ': 1, Enter: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1,
  Home: -Infinity, End: Infinity }
addEventListener('keydown', (event) => {
  if (!(event.key in ways)) return
  event.preventDefault()
  go(at + ways[event.key])
})
addEventListener('click', () => go(at + 1))
go(0)
"""


def slides(store: RunStore, run_id: str) -> str:
    """A slide for the whole strip, then one for each scene: the samples at its round over the lanes up to there.

    Arrows, Space and a click go on. Raises RunNotFound, and StoreError where no collapse was seen.
    """
    reel, course, told = read_collapse(store, run_id)
    drawn = Drawn(course, told, dark=False)
    pictures = [still(store, reel, reel.at(scene.round), drawn.side) for scene in told.scenes]
    first, last = told.span
    span = f"rounds {first:,} to {last:,}, {len(course.names)} modes"
    parts = [_slide(store.run(run_id).name, span, drawn.whole(pictures))]
    for scene in told.scenes:
        picture = drawn.moment(still(store, reel, reel.at(scene.round), SIDE), scene.round)
        words = " · ".join(part for part in (f"round {scene.round:,}", scene.told) if part)
        parts.append(_slide(scene.title, words, picture))
    title = escape(store.run(run_id).name)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style></head>'
        f"<body>{''.join(parts)}<output></output><script>{SCRIPT}</script></body></html>\n"
    )


def _slide(title: str, words: str, picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    data = b64encode(buffer.getvalue()).decode()
    described = escape(f"{title}: {words}", quote=True)
    return (
        f"<section><h1>{escape(title)}</h1><p>{escape(words)}</p>"
        f'<img alt="{described}" src="data:image/png;base64,{data}"></section>'
    )
