// @ts-check
// Panels of curves over rounds: those of one run, and one measure of several runs.

import { LOG_TICKS, MOST_DECADES } from "../declared.js"
import { el, setText } from "./elements.js"
import { ChartPanel } from "./panels.js"
import { measureShown, storeOf } from "./registry.js"
import { integer, number } from "./said.js"
import { Scaling, SMOOTHING, smooth } from "./scaling.js"

// A test of names by a pattern like `*.loss`.
/** @param {string} pattern */
export function matcher(pattern) {
  const escaped = pattern.replace(/[.+^${}()|[\]\\?]/g, "\\$&").replace(/\*/g, ".*")
  const expression = new RegExp(`^${escaped}$`)
  return (/** @type {string} */ name) => expression.test(name)
}

// Where the curve of a column is among the traces of a figure.
/**
 * @param {import("./panels.js").Figure} figure
 * @param {string} column
 */
function placeIn(figure, column) {
  return figure.data.findIndex((trace) => trace.meta === column)
}

/** @typedef {import("./panels.js").Binding} Binding */
/** @typedef {{ points: { x: number, curveNumber: number }[] }} Pointed What Plotly tells of a pointer on a chart. */

/**
 * @param {import("./panels.js").Spec} spec
 * @returns {import("./panels.js").Spec}
 */
function withoutLegend(spec) {
  const { figure } = spec
  return { ...spec, figure: { ...figure, layout: { ...figure.layout, showlegend: false } } }
}

/**
 * Where a value lies beside a line that it is read by, in words.
 * @param {number} value
 * @param {[number, string]} line
 */
function besideLine(value, [level, label]) {
  const name = label.split(" = ")[0]
  const off = value - level
  if (Math.abs(off) <= 0.05 * Math.max(0.1, Math.abs(level))) return `, at ${name}`
  return `, ${number(Math.abs(off))} ${off > 0 ? "above" : "below"} ${name}`
}

export class CurvesPanel extends ChartPanel {
  /** @param {any} Plotly */
  async start(Plotly) {
    await super.start(Plotly)
    this.chart.on("plotly_hover", (/** @type {Pointed} */ event) => {
      this.hovering = true
      this.view.hover(Math.round(event.points[0].x))
    })
    this.chart.on("plotly_unhover", () => {
      this.hovering = false
      this.view.hover(null)
    })
    this.chart.on("plotly_click", (/** @type {Pointed} */ event) => {
      const { column } = this.bindings.find((binding) => binding.index === event.points[0].curveNumber) || {}
      this.view.highlight(column === undefined || column === this.view.highlighted ? null : column)
    })
  }

