// @ts-check
// The panels. Each keeps a note of what it has drawn, and catches up from the store when it is asked to draw.

import { el, setText } from "./elements.js"
import { drawn, PLOTLY_CONFIG, purgeWhenDrawn, translucent } from "./plotly.js"
import { integer, ordinal } from "./said.js"
import { STAGE_LETTERS, STAGE_STROKES, stage } from "./stage.js"

/**
 * A trace of a figure of Plotly, as far as scripts read it; `meta` is its role, which Python gives it.
 * @typedef {{ meta: string, name: string, line: { color: string, width?: number }, marker: { size?: number } }
 *   & Record<string, any>} Trace
 */
/** @typedef {{ data: Trace[], layout: Record<string, any> }} Figure A figure of Plotly. */
/** @typedef {HTMLElement & Figure & Record<string, any>} Chart The element of a figure, with what Plotly puts there. */
/** @typedef {{ column: string, track?: string, match?: string, index: number, drawn: number, faint?: number }} Binding A column, and the trace that draws it. */
/**
 * A panel of any kind, with what some kinds have: curves, the part of a frame that is drawn, a chart.
 * @typedef {Panel & { bindings?: Binding[], needs?: string, chart?: Chart, Plotly?: any, ready?: boolean }} AnyPanel
 */
/**
 * What Python says of a panel; `figure` is a chart as it is before anything came.
 * @typedef {{ kind: string, slot: string, title: string, note?: string, span?: string | number, part?: string,
 *   figure: Figure, traces: Binding[], waiting?: string } & Record<string, any>} Spec
 */

export class Panel {
  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    this.view = view
    this.spec = spec
    this.body = el("div", { class: "gs-body" })
    this.wait = el("div", { class: "gs-wait" })
    this.note = el("p", { class: "gs-note" })
    this.aside = el("span", { class: "gs-aside" })
    this.named = el("h3", { class: "gs-title" }, spec.title, this.aside)
    this.fills = el(
      "button",
      {
        type: "button",
        class: "gs-button gs-fill-screen",
        "aria-label": `${spec.title}: fill the screen, or not`,
        title: "fill the screen, or not [S]",
      },
      "⤢",
    )
    this.fills.onclick = () => (stage.slot ? stage.close() : stage.open(spec.slot))
    this.asks = el(
      "button",
      {
        type: "button",
        class: "gs-button gs-ask",
        "aria-expanded": "false",
        "aria-label": `${spec.title}: how to read it`,
        title: "how to read it",
      },
      "?",
    )
    this.asks.onclick = () =>
      this.asks.setAttribute("aria-expanded", String(this.element.toggleAttribute("data-explains")))
    this.element = el(
      "section",
      {
        class: `gs-panel gs-${spec.kind}`,
        "data-testid": spec.slot,
        "data-span": spec.span || 1,
        "aria-label": spec.title,
      },
      el("div", { class: "gs-heading" }, this.named, this.asks, this.fills),
      el("div", { class: "gs-stage" }, this.body, this.wait),
      this.note,
    )
    setText(this.note, spec.note || "")
    if (spec.folded) this.fold()
  }

  // Only its title, until it is asked for.
  fold() {
    const opens = el(
      "button",
      {
        type: "button",
        class: "gs-button gs-fold",
        "aria-expanded": "false",
        "aria-label": `${this.spec.title}: show or hide`,
      },
      "▸",
    )
    opens.onclick = () => {
      const folded = this.element.toggleAttribute("data-folded")
      opens.setAttribute("aria-expanded", String(!folded))
      this.view.drawSoon(true)
    }
    this.element.toggleAttribute("data-folded", true)
    this.element.querySelector(".gs-heading")?.prepend(opens)
  }

  // Says what is missing while the panel has nothing to show.
  /**
   * @param {boolean} empty
   * @param {string} [why]
   */
  waiting(empty, why = "") {
    let text = why
    if (empty && !why) {
      const status = this.view.store.status
      if (this.view.root.dataset.connection === "refused") text = "nothing to show"
      else if (!status) text = "connecting…"
      else if (status.state === "queued")
        text = status.place ? `queued, ${ordinal(status.place)} in line` : status.preparing ? "starting…" : "queued"
      else if (status.preparing) text = "preparing…"
      else if (this.view.store.ended)
        text = this.view.shown === null && this.view.store.frames.length ? "drawing…" : "nothing was recorded"
      else text = this.spec.waiting || "waiting for the first round…"
    }
    setText(this.wait, text)
    this.wait.hidden = !text
    this.body.classList.toggle("gs-empty", Boolean(text))
  }

  // Which round the panel shows, in the same place of each; and that it is another than that of the panels beside it.
  /**
   * @param {number} round
   * @param {string} [more]
   */
  tellRound(round, more = "") {
    const other = this.view.shown !== null && round !== this.view.shown
    setText(
      this.aside,
      [`round ${integer(round)}`, other ? "nothing newer for this panel" : "", more].filter(Boolean).join(" · "),
    )
    this.aside.dataset.other = String(other)
    this.element.dataset.round = String(round)
  }

  // Whether there is nothing that it could show, now or later: then it takes no room. Asked of panels out of sight too.
  get absent() {
    return false
  }

  draw() {}
  theme() {}
  /** @param {boolean} _large */
  stand(_large) {}
  destroy() {}
}

