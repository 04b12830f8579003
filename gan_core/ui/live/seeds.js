// @ts-check
// Measures over all seeds: the controls and the chart that they change.

import { mounting } from "../mounting.js"
import { el, setText } from "./elements.js"
import { drawn, loadPlotly, PLOTLY_CONFIG, purgeWhenDrawn } from "./plotly.js"
import { showMeasure } from "./registry.js"
import { smooth } from "./scaling.js"

const SWITCHES = [
  { name: "logx", button: "log x", title: "Logarithmic axis of rounds, images, steps or seconds" },
  { name: "logy", button: "log y", title: "Logarithmic axis of values" },
  {
    name: "cut",
    button: "leave out outliers",
    title:
      "The axis covers what lies between the 2 % and the 98 % quantile of all values that are drawn, and a little more",
  },
]
const TELL_AFTER = { metric: 400, other: 2500 } // ms after the last press, Python hears of the choice: tables follow the measure

const unpacked = (/** @type {string} */ text) =>
  new Float64Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer)

/** @typedef {import("./panels.js").Trace} Trace */
/** @typedef {{ name: string, button: string, title: string }} Named What can be chosen. */
/** @typedef {{ role: string, look: number, x: Record<string, number>, y: number }} Drawn A curve: its look and its values, by their places. */

class SeedsChart {
  /**
   * @param {HTMLElement} parent
   * @param {any} data
   * @param {(...args: any[]) => any} tell
   */
  constructor(parent, data, tell) {
    this.tell = tell
    this.shownLast = "" // what an update was drawn with
    this.choice = { ...data.view }
    this.told = this.choice.metric
    this.root = el("div", { class: "gs-seeds", "data-testid": "curves-over-seeds" })
    /** @type {any} The element, with what Plotly puts there. */
    this.chart = el("div", { class: "gs-seeds-chart", role: "group", "aria-roledescription": "chart" })
    this.note = el("p", { class: "gs-seeds-note", "aria-live": "polite" })
    this.measures = el("select", { class: "gs-measure", "aria-label": "Measure" })
    this.offered = "" // the measures that can be chosen
    this.offer(data.measured)
    this.root.append(this.controls(data), this.chart, this.note)
    parent.append(this.root)
    this.observer = new ResizeObserver(
      () => this.ready && this.chart.offsetParent && drawn(this.chart, this.Plotly.Plots.resize(this.chart)),
    )
    this.take(data)
    this.begin()
  }

  /** @param {any} data */
  take(data) {
    this.data = data
    this.arrays = data.arrays.map(unpacked)
    this.looks = data.looks.map((/** @type {string} */ text) => JSON.parse(text))
  }

  get measure() {
    return this.data.measures[this.choice.metric]
  }

  async begin() {
    try {
      this.Plotly = await loadPlotly(this.data.plotly)
    } catch (error) {
      setText(this.note, `The chart cannot be drawn: ${error.message}. Trying again…`)
      this.timer = setTimeout(() => this.begin(), 3000)
      return
    }
    if (this.gone) return
    await this.draw()
    if (this.gone) return
    this.ready = true
    this.observer.observe(this.chart)
  }

  // ── controls

  /**
   * While a comparison trains, there is more to choose from later.
   * @param {{ name: string, title: string }[]} measured
   */
  offer(measured) {
    const names = measured.map(({ name }) => name).join()
    if (names === this.offered) return
    this.offered = names
    this.measures.replaceChildren(
      ...measured.map(({ name, title }) => el("option", { value: name, selected: name === this.choice.metric }, title)),
    )
  }

