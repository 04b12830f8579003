// The panels. Each keeps a note of what it has drawn, and catches up from the store when it is asked to draw.

class Panel {
  constructor(view, spec) {
    this.view = view
    this.spec = spec
    this.body = el("div", { class: "gs-body" })
    this.wait = el("div", { class: "gs-wait" })
    this.note = el("p", { class: "gs-note" })
    this.aside = el("span", { class: "gs-aside" })
    this.element = el(
      "section",
      { class: `gs-panel gs-${spec.kind}`, "data-testid": spec.slot, "data-span": spec.span || 1, "aria-label": spec.title },
      el("h3", { class: "gs-title" }, spec.title, this.aside),
      el("div", { class: "gs-stage" }, this.body, this.wait),
      this.note,
    )
    setText(this.note, spec.note || "")
  }

  // Says what is missing while the panel has nothing to show.
  waiting(empty, why = "") {
    let text = why
    if (empty && !why) {
      const status = this.view.store.status
      if (this.view.root.dataset.connection === "refused") text = "nothing to show"
      else if (!status) text = "connecting…"
      else if (status.state === "queued") text = status.place ? `queued, ${ordinal(status.place)} in line` : status.preparing ? "starting…" : "queued"
      else if (status.preparing) text = "preparing…"
      else if (this.view.store.ended) text = this.view.shown === null && this.view.store.frames.length ? "drawing…" : "nothing was recorded"
      else text = this.spec.waiting || "waiting for the first round…"
    }
    setText(this.wait, text)
    this.wait.hidden = !text
    this.body.classList.toggle("gs-empty", Boolean(text))
  }

  // Which round the panel shows, in the same place of each; and that it is another than that of the panels beside it.
  tellRound(round, more = "") {
    const other = this.view.shown !== null && round !== this.view.shown
    setText(this.aside, [`round ${integer(round)}`, other ? "nothing newer for this panel" : "", more].filter(Boolean).join(" · "))
    this.aside.dataset.other = other
    this.element.dataset.round = round
  }

  draw() {}
  theme() {}
  destroy() {}
}

class ChartPanel extends Panel {
  constructor(view, spec) {
    super(view, spec)
    this.chart = el("div", { class: "gs-chart", role: "group", "aria-roledescription": "chart", "aria-label": spec.title })
    this.body.append(this.chart)
    this.generation = -1
    this.decorations = ""
    this.ready = false
  }

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

  // Dragging and redrawing at once would break the drag; the next draw catches up.
  get busy() {
    return !this.ready || Boolean(this.chart._dragging)
  }

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
  decorate(lines) {
    const all = {
      shapes: [...this.baseShapes, ...lines.filter((line) => line.shape).map((line) => line.shape)],
      annotations: lines.filter((line) => line.annotation).map((line) => line.annotation),
    }
    const text = JSON.stringify(all)
    if (text === this.decorations) return
    this.decorations = text
    this.Plotly.relayout(this.chart, all)
  }

  // Beside the y axis a label stands on the right of its line, or it would lie over the numbers of the axis.
  verticalLine(round, label, colour, dash = "dash") {
    const { range } = this.chart._fullLayout.xaxis
    const atAxis = round - range[0] < 0.06 * (range[1] - range[0])
    return {
      shape: {
        type: "line", xref: "x", yref: "paper", x0: round, x1: round, y0: 0, y1: 1, layer: "above",
        line: { color: colour, width: 1.6, dash },
      },
      annotation: label && {
        text: label, x: round, y: 1, xref: "x", yref: "paper", xanchor: atAxis ? "left" : "right", yanchor: "top", textangle: -90,
        showarrow: false, font: { size: 12, color: this.view.palette.text }, bgcolor: this.view.palette.veil, borderpad: 1, xshift: atAxis ? 1 : -1,
      },
    }
  }

  // Every other label stands on the left, for two levels may be closer to each other than a label is high.
  horizontalLine(value, label, colour, left = false) {
    const log = this.chart._fullLayout.yaxis.type === "log" // there a shape takes the value, an annotation its logarithm
    return {
      shape: {
        type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: value, y1: value, layer: "above",
        line: { color: colour, width: 1.4, dash: "dot" },
      },
      annotation: label && {
        text: label, x: left ? 0 : 1, y: log ? Math.log10(value) : value, xref: "paper", yref: "y", xanchor: left ? "left" : "right", yanchor: "bottom",
        showarrow: false, font: { size: 12, color: this.view.palette.text }, bgcolor: this.view.palette.veil, borderpad: 1, yshift: 1,
      },
    }
  }

  // A fork's curves begin with its parent's, which stand back a little.
  past() {
    const forks = this.view.store.events.filter((event) => event.kind === "forked")
    if (!forks.length) return []
    const shape = {
      type: "rect", xref: "x", yref: "paper", x0: 0, x1: forks[forks.length - 1].round, y0: 0, y1: 1, layer: "above",
      line: { width: 0 }, fillcolor: translucent(this.view.palette.background, 0.6),
    }
    return [{ shape }]
  }

