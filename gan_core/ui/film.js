// @ts-check
// A film: one Plotly figure, and for some of its traces what they look like in every frame. Nothing comes from the server
// while it plays. The slider is the browser's own, so the keyboard and a screen reader know it; the space bar plays.

import { isTyping, targetOf } from "./keyboard.js"
import { el, setText } from "./live/elements.js"
import { drawn, loadPlotly, PLOTLY_CONFIG, purgeWhenDrawn, translucent } from "./live/plotly.js"
import { STAGE_LETTERS } from "./live/stage.js"
import { mounting } from "./mounting.js"

const NARROW = 300 // pixels of two charts side by side

class FilmView {
  /**
   * @param {HTMLElement} parent
   * @param {any} component
   */
  constructor(parent, component) {
    this.at = Math.min(component.data.start, component.data.captions.length - 1)
    /** @type {number[]} */
    this.echoes = []
    /** @type {() => void} */
    this.report = () => {}
    /** @type {number} */
    this.playing = 0
    /** @type {number} */
    this.resizing = 0
    /** @type {number} */
    this.frame = 0
    /** @type {any} The element, with what Plotly puts there. */
    this.chart = el("div", { class: "gf-chart", role: "img" })
    this.playButton = el("button", { type: "button", class: "gf-button", "data-testid": "film-play" }, "▶")
    this.range = el("input", { type: "range", class: "gf-range", min: 0, step: 1, "data-testid": "film-slider" })
    this.caption = el("output", { class: "gf-caption", "data-testid": "film-caption" })
    this.fault = el("p", { class: "gf-fault", role: "alert", hidden: true })
    this.bar = el("div", { class: "gf-bar", role: "group" }, this.playButton, this.range)
    this.root = el("div", { class: "gf-root" }, this.chart, this.fault, this.bar, this.caption)
    this.playButton.onclick = () => (this.playing ? this.pause() : this.play())
    this.range.oninput = () => {
      this.stop()
      this.seek(Number(this.range.value))
    }
    this.range.onchange = () => this.report()
    this.root.onkeydown = (event) => this.key(event)
    this.chart.ondblclick = () => this.fill(!this.staged)
    /** @type {number | null} */
    this.drawn = null // the place that the chart shows
    this.pressed = (/** @type {KeyboardEvent} */ event) => this.stageKey(event)
    window.addEventListener("keydown", this.pressed, true) // before the page's own keys
    parent.append(this.root)
    this.take(component)
    this.seek(this.at) // the caption has its room before the chart is there
    this.start()
  }

  /** @param {any} component */
  take(component) {
    const old = this.data
    this.report = () => {
      this.echoes.push(this.at)
      component.setStateValue("at", this.at)
    }
    this.data = component.data
    this.chart.setAttribute("aria-label", this.data.title)
    this.range.setAttribute("aria-label", this.data.title)
    this.range.max = String(this.data.captions.length - 1)
    this.bar.hidden = this.data.captions.length < 2
    this.root.style.setProperty("--gf-room", `${this.data.room}rem`)
    if (!old) return
    // What was reported comes back as the start, later than the next move: only another number is a wish of the page.
    const echo = this.echoes.indexOf(this.data.start)
    this.echoes.splice(0, echo + 1)
    if (this.data.start !== old.start && echo < 0) {
      this.stop()
      this.at = this.data.start
    }
    this.at = Math.min(this.at, this.data.captions.length - 1)
    const changed = JSON.stringify([old.figure, old.moving]) !== JSON.stringify([this.data.figure, this.data.moving])
    if (changed || this.palette() !== this.painted) this.draw()
    else this.seek(this.at)
  }

  async start() {
    try {
      this.Plotly = await loadPlotly(this.data.plotly)
    } catch (error) {
      setText(this.fault, `The figure cannot be drawn: ${error.message}.`)
      this.fault.hidden = false
      return
    }
    if (this.gone) return
    await this.draw()
    if (this.gone) return
    this.observer = new ResizeObserver(() => {
      cancelAnimationFrame(this.resizing)
      this.resizing = requestAnimationFrame(() => {
        if (this.chart.offsetParent !== null && !this.gone) drawn(this.chart, this.Plotly.Plots.resize(this.chart))
      })
    })
    this.observer.observe(this.chart)
  }

  palette() {
    const style = getComputedStyle(this.root)
    return JSON.stringify([style.color, style.getPropertyValue("--st-background-color").trim(), style.fontFamily])
  }