  // Part of each drawing: the curve may have been chosen before the chart was there, or before all its curves were.
  highlight() {
    const { highlighted } = this.view
    const here = this.bindings.some((binding) => binding.column === highlighted)
    const opacity = this.bindings.map((binding) => (!here || binding.column === highlighted ? 1 : 0.2))
    const now = this.bindings.map((binding) => this.chart.data[binding.index].opacity ?? 1)
    if (opacity.join() !== now.join())
      this.Plotly.restyle(
        this.chart,
        { opacity },
        this.bindings.map((binding) => binding.index),
      )
  }

  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    super(view, view.data.beside.length ? withoutLegend(spec) : spec)
    /** @type {Binding[]} */
    this.bindings = spec.traces
      .filter((t) => t.column)
      .map((t) => ({ ...t, index: placeIn(spec.figure, t.column), drawn: 0 }))
    this.patterns = spec.traces.filter((t) => t.match).map((t) => ({ ...t, test: matcher(t.match || "") }))
    /** @type {HTMLElement | undefined} The words of the curves, where these stand above the chart. */
    this.key = undefined
    this.keyText = ""
    /** @type {number | string} */
    this.dtick = ""
    const { type, range } = spec.figure.layout.yaxis || {}
    this.scaling = new Scaling(this, { log: type === "log", fixed: Boolean(range) })
    this.asks.before(this.scaling.element)
    if (view.data.beside.length) this.keyOutside()
  }

  // Plotly's legend takes the room of a small chart, so there the words stand above it and wrap.
  keyOutside() {
    this.key = el("p", { class: "gs-key" })
    this.chart.before(this.key)
  }

  // Columns that no trace was made for beforehand: the game alone knows its players.
  async discover() {
    const { store } = this.view
    for (const pattern of this.patterns) {
      const track = pattern.track || "turns"
      for (const column of Object.keys(store.tracks[track] || {})) {
        if (!pattern.test(column) || this.bindings.some((b) => b.column === column && (b.track || "turns") === track))
          continue
        const taken = this.bindings.map((b) => this.chart.data[b.index].line.color)
        const trace = structuredClone(this.spec.trace)
        trace.name = store.label(column)
        trace.meta = column
        trace.line = { ...trace.line, color: this.view.spareColour(taken) }
        trace.x = []
        trace.y = []
        await this.Plotly.addTraces(this.chart, trace)
        this.bindings.push({ column, track, index: this.chart.data.length - 1, drawn: 0 })
      }
    }
  }

  // What the run calls its columns.
  names() {
    return this.bindings.map(({ column, index }) => {
      const { name } = this.chart.data[index]
      return this.spec.fixed_names ? name : this.view.store.label(column) || name
    })
  }

  async draw() {
    if (this.busy) return this.view.again()
    const { store } = this.view
    this.drawing = true
    await this.discover()
    if (!this.ready) return
    const afresh = this.generation !== store.generation
    if (afresh) {
      this.generation = store.generation
      for (const binding of this.bindings) binding.drawn = 0
    }
    const columns = this.bindings.map(
      (binding) => store.column(binding.track || "turns", binding.column) || { x: [], y: [] },
    )
    const { smooth: smoothed } = this.scaling.choice
    if (smoothed || this.smoothed) await this.drawFaint(columns, smoothed)
    if (afresh || smoothed || this.smoothed) {
      this.Plotly.restyle(
        this.chart,
        {
          x: columns.map((c) => c.x.slice()),
          y: columns.map((c) => (smoothed ? smooth(c.y, SMOOTHING) : c.y.slice())),
          name: this.names(),
          showlegend: columns.map((c) => c.x.length > 0),
        },
        this.bindings.map((b) => b.index),
      )
    } else {
      const grown = this.bindings.map((_binding, i) => i).filter((i) => columns[i].x.length > this.bindings[i].drawn)
      if (grown.length) {
        this.Plotly.extendTraces(
          this.chart,
          {
            x: grown.map((i) => columns[i].x.slice(this.bindings[i].drawn)),
            y: grown.map((i) => columns[i].y.slice(this.bindings[i].drawn)),
          },
          grown.map((i) => this.bindings[i].index),
        )
      }
    }
    this.smoothed = smoothed
    for (const [i, binding] of this.bindings.entries()) binding.drawn = columns[i].x.length
    this.showFilled(columns)
    this.highlight()
    if (this.key) this.writeKey()
    const levels = this.references(columns)
    const onAxis = levels.map(({ shape }) => shape.y0).filter(Number.isFinite)
    setText(
      this.aside,
      this.scaling.fit(
        columns.map((c) => c.y),
        onAxis,
      ),
    )
    this.decorate([
      ...this.past(),
      ...levels.filter(({ shape }) => !this.scaling.choice.log || shape.y0 > 0),
      ...this.view.marks().map((m) => this.verticalLine(m.round, m.label, this.view.colours.mark)),
      ...this.cursorLine(),
    ])
    this.spaceTicks()
    this.describe(columns)
    this.waiting(!columns.some((c) => c.x.length))
    if (this.spec.reading)
      setText(this.note, [this.present(), store.reference.reading || this.spec.note].filter(Boolean).join(" "))
  }

  // The curves as they are, behind the smoothed ones.
  /**
   * @param {import("./store.js").Column[]} columns
   * @param {boolean} shown
   */
  async drawFaint(columns, shown) {
    for (const binding of this.bindings) {
      if (binding.faint !== undefined) continue
      const { line } = this.chart.data[binding.index]
      binding.faint = this.chart.data.length
      await this.Plotly.addTraces(this.chart, {
        x: [],
        y: [],
        mode: "lines",
        line: { color: line.color, width: 1 },
        opacity: 0.3,
        showlegend: false,
        hoverinfo: "skip",
      })
    }
    this.Plotly.restyle(
      this.chart,
      { x: columns.map((c) => (shown ? c.x.slice() : [])), y: columns.map((c) => (shown ? c.y.slice() : [])) },
      this.bindings.map((binding) => binding.faint),
    )
  }

  // The losses at the round that is shown, against the lines that they are read by.
  present() {
    const { store, shown } = this.view
    if (shown === null) return ""
    const told = []
    for (const { column, track } of this.bindings) {
      const value = column.endsWith(".loss") ? store.valueAt(track || "turns", column, shown) : null
      if (value === null) continue
      const [line] = store.reference.lines?.[column] || []
      told.push(`${store.label(column)} ${number(value)}${line ? besideLine(value, line) : ""}`)
    }
    return told.length ? `Round ${integer(shown)}: ${told.join("; ")}.` : ""
  }

  // A column that the game does not have leaves no entry in the legend.
  /** @param {import("./store.js").Column[]} columns */
  showFilled(columns) {
    const filled = this.bindings.map(({ index }, i) => ({ index, showlegend: columns[i].x.length > 0 }))
    const changed = filled.filter(({ index, showlegend }) => this.chart.data[index].showlegend !== showlegend)
    if (!changed.length) return
    this.Plotly.restyle(
      this.chart,
      { showlegend: changed.map(({ showlegend }) => showlegend) },
      changed.map(({ index }) => index),
    )
  }

  writeKey() {
    const traces = this.bindings.map(({ index }) => this.chart.data[index]).filter(({ showlegend }) => showlegend)
    const text = JSON.stringify(traces.map(({ name, line }) => [name, line.color]))
    if (text === this.keyText) return
    this.keyText = text
    this.key?.replaceChildren(...traces.map(({ name, line }) => el("span", { style: `--line: ${line.color}` }, name)))
  }

  // Ticks of a logarithmic axis, as there is room.
  spaceTicks() {
    const axis = this.chart._fullLayout.yaxis
    if (axis.type !== "log") return
    const decades = axis.range[1] - axis.range[0]
    const dtick = LOG_TICKS.find(({ below }) => decades < below)?.ticks ?? Math.ceil(decades / MOST_DECADES)
    if (dtick !== this.dtick) this.Plotly.relayout(this.chart, { "yaxis.dtick": dtick })
    this.dtick = dtick
  }

  /** @param {import("./store.js").Column[]} columns */
  references(columns) {
    const known = this.view.store.reference.lines || {}
    const lines = []
    this.bindings.forEach((binding, i) => {
      if (!columns[i].x.length) return
      for (const [value, label] of known[binding.column] || []) {
        const colour = this.chart.data[binding.index].line.color
        lines.push(this.horizontalLine(value, label, colour, lines.length % 2 === 1))
      }
      const real = this.spec.floors ? this.view.store.reference.floors?.[binding.column] : undefined
      if (real !== undefined) {
        lines.push(
          this.horizontalLine(
            real,
            `real ${binding.column} ${number(real)}`,
            this.chart.data[binding.index].line.color,
          ),
        )
      }
    })
    for (const [value, label] of this.spec.levels || [])
      lines.push(this.horizontalLine(value, label, this.view.colours.mark, lines.length % 2 === 1))
    const { curves = {}, score_line: even } = this.view.store.reference
    const scores = curves.scores || []
    if (even !== null && even !== undefined && this.bindings.some((binding) => scores.includes(binding.column))) {
      lines.push(this.horizontalLine(even, "cannot tell", this.view.palette.faded))
    }
    return lines
  }

  /** @param {import("./store.js").Column[]} columns */
  describe(columns) {
    /** @type {string[]} */
    const parts = []
    this.bindings.forEach((binding, i) => {
      const { x, y } = columns[i]
      if (x.length)
        parts.push(
          `${this.view.store.label(binding.column)} ${number(y[y.length - 1])} at round ${integer(x[x.length - 1])}`,
        )
    })
    this.chart.setAttribute(
      "aria-label",
      `${this.spec.title}, curves over rounds. ${parts.join("; ") || "No data yet."}`,
    )
  }
}