  // Not on the chart under the pointer itself: drawing there would take its labels away.
  cursorLine() {
    const round = this.hovering ? this.view.selected : this.view.hovered ?? this.view.selected
    return round === null ? [] : [this.verticalLine(round, "", this.view.palette.faded, "solid")]
  }

  // Grows the axis when a taller value comes and never shrinks it: frames stay comparable while time is played.
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

class CurvesPanel extends ChartPanel {
  async start(Plotly) {
    await super.start(Plotly)
    this.chart.on("plotly_hover", (event) => {
      this.hovering = true
      this.view.hover(Math.round(event.points[0].x))
    })
    this.chart.on("plotly_unhover", () => {
      this.hovering = false
      this.view.hover(null)
    })
    this.chart.on("plotly_click", (event) => {
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
    if (opacity.join() !== now.join()) this.Plotly.restyle(this.chart, { opacity }, this.bindings.map((binding) => binding.index))
  }

  constructor(view, spec) {
    super(view, spec)
    this.bindings = spec.traces.filter((t) => t.column).map((t) => ({ ...t, drawn: 0 }))
    this.patterns = spec.traces.filter((t) => t.match).map((t) => ({ ...t, test: matcher(t.match) }))
    this.shown = new Set()
    if (view.data.beside.length) this.keyOutside()
  }

  // Plotly's legend takes the room of a small chart, so there the words stand above it and wrap.
  keyOutside() {
    const { figure } = this.spec
    this.spec = { ...this.spec, figure: { ...figure, layout: { ...figure.layout, showlegend: false } } }
    this.key = el("p", { class: "gs-key" })
    this.chart.before(this.key)
  }

  // Columns that no trace was made for beforehand: the game alone knows its players.
  async discover() {
    const { store } = this.view
    for (const pattern of this.patterns) {
      const track = pattern.track || "turns"
      for (const column of Object.keys(store.tracks[track] || {})) {
        if (!pattern.test(column) || this.bindings.some((b) => b.column === column && (b.track || "turns") === track)) continue
        const taken = this.bindings.map((b) => this.chart.data[b.index].line.color)
        const trace = structuredClone(this.spec.trace)
        trace.name = store.label(column)
        trace.line = { ...trace.line, color: this.view.colourOf(column, taken) }
        trace.x = []
        trace.y = []
        await this.Plotly.addTraces(this.chart, trace)
        this.bindings.push({ column, track, index: this.chart.data.length - 1, drawn: 0 })
      }
    }
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
      for (const binding of this.bindings) {
        binding.drawn = 0
        const name = this.spec.fixed_names ? null : store.label(binding.column)
        if (name && this.chart.data[binding.index].name !== name) this.Plotly.restyle(this.chart, { name }, [binding.index])
      }
    }
    const columns = this.bindings.map((binding) => store.column(binding.track || "turns", binding.column) || { x: [], y: [] })
    if (afresh) {
      this.Plotly.restyle(
        this.chart,
        { x: columns.map((c) => c.x.slice()), y: columns.map((c) => c.y.slice()) },
        this.bindings.map((b) => b.index),
      )
    } else {
      const grown = this.bindings.map((binding, i) => i).filter((i) => columns[i].x.length > this.bindings[i].drawn)
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
    this.bindings.forEach((binding, i) => (binding.drawn = columns[i].x.length))
    this.showFilled(columns)
    this.highlight()
    if (this.key) this.writeKey()
    this.decorate([...this.past(), ...this.references(columns), ...this.view.marks().map((m) => this.verticalLine(m.round, m.label, this.view.colours.mark)), ...this.cursorLine()])
    this.spaceTicks()
    this.describe(columns)
    this.waiting(!columns.some((c) => c.x.length))
    if (this.spec.reading) setText(this.note, [this.present(), store.reference.reading || this.spec.note].filter(Boolean).join(" "))
  }

  // The losses at the round that is shown, against the lines that they are read by.
  present() {
    const { store, shown } = this.view
    if (shown === null) return ""
    const told = []
    for (const { column, track } of this.bindings) {
      const value = column.endsWith(".loss") ? store.valueAt(track || "turns", column, shown) : null
      if (value === null) continue
      const [line] = ((store.reference.lines || {})[column] || []).map(([level, label]) => [level, label.split(" = ")[0]])
      const off = line && value - line[0]
      const near = line && Math.abs(off) <= 0.05 * Math.max(0.1, Math.abs(line[0]))
      const where = line ? (near ? `, at ${line[1]}` : `, ${number(Math.abs(off))} ${off > 0 ? "above" : "below"} ${line[1]}`) : ""
      told.push(`${store.label(column)} ${number(value)}${where}`)
    }
    return told.length ? `Round ${integer(shown)}: ${told.join("; ")}.` : ""
  }

  // A column that the game does not have leaves no entry in the legend.
  showFilled(columns) {
    this.bindings.forEach((binding, i) => {
      const filled = columns[i].x.length > 0
      if (filled === this.shown.has(binding.index) && this.chart.data[binding.index].showlegend === filled) return
      this.Plotly.restyle(this.chart, { showlegend: filled }, [binding.index])
      if (filled) this.shown.add(binding.index)
      else this.shown.delete(binding.index)
    })
  }

  writeKey() {
    const traces = this.bindings.filter(({ index }) => this.shown.has(index)).map(({ index }) => this.chart.data[index])
    const text = JSON.stringify(traces.map(({ name, line }) => [name, line.color]))
    if (text === this.keyText) return
    this.keyText = text
    this.key.replaceChildren(...traces.map(({ name, line }) => el("span", { style: `--line: ${line.color}` }, name)))
  }

  // A logarithmic axis: ticks at 1 to 9, at 1, 2, 5, or at powers of ten, as there is room. charts.py does the same.
  spaceTicks() {
    const axis = this.chart._fullLayout.yaxis
    if (axis.type !== "log") return
    const decades = axis.range[1] - axis.range[0]
    const dtick = decades < 0.7 ? "D1" : decades < 3 ? "D2" : Math.ceil(decades / 6)
    if (dtick !== this.dtick) this.Plotly.relayout(this.chart, { "yaxis.dtick": (this.dtick = dtick) })
  }

  references(columns) {
    const known = this.view.store.reference.lines || {}
    const lines = []
    this.bindings.forEach((binding, i) => {
      if (!columns[i].x.length) return
      for (const [value, label] of known[binding.column] || []) {
        const colour = this.chart.data[binding.index].line.color
        lines.push(this.horizontalLine(value, label, colour, lines.length % 2 === 1))
      }
      const real = this.spec.floors ? (this.view.store.reference.floors || {})[binding.column] : undefined
      if (real !== undefined) {
        lines.push(this.horizontalLine(real, `real ${binding.column} ${number(real)}`, this.chart.data[binding.index].line.color))
      }
    })
    const { curves = {}, score_line: even } = this.view.store.reference
    const scores = curves.scores || []
    if (even !== null && even !== undefined && this.bindings.some((binding) => scores.includes(binding.column))) {
      lines.push(this.horizontalLine(even, "cannot tell", this.view.palette.faded))
    }
    return lines
  }

  describe(columns) {
    const parts = []
    this.bindings.forEach((binding, i) => {
      const { x, y } = columns[i]
      if (x.length) parts.push(`${this.view.store.label(binding.column)} ${number(y[y.length - 1])} at round ${integer(x[x.length - 1])}`)
    })
    this.chart.setAttribute("aria-label", `${this.spec.title}, curves over rounds. ${parts.join("; ") || "No data yet."}`)
  }
}

// One measurement of the runs that are shown beside this view, each from the store of its own view.
// One measure of several runs: the one that the page of all their seeds shows, if it does.
class OverlayPanel extends ChartPanel {
  async start(Plotly) {
    await super.start(Plotly)
    this.changed = () => this.view.drawSoon(true)
    document.addEventListener("ganscope:measure", this.changed)
  }

  draw() {
    if (this.busy) return this.view.again()
    const { column, title } = window.__ganscopeMeasure || { ...this.spec, title: this.spec.measure }
    this.entitle(`${title}, this seed`)
    const all = window.__ganscope || {}
    const stores = this.spec.runs.map((run) => (all[run] ? all[run].view.store : null))
    const columns = stores.map((store) => (store && store.column("diagnostics", column)) || { x: [], y: [] })
    const key = column + columns.map(({ x }, i) => `${stores[i] ? stores[i].generation : ""}/${x.length}`).join()
    if (key !== this.drawn) {
      this.drawn = key
      this.Plotly.restyle(this.chart, { x: columns.map((c) => c.x.slice()), y: columns.map((c) => c.y.slice()) })
    }
    const told = stores.map((store) => store && (store.reference.floors || {})[column]).filter(Number.isFinite)
    const floor = told.length ? [this.horizontalLine(told[0], "real data", this.view.colours.real)] : []
    this.decorate([...floor, ...this.cursorLine()])
    this.waiting(!columns.some((c) => c.x.length))
  }

  entitle(title) {
    if (this.element.getAttribute("aria-label") === title) return
    this.element.querySelector(".gs-title").firstChild.textContent = title
    for (const node of [this.element, this.chart]) node.setAttribute("aria-label", title)
  }

  destroy() {
    document.removeEventListener("ganscope:measure", this.changed)
    super.destroy()
  }
}

class HistogramPanel extends ChartPanel {
  draw() {
    if (this.busy) return this.view.again()
    const { store, Plotly } = { store: this.view.store, Plotly: this.Plotly }
    const found = this.view.part(this.spec.part || "histogram")
    const names = this.view.classNames(found && found.value.counts)
    this.waiting(!found)
    if (this.generation !== store.generation || this.names !== names.join("\n")) {
      this.generation = store.generation
      this.names = names.join("\n")
      this.drawn = null
      const { real_share: real = [], band_low: low = [], band_high: high = [] } = store.reference
      const { fake, unsure } = this.view.colours
      Plotly.relayout(this.chart, { "xaxis.dtick": names.length <= 20 ? 1 : Math.ceil(names.length / 15) })
      Plotly.restyle(this.chart, { x: [names.map(inFigure)], "marker.color": [names.map((name, i) => (i === names.length - 1 ? unsure : fake))] }, [0])
      Plotly.restyle(
        this.chart,
        {
          x: [names.slice(0, real.length).map(inFigure)],
          y: [real],
          "error_y.array": [real.map((share, i) => Math.max(0, (high[i] ?? share) - share))],
          "error_y.arrayminus": [real.map((share, i) => Math.max(0, share - (low[i] ?? share)))],
          visible: real.length > 0,
        },
        [1],
      )
    }
    if (!found) return
    const { counts } = found.value
    const n = found.value.n || counts.reduce((a, b) => a + b, 0) || 1
    this.tellRound(found.round, this.view.data.beside.length ? "" : `${integer(n)} samples`) // beside another there is one line
    const key = `${found.round}/${counts.join()}`
    if (key === this.drawn) return
    this.drawn = key
    this.counted = found.round
    const shares = counts.map((count) => count / n)
    Plotly.restyle(this.chart, { y: [shares], customdata: [counts] }, [0])
    this.growAxis("yaxis", Math.min(1.02, 1.08 * Math.max(0.28, ...shares, ...(store.reference.band_high || []))))
    const top = shares.map((share, i) => [share, names[i]]).sort((a, b) => b[0] - a[0]).slice(0, 3)
    this.chart.setAttribute(
      "aria-label",
      `${this.spec.title} at round ${integer(found.round)}: ${top.map(([share, name]) => `${name} ${number(share, "percent")}`).join(", ")}; ` +
        `${shares.slice(0, -1).filter((share) => share > 0).length} of ${names.length - 1} classes present.`,
    )
    this.caption()
  }

  // How many bars count, by the measure of that very round: the page has one count.
  present() {
    const { store } = this.view
    const there = store.valueAt("diagnostics", "modes_covered", this.counted)
    const names = store.reference.class_names || []
    if (there === null || !names.length) return ""
    const what = store.reference.centers ? "modes hold" : "classes hold"
    return `${number(there, "integer")} of ${integer(names.length)} ${what} 1 % of the samples or more.`
  }

  caption() {
    const { classifier, real_share: real } = this.view.store.reference
    const parts = [this.present()].filter(Boolean)
    if (real && real.length) parts.push("Green: the real mix, and the range that chance alone would give.")
    if (classifier && classifier.accuracy) {
      parts.push(`Counted by a fixed classifier, ${number(classifier.accuracy, "percent")} right on ${integer(classifier.n_heldout)} held-out real samples.`)
    }
    setText(this.note, this.spec.note || parts.join(" "))
  }
}

const LEAST_REAL = 0.005 // of the real samples: below that no class is told from chance

class HeatmapPanel extends ChartPanel {
  draw() {
    if (this.busy) return this.view.again()
    const { store } = this.view
    const part = this.spec.part || "histogram"
    const frames = store.frames.filter((frame) => frame.parts[part])
    const last = frames[frames.length - 1]
    this.waiting(!last)
    if (last) setText(this.aside, `up to round ${integer(last.round)}`)
    const key = `${store.generation}/${frames.length}/${last ? last.round : ""}/${(store.reference.real_share || []).length}`
    if (key !== this.drawn && last) {
      this.drawn = key
      const names = this.view.classNames(last.parts[part].counts)
      const rows = names.map((_, i) =>
        frames.map((frame) => {
          const { counts, n } = frame.parts[part]
          return counts[i] / (n || counts.reduce((a, b) => a + b, 0) || 1)
        }),
      )
      // The colour is the share over that of real data; as class_heatmap of charts.py.
      const { real_share: real = [] } = store.reference
      const { zmax } = this.chart.data[0]
      const over = rows.map((row, i) => row.map((share) => Math.min(zmax, share / Math.max(LEAST_REAL, real[i] ?? 1 / (names.length - 1)))))
      this.Plotly.restyle(this.chart, { x: [frames.map((f) => f.round)], y: [names.map(inFigure)], z: [over], customdata: [rows] }, [0])
      const dtick = names.length <= 16 ? 1 : Math.ceil(names.length / 12)
      if (dtick !== this.dtick) this.Plotly.relayout(this.chart, { "yaxis.dtick": (this.dtick = dtick) })
      this.chart.setAttribute("aria-label", `${this.spec.title}: share of ${names.length - 1} classes over that of real data in ${frames.length} measurements up to round ${integer(last.round)}.`)
    }
    const marks = this.view.marks().map((m) => this.verticalLine(m.round, "", this.view.colours.mark))
    const round = this.view.selected
    this.decorate(round === null || !last ? marks : [...marks, this.verticalLine(Math.min(round, last.round), "", "#ffffff", "solid")])
  }
}

const MOST_UNLIKE = 3 // times as long may one axis be as the other, where both are drawn to one scale
const NUMBERED = 40 // modes: of more the numbers would lie over each other

class ArtefactPanel extends ChartPanel {
  // Each mode by the name that its bar has in the histogram.
  numberModes({ centers = [], class_names: names = [] }) {
    const annotations = centers.slice(0, centers.length > NUMBERED ? 0 : undefined).map(([x, y = 0], i) => ({
      annotation: { x, y, text: String(names[i] ?? i + 1), showarrow: false, yshift: 13, font: { size: 12, color: this.view.palette.text } },
    }))
    this.decorate(annotations)
  }

  get needs() {
    return this.spec.part || "points"
  }

  draw() {
    if (this.busy) return this.view.again()
    if (this.generation !== this.view.store.generation) {
      this.generation = this.view.store.generation
      this.drawReal(this.view.store.reference)
      this.drawn = null
    }
    const found = this.view.part(this.needs)
    const content = found && this.view.contents.get(found.value.file)
    this.waiting(!found)
    if (content && found.value.file !== this.drawn) {
      this.drawn = found.value.file
      this.drawnRound = found.round
      this.drawFile(content)
      this.chart.setAttribute("aria-label", `${this.spec.title} at round ${integer(found.round)}: real and generated.`)
    }
    if (this.drawn) this.tellRound(found && found.value.file === this.drawn ? found.round : this.drawnRound)
  }
}

class PointsPanel extends ArtefactPanel {
  drawReal(reference) {
    const points = reference.points || []
    this.Plotly.restyle(this.chart, { x: [points.map((p) => p[0])], y: [points.map((p) => p[1])] }, [1])
    this.numberModes(reference)
    const extent = reference.extent || (points.length ? surround(points) : null)
    const text = JSON.stringify(extent)
    if (extent && text !== this.extent) {
      this.extent = text
      this.Plotly.relayout(this.chart, {
        "xaxis.range": [extent[0], extent[1]], "yaxis.range": [extent[2], extent[3]],
        "xaxis.autorange": false, "yaxis.autorange": false,
        "yaxis.scaleanchor": alike(extent) ? "x" : false,
        ...(reference.axes ? { "xaxis.title.text": reference.axes[0], "yaxis.title.text": reference.axes[1] } : {}),
      })
    }
  }

  drawFile({ fake = [], critic = [], xs = [], ys = [], grid = [], pull = [] }) {
    const [x, y] = [fake.map((p) => p[0]), fake.map((p) => p[1])]
    const bent = grid.flatMap((line) => [...line, [null, null]])
    const span = xs.length ? xs[xs.length - 1] - xs[0] : 1
    const units = this.view.store.reference.units || [1, 1]
    const [arrows, strength] = arrowsOf(fake, pull, 0.12 * span, units)
    const all = [[xs, ys], [x, y], [bent.map((p) => p[0]), bent.map((p) => p[1])], [arrows.map((p) => p[0]), arrows.map((p) => p[1])]]
    this.Plotly.restyle(
      this.chart,
      {
        x: all.map((pair) => pair[0]), y: all.map((pair) => pair[1]), z: [critic, undefined, undefined, undefined],
        "marker.size": [undefined, undefined, undefined, arrows.map((p) => p[2])],
      },
      [0, 2, 3, 4],
    ) // one redraw for all
    const shown = this.chart.data[4] && this.chart.data[4].visible === true
    setText(this.note, this.spec.note || (shown && strength !== null ? `Push on G: the longest arrow is a gradient of ${number(strength)}.` : ""))
  }
}

// Both axes to one scale, unless they are of different units: then each has its own. As _alike of charts.py.
function alike([x0, x1, y0, y1]) {
  const ratio = (x1 - x0) / (y1 - y0)
  return ratio > 1 / MOST_UNLIKE && ratio < MOST_UNLIKE
}

// Arrows from the first points, as three entries each (start, tip, gap; x, y and the size of the head), the longest of a
// given length along x: directions can be seen however weak the push; how weak it is, in the units of the axes, comes as
// the second result.
function arrowsOf(points, pull, length, [ux, uy]) {
  const sizes = pull.map(([dx, dy]) => Math.hypot(dx / ux, dy / uy))
  const longest = Math.max(0, ...sizes)
  if (!(longest > 0)) return [[], pull.length ? 0 : null]
  const scale = length / (longest * ux)
  const arrows = pull.flatMap(([dx, dy], i) => {
    const [x, y] = points[i]
    return [[x, y, 0], [x + scale * dx, y + scale * dy, 4 + (6 * sizes[i]) / longest], [null, null, 0]]
  })
  return [arrows, longest]
}

function surround(points) {
  const box = [Infinity, -Infinity, Infinity, -Infinity]
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x)
    box[1] = Math.max(box[1], x)
    box[2] = Math.min(box[2], y)
    box[3] = Math.max(box[3], y)
  }
  const [w, h] = [(box[1] - box[0]) * 0.2 || 1, (box[3] - box[2]) * 0.2 || 1]
  return [box[0] - w, box[1] + w, box[2] - h, box[3] + h]
}

class DensityPanel extends ArtefactPanel {
  drawReal({ xs = [], real_density: real = [], extent }) {
    this.Plotly.restyle(this.chart, { x: [xs], y: [real] }, [0])
    this.Plotly.restyle(this.chart, { visible: this.view.store.reference.score_unit === "probability" }, [3])
    this.numberModes(this.view.store.reference)
    if (extent) this.Plotly.relayout(this.chart, { "xaxis.range": [extent[0], extent[1]] })
  }