  async draw() {
    if (!this.Plotly) return
    this.painted = this.palette()
    const [text, background, family] = JSON.parse(this.painted)
    const { data, layout } = structuredClone(this.data.figure)
    layout.font = { ...layout.font, color: text, family }
    const { xaxis, xaxis2 } = layout
    if (this.chart.clientWidth < NARROW && xaxis2?.domain?.[0] > 0.5) {
      xaxis.domain[1] = 0.4
      xaxis2.domain[0] = 0.62 // room for the title between both charts
    }
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: background, font: { size: 13, color: text } }
    for (const annotation of layout.annotations || []) annotation.bgcolor = translucent(background, 0.75)
    await drawn(this.chart, this.Plotly.react(this.chart, data, layout, { ...PLOTLY_CONFIG, displayModeBar: false }))
    if (this.gone) return
    this.drawn = null
    this.seek(this.at)
  }

  /** @param {number} at */
  seek(at) {
    this.at = Math.max(0, Math.min(at, this.data.captions.length - 1))
    if (Number(this.range.value) !== this.at) this.range.value = String(this.at)
    const caption = this.data.captions[this.at]
    setText(this.caption, caption)
    this.range.setAttribute("aria-valuetext", caption)
    if (!this.frame) this.frame = requestAnimationFrame(() => this.show())
  }

  show() {
    this.frame = 0
    if (this.gone || !this.chart.data || this.drawn === this.at) return
    this.drawn = this.at
    /** @type {{ traces: number[], update: Record<string, any[]> }} */
    const whole = { traces: [], update: { x: [], y: [] } }
    /** @type {{ traces: number[], update: Record<string, any[]> }} */
    const values = { traces: [], update: { y: [] } }
    for (const { trace, kind, x, y } of this.data.moving) {
      const { traces, update } = x ? whole : values
      const from = kind === "point" ? this.at : 0
      const cut = (/** @type {any[]} */ series) =>
        kind === "frames" ? series[this.at] : series.slice(from, this.at + 1)
      traces.push(trace)
      update.y.push(cut(y))
      if (x) update.x.push(cut(x))
    }
    for (const { traces, update } of [whole, values]) if (traces.length) this.Plotly.restyle(this.chart, update, traces)
  }

  play() {
    const last = this.data.captions.length - 1
    if (this.at >= last) this.seek(0)
    const from = this.at
    const began = performance.now()
    const turn = (/** @type {number} */ now) => {
      const at = from + Math.floor(((now - began) / 1000 / this.data.seconds) * (last + 1))
      this.seek(at)
      if (at >= last) this.pause()
      else this.playing = requestAnimationFrame(turn)
    }
    this.playing = requestAnimationFrame(turn)
    this.button()
  }

  stop() {
    cancelAnimationFrame(this.playing)
    this.playing = 0
    this.button()
  }

  pause() {
    this.stop()
    this.report()
  }

  button() {
    setText(this.playButton, this.playing ? "❚❚" : "▶")
    this.playButton.setAttribute("aria-label", this.playing ? "pause" : "play")
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const onRange = event.target === this.range
    if (event.key === " " && onRange) this.playing ? this.pause() : this.play()
    else if (!onRange && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      this.stop()
      this.seek(this.at + (event.key === "ArrowLeft" ? -1 : 1))
      this.report()
    } else return
    event.preventDefault()
  }

  get staged() {
    return this.root.hasAttribute("data-on-stage")
  }

  // The film fills the window, and its slider has the keys.
  /** @param {boolean} whole */
  fill(whole) {
    this.root.toggleAttribute("data-on-stage", whole)
    document.documentElement.classList.toggle("gf-staged", whole)
    if (this.chart.data)
      this.Plotly.relayout(this.chart, { "font.size": whole ? STAGE_LETTERS : this.data.figure.layout.font.size })
    if (whole) this.range.focus()
  }

  /** @param {KeyboardEvent} event */
  stageKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.repeat || isTyping(targetOf(event))) return
    if (event.key === "Escape" ? !this.staged : event.key !== "s" || !this.root.checkVisibility()) return
    event.preventDefault()
    event.stopImmediatePropagation()
    this.fill(!this.staged)
  }

  destroy() {
    this.gone = true
    window.removeEventListener("keydown", this.pressed, true)
    if (this.staged) this.fill(false)
    cancelAnimationFrame(this.playing)
    cancelAnimationFrame(this.frame)
    cancelAnimationFrame(this.resizing)
    if (this.observer) this.observer.disconnect()
    if (this.Plotly) purgeWhenDrawn(this.Plotly, this.chart)
    this.root.remove()
  }
}

export default mounting(
  (component) => new FilmView(component.parentElement, component),
  (film, component) => film.take(component),
)