// One measurement of the runs that are shown beside this view, each from the store of its own view.
// One measure of several runs: the one that the page of all their seeds shows, if it does.
export class OverlayPanel extends ChartPanel {
  /** @param {any} Plotly */
  async start(Plotly) {
    await super.start(Plotly)
    this.changed = () => this.view.drawSoon(true)
    document.addEventListener("ganscope:measure", this.changed)
  }

  draw() {
    if (this.busy) return this.view.again()
    const { column, title } = measureShown() || { column: this.spec.column, title: this.spec.measure }
    this.entitle(`${title}, this seed`)
    /** @type {string[]} */
    const runs = this.spec.runs
    const stores = runs.map(storeOf)
    const columns = stores.map((store) => store?.column("diagnostics", column) || { x: [], y: [] })
    const key = column + columns.map(({ x }, i) => `${stores[i] ? stores[i].generation : ""}/${x.length}`).join()
    if (key !== this.drawn) {
      this.drawn = key
      this.Plotly.restyle(this.chart, { x: columns.map((c) => c.x.slice()), y: columns.map((c) => c.y.slice()) })
    }
    const told = /** @type {number[]} */ (
      stores.map((store) => store?.reference.floors?.[column]).filter(Number.isFinite)
    )
    const floor = told.length ? [this.horizontalLine(told[0], "real data", this.view.colours.real)] : []
    this.decorate([...floor, ...this.cursorLine()])
    this.waiting(!columns.some((c) => c.x.length))
  }

  /** @param {string} title */
  entitle(title) {
    if (this.element.getAttribute("aria-label") === title) return
    if (this.named.firstChild) this.named.firstChild.textContent = title
    for (const node of [this.element, this.chart]) node.setAttribute("aria-label", title)
  }

  destroy() {
    if (this.changed) document.removeEventListener("ganscope:measure", this.changed)
    super.destroy()
  }
}