export class ChartPanel extends Panel {
  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    super(view, spec)
    /** @type {Chart} */
    this.chart = /** @type {any} */ (
      el("div", {
        class: "gs-chart",
        role: "group",
        "aria-roledescription": "chart",
        "aria-label": spec.title,
      })
    )
    this.body.append(this.chart)
    /** @type {number | undefined} Of the store, when it was drawn last. */
    this.generation = -1
    /** @type {any} */
    this.drawn = null
    this.resizing = 0 // the frame in which its size is looked at again
    this.hovering = false
    this.decorations = ""
    this.ready = false
    this.large = false // on the stage
  }

  /** @param {any} Plotly */
  async start(Plotly) {
    this.Plotly = Plotly
    const figure = structuredClone(this.spec.figure)
    this.baseShapes = figure.layout.shapes || []
    const layout = { ...figure.layout, ...this.colours(figure.layout) }
    await drawn(this.chart, Plotly.newPlot(this.chart, figure.data, layout, PLOTLY_CONFIG))
    if (this.gone) return
    this.ready = true
    this.observer = new ResizeObserver(() => {
      cancelAnimationFrame(this.resizing)
      this.resizing = requestAnimationFrame(() => this.fit())
    })
    this.observer.observe(this.chart)
  }

  fit() {
    if (!this.ready || this.chart.offsetParent === null) return
    const { width, height } = this.chart._fullLayout
    if (Math.abs(this.chart.clientWidth - width) < 1 && Math.abs(this.chart.clientHeight - height) < 1) return
    drawn(this.chart, this.Plotly.Plots.resize(this.chart))
  }

  // What a chart on the stage says, and its points and lines, are seen from the last row.
  /** @param {boolean} large */
  stand(large) {
    if (!this.ready || large === this.large) return
    this.large = large
    const { data, layout } = this.spec.figure
    const words = [
      "font",
      "legend.font",
      ...Object.keys(layout)
        .filter((name) => /^[xy]axis/.test(name))
        .flatMap((name) => [`${name}.tickfont`, `${name}.title.font`]),
    ]
    /** @param {string} path */
    const sizeOf = (path) => path.split(".").reduce((node, name) => node?.[name], layout)?.size ?? null // null is Plotly's own
    this.Plotly.relayout(
      this.chart,
      Object.fromEntries(words.map((path) => [`${path}.size`, large ? STAGE_LETTERS : sizeOf(path)])),
    )
    const factor = large ? STAGE_STROKES : 1
    data.forEach((trace, i) => {
      /** @type {Record<string, number>} */
      const change = {}
      const [size, width] = [trace.marker?.size, trace.line?.width]
      if (typeof size === "number") change["marker.size"] = factor * size
      if (typeof width === "number") change["line.width"] = factor * width
      if (Object.keys(change).length) this.Plotly.restyle(this.chart, change, [i])
    })
    this.decorate(this.lines || [])
  }

  /**
   * Where the trace of a role is; -1 without one. Python gives each its role, as its `meta`.
   * @param {string} role
   */
  placeOf(role) {
    return this.chart.data.findIndex((/** @type {any} */ trace) => trace.meta === role)
  }

  /** @param {string} role */
  traceOf(role) {
    return this.chart.data[this.placeOf(role)]
  }

  /**
   * Changes traces by their roles, in one redraw; a value is one for each of them.
   * @param {string[]} roles
   * @param {Record<string, any>} change
   */
  restyle(roles, change) {
    this.Plotly.restyle(
      this.chart,
      change,
      roles.map((role) => this.placeOf(role)),
    )
  }

  // Dragging and redrawing at once would break the drag; the next draw catches up.
  get busy() {
    return !this.ready || Boolean(this.chart._dragging)
  }

  /** @param {any} layout */
  colours(layout) {
    const { text, background, border } = this.view.palette
    const changes = {
      font: { ...layout.font, color: text, family: this.view.palette.font || layout.font.family },
      hoverlabel: { ...layout.hoverlabel, bgcolor: background, bordercolor: border, font: { size: 13, color: text } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: this.view.palette.faded, activecolor: text },
    }
    return changes
  }

  theme() {
    if (!this.ready) return
    const { text, background, border, faded, font } = this.view.palette
    this.Plotly.relayout(this.chart, {
      "font.color": text,
      ...(font ? { "font.family": font } : {}),
      "hoverlabel.bgcolor": background,
      "hoverlabel.bordercolor": border,
      "hoverlabel.font.color": text,
      "modebar.color": faded,
      "modebar.activecolor": text,
    })
  }

  // Lines with their labels: `{shape, annotation}`.
  /** @param {any[]} lines */
  decorate(lines) {
    this.lines = lines
    const large = this.large ? { font: { size: STAGE_LETTERS, color: this.view.palette.text } } : {}
    const all = {
      shapes: [...this.baseShapes, ...lines.filter((line) => line.shape).map((line) => line.shape)],
      annotations: lines.filter((line) => line.annotation).map((line) => ({ ...line.annotation, ...large })),
    }
    const text = JSON.stringify(all)
    if (text === this.decorations) return
    this.decorations = text
    this.Plotly.relayout(this.chart, all)
  }

  // Beside the y axis a label stands on the right of its line, or it would lie over the numbers of the axis.
  /**
   * @param {number} round
   * @param {string} label
   * @param {string} colour
   * @param {any} [dash]
   */
  verticalLine(round, label, colour, dash = "dash") {
    const { range } = this.chart._fullLayout.xaxis
    const atAxis = round - range[0] < 0.06 * (range[1] - range[0])
    return {
      shape: {
        type: "line",
        xref: "x",
        yref: "paper",
        x0: round,
        x1: round,
        y0: 0,
        y1: 1,
        layer: "above",
        line: { color: colour, width: 1.6, dash },
      },
      annotation: label && {
        text: label,
        x: round,
        y: 1,
        xref: "x",
        yref: "paper",
        xanchor: atAxis ? "left" : "right",
        yanchor: "top",
        textangle: -90,
        showarrow: false,
        font: { size: 12, color: this.view.palette.text },
        bgcolor: this.view.palette.veil,
        borderpad: 1,
        xshift: atAxis ? 1 : -1,
      },
    }
  }

  get onLog() {
    return this.chart._fullLayout.yaxis.type === "log"
  }

  // Every other label stands on the left, for two levels may be closer to each other than a label is high.
  /**
   * @param {number} value
   * @param {string} label
   * @param {string} colour
   * @param {boolean} [left]
   */
  horizontalLine(value, label, colour, left = false) {
    const log = this.onLog // there a shape takes the value, an annotation its logarithm
    return {
      shape: {
        type: "line",
        xref: "paper",
        yref: "y",
        x0: 0,
        x1: 1,
        y0: value,
        y1: value,
        layer: "above",
        line: { color: colour, width: 1.4, dash: "dot" },
      },
      annotation: label && {
        text: label,
        x: left ? 0 : 1,
        y: log ? Math.log10(value) : value,
        xref: "paper",
        yref: "y",
        xanchor: left ? "left" : "right",
        yanchor: "bottom",
        showarrow: false,
        font: { size: 12, color: this.view.palette.text },
        bgcolor: this.view.palette.veil,
        borderpad: 1,
        yshift: 1,
      },
    }
  }

  // A fork's curves begin with its parent's, which stand back a little.
  past() {
    const forks = this.view.store.events.filter((event) => event.kind === "forked")
    if (!forks.length) return []
    const shape = {
      type: "rect",
      xref: "x",
      yref: "paper",
      x0: 0,
      x1: forks[forks.length - 1].round,
      y0: 0,
      y1: 1,
      layer: "above",
      line: { width: 0 },
      fillcolor: translucent(this.view.palette.background, 0.6),
    }
    return [{ shape }]
  }

  // Not on the chart under the pointer itself: drawing there would take its labels away.
  cursorLine() {
    const round = this.hovering ? this.view.selected : (this.view.hovered ?? this.view.selected)
    return round === null ? [] : [this.verticalLine(round, "", this.view.palette.faded, "solid")]
  }

  // Grows the axis when a taller value comes and never shrinks it: frames stay comparable while time is played.
  /**
   * @param {string} axis
   * @param {number} top
   */
  growAxis(axis, top) {
    const range = this.chart.layout[axis].range
    const untouched = this.top === undefined || Math.abs(range[1] - this.top) < 1e-9
    if ((this.top === undefined || top > this.top) && untouched) {
      this.top = top
      this.Plotly.relayout(this.chart, { [`${axis}.range`]: [0, top] })
    }
  }

  destroy() {
    this.gone = true
    this.ready = false
    if (this.observer) this.observer.disconnect()
    cancelAnimationFrame(this.resizing)
    if (this.Plotly) purgeWhenDrawn(this.Plotly, this.chart)
  }
}