  drawFile({ xs = [], fake = [], critic = [], optimal = [] }) {
    const grid = xs.length ? xs : this.view.store.reference.xs || []
    this.Plotly.restyle(this.chart, { x: [grid, grid, optimal.length ? grid : []], y: [fake, critic, optimal] }, [1, 2, 3])
    const top = 1.15 * Math.max(1e-9, ...fake, ...(this.view.store.reference.real_density || []))
    this.growAxis("yaxis", top)
  }
}

const GAP = 2 // pixels between the samples of a picture, as pictures.py has it

// A grey picture around 128 as a veil: the one colour where it is lighter, the other where it is darker, none where it is neither.
function tinted(picture, lighter, darker) {
  const canvas = el("canvas", { width: picture.naturalWidth, height: picture.naturalHeight })
  const pen = canvas.getContext("2d")
  pen.drawImage(picture, 0, 0)
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height)
  const [light, dark] = [lighter, darker].map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)))
  for (let i = 0; i < pixels.data.length; i += 4) {
    const push = (pixels.data[i] - 128) / 127
    pixels.data.set([...(push > 0 ? light : dark), Math.round(255 * Math.min(1, Math.abs(push)))], i)
  }
  pen.putImageData(pixels, 0, 0)
  return canvas
}

const CLASS_NOTE = "Each row is a class; down a column the noise z is the same, so what changes is the class that G is told."
const ONE_CLASS_NOTE = "One class from different noise: if these are all alike, G has collapsed inside the class."

