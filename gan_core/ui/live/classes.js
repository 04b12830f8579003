// @ts-check
// Panels of classes: how many samples each has now, and had over time.

import { LEAST_REAL } from "../declared.js"
import { setText } from "./elements.js"
import { ChartPanel } from "./panels.js"
import { inFigure } from "./plotly.js"
import { integer, number } from "./said.js"

const LOW = 160 // px: in a chart that is lower the names of bars need the room of what the axes are called

export class HistogramPanel extends ChartPanel {
  counted = 0 // the round of the bars
  low = false // its axes are not named

  fit() {
    super.fit()
    const low = this.chart.clientHeight < LOW
    if (!this.ready || !this.chart.clientHeight || low === this.low) return
    this.low = low
    const { xaxis, yaxis } = this.spec.figure.layout
    this.Plotly.relayout(this.chart, {
      "xaxis.title.text": low ? "" : xaxis.title.text,
      "yaxis.title.text": low ? "" : yaxis.title.text,
    })
  }

  draw() {
    if (this.busy) return this.view.again()
    const { store, Plotly } = { store: this.view.store, Plotly: this.Plotly }
    const found = this.view.part(this.spec.part || "histogram")
    const names = this.view.store.classNames(found?.value.counts)
    this.waiting(!found)
    if (this.generation !== store.generation || this.names !== names.join("\n")) {
      this.generation = store.generation
      this.names = names.join("\n")
      this.drawn = null
      const { real_share: real = [], band_low: low = [], band_high: high = [] } = store.reference
      const { fake, unsure } = this.view.colours
      Plotly.relayout(this.chart, { "xaxis.dtick": names.length <= 20 ? 1 : Math.ceil(names.length / 15) })
      this.restyle(["generated"], {
        x: [names.map(inFigure)],
        "marker.color": [names.map((_name, i) => (i === names.length - 1 ? unsure : fake))],
      })
      this.restyle(["real"], {
        x: [names.slice(0, real.length).map(inFigure)],
        y: [real],
        "error_y.array": [real.map((share, i) => Math.max(0, (high[i] ?? share) - share))],
        "error_y.arrayminus": [real.map((share, i) => Math.max(0, share - (low[i] ?? share)))],
        visible: real.length > 0,
      })
    }
    if (!found) return
    /** @type {{ counts: number[], n?: number }} */
    const { counts, n: all } = found.value
    const n = all || counts.reduce((a, b) => a + b, 0) || 1
    this.tellRound(found.round, this.view.data.beside.length ? "" : `${integer(n)} samples`) // beside another there is one line
    const key = `${found.round}/${counts.join()}`
    if (key === this.drawn) return
    this.drawn = key
    this.counted = found.round
    const shares = counts.map((count) => count / n)
    this.restyle(["generated"], { y: [shares], customdata: [counts] })
    this.growAxis("yaxis", Math.min(1.02, 1.08 * Math.max(0.28, ...shares, ...(store.reference.band_high || []))))
    const top = shares
      .map((share, i) => /** @type {[number, string]} */ ([share, names[i]]))
      .sort((a, b) => b[0] - a[0])
      .slice(0, 3)
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
    if (real?.length) parts.push("Green: the real mix, and the range that chance alone would give.")
    if (classifier?.accuracy) {
      parts.push(
        `Counted by a fixed classifier, ${number(classifier.accuracy, "percent")} right on ${integer(classifier.n_heldout)} held-out real samples.`,
      )
    }
    setText(this.note, this.spec.note || parts.join(" "))
  }
}

export class HeatmapPanel extends ChartPanel {
  dtick = 0

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
      const names = this.view.store.classNames(last.parts[part].counts)
      const rows = names.map((_, i) =>
        frames.map((frame) => {
          /** @type {{ counts: number[], n?: number }} */
          const { counts, n } = frame.parts[part]
          return counts[i] / (n || counts.reduce((a, b) => a + b, 0) || 1)
        }),
      )
      // The colour is the share over that of real data; as class_heatmap of charts.py.
      const { real_share: real = [] } = store.reference
      const { zmax } = this.traceOf("shares")
      const over = rows.map((row, i) =>
        row.map((share) => Math.min(zmax, share / Math.max(LEAST_REAL, real[i] ?? 1 / (names.length - 1)))),
      )
      const x = frames.map((f) => f.round)
      this.restyle(["shares"], { x: [x], y: [names.map(inFigure)], z: [over], customdata: [rows] })
      const dtick = names.length <= 16 ? 1 : Math.ceil(names.length / 12)
      if (dtick !== this.dtick) this.Plotly.relayout(this.chart, { "yaxis.dtick": dtick })
      this.dtick = dtick
      this.chart.setAttribute(
        "aria-label",
        `${this.spec.title}: share of ${names.length - 1} classes over that of real data in ${frames.length} measurements up to round ${integer(last.round)}.`,
      )
    }
    const marks = this.view.marks().map((m) => this.verticalLine(m.round, "", this.view.colours.mark))
    const round = this.view.selected
    this.decorate(
      round === null || !last
        ? marks
        : [...marks, this.verticalLine(Math.min(round, last.round), "", "#ffffff", "solid")],
    )
  }
}