  /** @param {any} data */
  controls(data) {
    const radios = (
      /** @type {string} */ field,
      /** @type {string} */ title,
      /** @type {string} */ help,
      /** @type {Named[]} */ options,
    ) =>
      el(
        "fieldset",
        { class: "gs-segments", title: help },
        el("legend", {}, title),
        ...options.map(({ name, button }) => {
          const radio = el("input", {
            type: "radio",
            name: `gs-seeds-${field}`,
            value: name,
            checked: this.choice[field] === name,
          })
          radio.addEventListener("change", () => this.choose({ [field]: name }))
          return el("label", {}, radio, el("span", {}, button))
        }),
      )
    const weight = el("output", {}, this.choice.smooth.toFixed(2))
    const range = el("input", {
      type: "range",
      min: 0,
      max: data.most,
      step: 0.01,
      value: this.choice.smooth,
      "aria-label": "Smoothing",
    })
    range.addEventListener("input", () => {
      setText(weight, Number(range.value).toFixed(2))
      this.choose({ smooth: Number(range.value) })
    })
    this.measures.addEventListener("change", () => this.choose({ metric: this.measures.value }))
    const smoothing =
      "Weight of the exponential moving average with bias correction; the curve itself stays, faint. Bands and single seeds are never smoothed."
    const switches = SWITCHES.map(({ name, button, title }) => {
      const box = el("input", { type: "checkbox", checked: this.choice[name] })
      box.addEventListener("change", () => this.choose({ [name]: box.checked }))
      return el("label", { title }, box, button)
    })
    return el(
      "div",
      { class: "gs-choices" },
      el(
        "label",
        {
          class: "gs-measures",
          title: "None of these depends on the loss; losses of different objectives cannot be compared",
        },
        el("span", {}, "Measure"),
        this.measures,
      ),
      radios(
        "axis",
        "Against",
        "Rounds, images that D has seen, optimiser steps of both players, or seconds of training",
        data.axes,
      ),
      radios("band", "Band over seeds", "", data.bands),
      el("label", { class: "gs-smoothing", title: smoothing }, el("span", {}, "Smoothing ", weight), range),
      el("div", { class: "gs-switches" }, ...switches),
    )
  }

  /** @param {any} change */
  choose(change) {
    Object.assign(this.choice, change)
    this.draw()
    clearTimeout(this.telling)
    clearTimeout(this.noting)
    this.noting = setTimeout(() => this.address(), 200)
    const tell = () => {
      this.told = this.choice.metric
      this.tell({ ...this.choice })
    }
    const { metric, other } = TELL_AFTER
    if (this.measure) this.telling = setTimeout(tell, this.choice.metric === this.told ? other : metric)
    else tell()
  }

  // A copied link shows the same; what is as always is not in it.
  address() {
    const url = new URL(location.href)
    for (const [name, value] of Object.entries(this.choice)) {
      if (value === this.data.defaults[name]) url.searchParams.delete(name)
      else url.searchParams.set(name, value)
    }
    if (url.href !== location.href) history.replaceState(history.state, "", url)
  }

  // ── drawing

  /** @param {string} role */
  shown(role) {
    if (role === "raw") return this.choice.smooth > 0
    return role === "ghosts" || role === "mean" || role === this.choice.band
  }