class GridPanel extends Panel {
  constructor(view, spec) {
    super(view, spec)
    this.image = el("img", { class: "gs-grid", alt: "", hidden: true, draggable: "false", "data-testid": `${spec.slot}-image` })
    // Of a conditional run the rows are classes: their names stand beside them, and one can be looked at by itself.
    this.names = el("div", { class: "gs-rows", "aria-hidden": "true", hidden: true })
    this.one = el("canvas", { class: "gs-grid", role: "img", hidden: true, "data-testid": `${spec.slot}-class` })
    this.choice = el("div", { class: "gs-choice", role: "group", "aria-label": "Class to look at", hidden: true })
    // Of any other run the first samples can be looked at with what G's loss asks of their pixels.
    this.push = el("canvas", { class: "gs-grid", role: "img", hidden: true, "data-testid": `${spec.slot}-push` })
    this.toggle = el(
      "button",
      { class: "gs-button", type: "button", "aria-pressed": "false", title: "show which pixels of the first samples G is to change", "data-testid": `${spec.slot}-push-toggle` },
      "push on G",
    )
    this.toggle.addEventListener("click", () => {
      this.pushed = !this.pushed
      this.show()
    })
    this.lever = el("div", { class: "gs-choice gs-lever", hidden: true }, this.toggle)
    this.body.append(this.choice, el("div", { class: "gs-sheet" }, this.names, this.image, this.one, this.push), this.lever)
    this.chosen = null
    this.pushed = false
    this.shown = null
  }

  get needs() {
    return this.spec.part || "grid"
  }

  draw() {
    const found = this.view.part(this.needs)
    this.waiting(!found)
    this.offer((found && found.value.classes) || [])
    if (!this.offered.length && !this.pushed) this.explain()
    if (!found) return
    const picture = this.view.contents.get(found.value.file)
    if (picture && !(this.shown && this.shown.file === found.value.file)) {
      const push = this.view.store.part("push", found.round)
      this.shown = { picture, round: found.round, push: push && push.round === found.round ? push.value : null, ...found.value }
      this.show()
    }
    if (this.shown) this.tellRound(this.shown.round, this.chosen === null ? "" : `class ${this.offered[this.chosen]}`)
  }

  // The classes of the rows, by the names that the reference brings, perhaps later than the picture.
  offer(classes) {
    const all = this.view.store.reference.class_names || []
    const names = classes.map((label) => String(all[label] ?? label))
    if (this.offered && names.join("\n") === this.offered.join("\n")) return
    this.offered = names
    if (this.chosen !== null && this.chosen >= names.length) this.chosen = null
    this.choice.hidden = this.names.hidden = !names.length
    this.names.replaceChildren(...names.map((name) => el("span", { title: name }, name)))
    this.choice.replaceChildren(
      ...["all", ...names].map((name, i) => {
        const button = el("button", { class: "gs-button", type: "button" }, name)
        button.addEventListener("click", () => {
          this.chosen = i ? i - 1 : null
          this.show()
        })
        return button
      }),
    )
    this.show()
  }