  figure() {
    const { axis, logx, logy, cut, smooth: weight } = this.choice
    const { least, told, range, title } = this.measure
    const hidden = new Set(
      (this.chart.data || [])
        .filter((/** @type {Trace} */ trace) => trace.visible === "legendonly")
        .map((/** @type {Trace} */ trace) => trace.legendgroup),
    )
    const data = this.measure.traces
      .filter((/** @type {Drawn} */ trace) => this.shown(trace.role))
      .map((/** @type {Drawn} */ trace) => {
        const { role } = trace
        const [look, x, y] = [this.looks[trace.look], this.arrays[trace.x[axis]], this.arrays[trace.y]]
        const drawn = { ...look, x, y, visible: hidden.has(look.legendgroup) ? "legendonly" : true }
        if (role === "mean" && weight) return { ...drawn, mode: "lines", y: smooth(y, weight) }
        // What of a band lies below the smallest value of any seed has no place on a logarithmic axis.
        if (logy && look.fill) return { ...drawn, y: y.map((/** @type {number} */ value) => Math.max(value, least)) }
        return drawn
      })
    const layout = this.colours(structuredClone(this.data.layout))
    layout.yaxis.title.text = title
    layout.xaxis.title.text = this.data.axes.find((/** @type {Named} */ one) => one.name === axis).title
    if (logx) Object.assign(layout.xaxis, { type: "log", rangemode: "normal", tickformat: "" })
    if (logy) Object.assign(layout.yaxis, { type: "log", exponentformat: "power", nticks: 0 })
    if (cut && range && !(logy && range[1] <= 0)) {
      const above = logy
        ? data.flatMap((/** @type {{ y: Float64Array }} */ { y }) => Array.from(y).filter((value) => value > 0))
        : []
      const low = above.reduce(
        (/** @type {number} */ one, /** @type {number} */ other) => Math.min(one, other),
        Infinity,
      )
      layout.yaxis.range = logy
        ? [Math.log10(Math.max(range[0], Math.min(low, range[1]))), Math.log10(range[1])]
        : range
      layout.yaxis.autorange = false
    }
    // A zoom lasts as long as the axis that it was made on.
    layout.xaxis.uirevision = `${axis} ${logx}`
    layout.yaxis.uirevision = `${title} ${logy} ${cut}`
    this.real(layout, logy)
    setText(this.note, [cut && told.cut, logy && told.logy, logx && told.logx[axis]].filter(Boolean).join(" "))
    return { data, layout }
  }

  /**
   * @param {any} layout
   * @param {any} logy
   */
  real(layout, logy) {
    const { floor } = this.measure
    const { line } = this.data
    if (floor === null || (logy && floor <= 0)) return
    layout.shapes = [{ type: "line", xref: "paper", x0: 0, x1: 1, yref: "y", y0: floor, y1: floor, line }]
    layout.annotations = [
      {
        text: "real data",
        showarrow: false,
        xref: "paper",
        x: 1,
        xanchor: "right",
        yref: "y",
        y: logy ? Math.log10(floor) : floor,
        yanchor: "bottom",
      },
    ]
  }

  /** @param {any} layout */
  colours(layout) {
    const style = getComputedStyle(this.root)
    const text = style.getPropertyValue("--st-text-color").trim() || style.color
    const font = style.getPropertyValue("--st-font").trim()
    layout.font = { ...layout.font, color: text, ...(font && font !== "unset" ? { family: font } : {}) }
    const background = style.getPropertyValue("--st-background-color").trim()
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: background, font: { size: 13, color: text } }
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: "rgba(128,138,150,0.9)", activecolor: text }
    return layout
  }

  async draw() {
    if (!this.Plotly || !this.measure) return
    const { data, layout } = this.figure()
    this.chart.setAttribute("aria-label", `${this.measure.title} over all seeds`)
    showMeasure({ column: this.choice.metric, title: this.measure.title }) // the overlay of one seed shows the same
    await drawn(this.chart, this.Plotly.react(this.chart, data, layout, PLOTLY_CONFIG))
  }

  // Streamlit calls again after each rerun, and after a change of theme.
  /**
   * @param {any} data
   * @param {(...args: any[]) => any} tell
   */
  update(data, tell) {
    this.tell = tell
    this.offer(data.measured)
    const { color, fontFamily } = getComputedStyle(this.root)
    const shown = [data.stamp, color, fontFamily].join()
    if (shown === this.shownLast) return
    this.shownLast = shown
    this.take(data)
    if (this.ready) this.draw()
  }

  destroy() {
    this.gone = true
    for (const timer of [this.telling, this.noting, this.timer]) clearTimeout(timer)
    showMeasure(null)
    this.observer.disconnect()
    if (this.Plotly) purgeWhenDrawn(this.Plotly, this.chart)
    this.root.remove()
  }
}

/** @param {import("../mounting.js").Component} component */
const telling = (component) => (/** @type {Record<string, any>} */ view) => component.setStateValue("view", view)

export default mounting(
  (component) => new SeedsChart(component.parentElement, component.data, telling(component)),
  (chart, component) => chart.update(component.data, telling(component)),
)