  show() {
    const one = this.chosen !== null
    Array.from(this.choice.children).forEach((button, i) => button.setAttribute("aria-pressed", String(i === (one ? this.chosen + 1 : 0))))
    if (!this.shown) return
    const { picture, round, count = 0 } = this.shown
    const name = one ? this.offered[this.chosen] : ""
    this.names.hidden = one || !this.offered.length
    if (this.offered.length) setText(this.note, one ? ONE_CLASS_NOTE : CLASS_NOTE)
    const pushed = this.pushed && Boolean(this.shown.push) && !one
    this.lever.hidden = !this.shown.push
    this.toggle.setAttribute("aria-pressed", String(this.pushed))
    this.image.hidden = one || pushed
    this.one.hidden = !one
    this.push.hidden = !pushed
    if (pushed) this.lay(this.shown)
    else if (!this.offered.length) this.explain()
    this.image.src = picture.src
    this.image.alt = `${integer(count)} generated samples at round ${integer(round)}`
    this.image.dataset.round = round
    this.tellRound(round, one ? `class ${name}` : "")
    if (one) this.enlarge(picture, this.chosen, name)
  }

  explain() {
    setText(this.note, this.spec.note || this.view.store.reference.samples_note || "")
  }

  // The first samples, large, and over them where each pixel is pushed: the stronger, the less of the sample is seen.
  async lay(shown) {
    const { picture, push, count, round } = shown
    const pull = new Image()
    pull.src = this.view.artefact(push.file)
    try {
      await pull.decode()
    } catch (error) {
      return // may work at the next frame
    }
    if (shown !== this.shown || !this.pushed) return
    const [across, down] = [Math.ceil(Math.sqrt(count)), Math.ceil(Math.sqrt(push.count))]
    const w = (pull.naturalWidth + GAP) / down
    const columns = Math.ceil(push.count / 2)
    const { lighter, darker } = this.view.colours
    const tint = tinted(pull, lighter, darker)
    this.push.width = columns * w - GAP
    this.push.height = 2 * w - GAP
    const pen = this.push.getContext("2d")
    for (let i = 0; i < push.count; i++) {
      const [x, y] = [(i % columns) * w, Math.floor(i / columns) * w]
      const cell = (picture, wide) => pen.drawImage(picture, (i % wide) * w, Math.floor(i / wide) * w, w - GAP, w - GAP, x, y, w - GAP, w - GAP)
      cell(picture, across)
      cell(tint, down)
    }
    this.push.dataset.round = round
    this.push.setAttribute("aria-label", `the first ${push.count} samples at round ${integer(round)}, with the pixels that G's loss would have lighter or darker`)
    setText(this.note, `What G's loss asks of the pixels: orange lighter, blue darker. The strongest is a gradient of ${number(push.largest)}.`)
  }

  // One row of the picture, as a square.
  enlarge(picture, row, name) {
    const { columns, classes, round } = this.shown
    const [w, h] = [(picture.naturalWidth + GAP) / columns, (picture.naturalHeight + GAP) / classes.length]
    const across = Math.ceil(Math.sqrt(columns))
    this.one.width = across * w - GAP
    this.one.height = Math.ceil(columns / across) * h - GAP
    const pen = this.one.getContext("2d")
    for (let i = 0; i < columns; i++) {
      const [x, y] = [(i % across) * w, Math.floor(i / across) * h]
      pen.drawImage(picture, i * w, row * h, w - GAP, h - GAP, x, y, w - GAP, h - GAP)
    }
    this.one.dataset.round = round
    this.one.setAttribute("aria-label", `${columns} generated samples of class ${name} at round ${integer(round)}`)
  }
}

// What is measured of the samples: some large, with a mark that says whether they read like real data, and all in a table.
class NumbersPanel extends Panel {
  constructor(view, spec) {
    super(view, spec)
    this.tiles = spec.numbers.filter((entry) => entry.lead).map((entry) => this.tile(entry))
    this.rows = spec.numbers.map((entry) => {
      const cells = ["value", "real", "way", "size"].map((name) => el("td", { class: `gs-${name}` }))
      const row = el("tr", { "data-column": entry.column }, el("th", { scope: "row", title: entry.help }, entry.label), ...cells)
      return { entry, row, cells }
    })
    const head = ["measure", "this run", "real data", "better", "samples"].map((text) => el("th", { scope: "col" }, text))
    const table = el("table", { class: "gs-table" }, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...this.rows.map(({ row }) => row)))
    this.more = el("details", { class: "gs-more", "data-testid": `${spec.slot}-all` }, el("summary", {}, "All measures, with what real data reads"), table)
    this.lead = el("div", { class: "gs-tiles" }, ...this.tiles.map(({ tile }) => tile))
    this.body.append(this.lead, this.more)
  }

  tile(entry) {
    const [value, mark, floor] = ["number", "mark", "floor"].map((name) => el("span", { class: `gs-${name}` }))
    const line = document.createElementNS("http://www.w3.org/2000/svg", "svg")
    line.setAttribute("viewBox", "0 0 100 24")
    line.setAttribute("preserveAspectRatio", "none")
    line.setAttribute("aria-hidden", "true")
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
    line.append(path)
    const head = el("span", { class: "gs-reading" }, value, mark)
    const tile = el("div", { class: "gs-tile", title: entry.help, "data-column": entry.column }, el("span", { class: "gs-label" }, entry.label), head, line, floor)
    return { entry, tile, value, mark, path, floor, drawn: "" }
  }

  // What is known of a number at the round that is shown; null where the run does not have it.
  reading(entry) {
    const { store } = this.view
    const { floors = {}, lacking = {}, sizes = {}, histogram_n: samples, class_names: names = [] } = store.reference
    const column = store.column("diagnostics", entry.column)
    const known = column && column.x.length > 0
    if (!known && !lacking[entry.column]) return null
    const round = this.view.shown ?? this.view.round
    const value = known ? store.valueAt("diagnostics", entry.column, round) : null
    const real = floors[entry.column]
    const silent = (entry.unless || []).find((other) => this.silences(other, round))
    const of = entry.counts && names.length ? ` of ${integer(names.length)}` : ""
    return {
      column,
      text: silent ? "–" : number(value, entry.format) + (value === null ? "" : of),
      near: silent || value === null || real === undefined ? null : nearReal(entry, value, real),
      real: real === undefined ? "" : number(real, entry.format),
      why: silent ? silent.why : lacking[entry.column] || "",
      size: sizes[entry.column] ?? samples,
    }
  }

  silences({ column, low, high }, round) {
    const value = this.view.store.valueAt("diagnostics", column, round)
    return value !== null && (value < low || value > high)
  }

  draw() {
    const { store } = this.view
    let any = false
    for (const item of this.tiles) {
      const { entry } = item
      const read = this.reading(entry)
      item.tile.hidden = !read
      if (!read) continue
      any = true
      setText(item.value, read.text)
      setText(item.mark, read.near === null ? "" : read.near ? "✓" : "✗")
      item.mark.dataset.near = read.near
      item.mark.setAttribute("aria-label", read.near === null ? "" : read.near ? "near real data" : "not near real data")
      setText(item.floor, read.why || [read.real && `real data ${read.real}`, entry.way].filter(Boolean).join(", "))
      const key = `${store.generation}/${read.column ? read.column.x.length : 0}`
      if (key !== item.drawn && read.column) {
        item.drawn = key
        item.path.setAttribute("d", sparkPath(read.column))
      }
    }
    for (const { entry, row, cells } of this.rows) {
      const read = this.reading(entry)
      row.hidden = !read
      if (!read) continue
      any = true
      const told = [read.text, read.real, read.why || entry.way, read.size ? integer(read.size) : ""]
      cells.forEach((cell, i) => setText(cell, told[i]))
    }
    if (any && this.view.shown !== null) this.tellRound(this.view.shown)
    this.waiting(!any)
  }
}

// As Metric.near_real of gan_core/metrics/metric.py, which says how near that is.
function nearReal({ better, slack: [share, besides] }, value, real) {
  const slack = share * Math.abs(real) + besides
  return (value >= real - slack || better === "lower") && (value <= real + slack || better === "higher")
}

function sparkPath({ x, y }) {
  const finite = y.filter((v) => v !== null && Number.isFinite(v))
  if (finite.length < 2) return ""
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  const span = high - low || 1
  const [x0, x1] = [x[0], x[x.length - 1]]
  let pen = "M"
  let path = ""
  for (let i = 0; i < x.length; i++) {
    if (y[i] === null || !Number.isFinite(y[i])) {
      pen = "M"
      continue
    }
    path += `${pen}${((100 * (x[i] - x0)) / (x1 - x0 || 1)).toFixed(1)},${(22 - (20 * (y[i] - low)) / span).toFixed(1)}`
    pen = "L"
  }
  return path
}

const PANELS = {
  curves: CurvesPanel,
  overlay: OverlayPanel,
  histogram: HistogramPanel,
  heatmap: HeatmapPanel,
  grid: GridPanel,
  points: PointsPanel,
  density: DensityPanel,
  numbers: NumbersPanel,
}
