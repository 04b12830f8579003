// @ts-check
// Panels of samples in the plane and on a line, with what D thinks there.

import { MOST_UNLIKE } from "../declared.js"
import { setText } from "./elements.js"
import { ChartPanel } from "./panels.js"
import { integer, number } from "./said.js"

const WIDE = 1.45 // times as wide as high is a panel with room beside its plane
const NUMBERED = 40 // modes: of more the numbers would lie over each other

/** @typedef {import("./store.js").Reference} Reference */
/** @typedef {[number, number]} Point */
/** @typedef {[number, number, number, number]} Extent Left, right, lower and upper edge. */
/** @typedef {[number | null, number | null, number]} Vertex Of an arrow; the last is the size of its head. */
/** @typedef {{ name: string, out: (point: Point, extent: Extent) => boolean, place: Record<string, number | string>, text: (n: string) => string }} Edge */

/** @type {Edge[]} */
const EDGES = [
  { name: "left", out: ([x], [x0]) => x < x0, place: { x: 0, y: 0.5, xanchor: "left" }, text: (n) => `◂ ${n}` },
  { name: "right", out: ([x], [, x1]) => x > x1, place: { x: 1, y: 0.5, xanchor: "right" }, text: (n) => `${n} ▸` },
  {
    name: "below",
    out: ([, y], [, , y0]) => y < y0,
    place: { x: 0.5, y: 0, yanchor: "bottom" },
    text: (n) => `▾ ${n}`,
  },
  { name: "above", out: ([, y], [, , , y1]) => y > y1, place: { x: 0.5, y: 1, yanchor: "top" }, text: (n) => `▴ ${n}` },
]

/**
 * Samples in the plane; `critic` what D says at all (y, x) of a grid, `pull` the push on the first samples, `ways` from each mode to
 * where its points went and `from` the mode of each sample.
 * @typedef {{ fake?: Point[], critic?: number[][], xs?: number[], ys?: number[], grid?: (Point | [null, null])[][], pull?: Point[],
 *   from?: number[], ways?: Extent[], told?: string }} Plane
 */
/** @typedef {{ xs?: number[], fake?: number[], critic?: number[], optimal?: number[] }} Line Densities, and what D says, along a line. */

class ArtefactPanel extends ChartPanel {
  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    super(view, spec)
    /** @type {any[]} The numbers of modes. */
    this.numbers = []
    this.drawnRound = 0
  }

  // Each mode by the name that its bar has in the histogram.
  /** @param {Reference} reference */
  numberModes({ centers = [], class_names: names = [] }) {
    const annotations = centers.slice(0, centers.length > NUMBERED ? 0 : undefined).map(([x, y = 0], i) => ({
      annotation: {
        x,
        y,
        text: String(names[i] ?? i + 1),
        showarrow: false,
        yshift: 13,
        font: { size: 12, color: this.view.palette.text },
      },
    }))
    this.numbers = annotations
    this.decorate(annotations)
  }

  // How many samples lie beyond each edge of the plane, at that edge.
  /** @param {Point[]} points */
  countOutside(points) {
    const { extent } = this.view.store.reference
    if (!extent) return 0
    const beyond = Object.fromEntries(EDGES.map(({ name }) => [name, 0]))
    for (const point of points) {
      const [edge] = EDGES.filter(({ out }) => out(point, extent))
      if (edge) beyond[edge.name] += 1
    }
    const edges = EDGES.filter(({ name }) => beyond[name])
    this.decorate([
      ...this.numbers,
      ...edges.map(({ name, place, text }) => ({
        annotation: {
          ...place,
          xref: "x domain",
          yref: "y domain",
          text: text(integer(beyond[name])),
          showarrow: false,
          borderpad: 2,
          bgcolor: this.view.palette.veil,
          font: { size: 13, color: this.view.colours.fake },
        },
      })),
    ])
    return edges.reduce((sum, { name }) => sum + beyond[name], 0)
  }

  /** What does not change during a run. @param {Record<string, any>} _reference */
  drawReal(_reference) {}

  /** What the file of a round holds. @param {any} _content */
  drawFile(_content) {}

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

export class PointsPanel extends ArtefactPanel {
  sideways = false // the legend stands beside the plane
  extent = "" // of the axes

  // A square plane in a wide panel leaves room beside it for the legend, and none above.
  fit() {
    super.fit()
    if (!this.ready || this.chart.offsetParent === null) return
    const sideways = this.chart.clientWidth > WIDE * this.chart.clientHeight
    if (sideways === this.sideways) return
    this.sideways = sideways
    const { legend } = this.spec.figure.layout
    const beside = { ...legend, orientation: "v", x: 0, xanchor: "left", y: 1, yanchor: "top" }
    const font = this.chart.layout.legend?.font
    this.Plotly.relayout(this.chart, { legend: { ...(sideways ? beside : legend), font } })
    if (this.traceOf("critic").showlegend !== false) this.restyle(["critic"], { showscale: sideways }) // the key of D's map
  }

  /** @param {Reference} reference */
  drawReal(reference) {
    const points = reference.points || []
    this.restyle(["real"], { x: [points.map((p) => p[0])], y: [points.map((p) => p[1])] })
    this.numberModes(reference)
    const extent = reference.extent || (points.length ? surround(points) : null)
    const text = JSON.stringify(extent)
    if (extent && text !== this.extent) {
      this.extent = text
      this.Plotly.relayout(this.chart, {
        "xaxis.range": [extent[0], extent[1]],
        "yaxis.range": [extent[2], extent[3]],
        "xaxis.autorange": false,
        "yaxis.autorange": false,
        "yaxis.scaleanchor": alike(extent) ? "x" : false,
        ...(reference.axes ? { "xaxis.title.text": reference.axes[0], "yaxis.title.text": reference.axes[1] } : {}),
      })
    }
  }

  /** @param {Plane} content */
  drawFile({ fake = [], critic = [], xs = [], ys = [], grid = [], pull = [], from = [], ways = [], told = "" }) {
    const [x, y] = [fake.map((p) => p[0]), fake.map((p) => p[1])]
    const bent = grid.flatMap((line) => [...line, [null, null]])
    const span = xs.length ? xs[xs.length - 1] - xs[0] : 1
    const units = this.view.store.reference.units || [1, 1]
    const [arrows, strength] = arrowsOf(fake, pull, 0.12 * span, units)
    const all = [
      [xs, ys],
      [x, y],
      [bent.map((p) => p[0]), bent.map((p) => p[1])],
      [arrows.map((p) => p[0]), arrows.map((p) => p[1])],
    ]
    this.restyle(["critic", "generated", "grid", "push"], {
      x: all.map((pair) => pair[0]),
      y: all.map((pair) => pair[1]),
      z: [critic, undefined, undefined, undefined],
      "marker.size": [undefined, undefined, undefined, arrows.map((p) => p[2])],
    })
    if (this.traceOf("ways")) this.drawWays(from, ways)
    this.countOutside(fake)
    const shown = this.traceOf("push").visible === true
    setText(
      this.note,
      this.spec.note ||
        told ||
        (shown && strength !== null ? `Push on G: the longest arrow is a gradient of ${number(strength)}.` : ""),
    )
  }

  // Points in the colour of the mode that they come from, and an arrow from each mode to where its points went.
  /**
   * @param {number[]} from
   * @param {Extent[]} ways
   */
  drawWays(from, ways) {
    const colours = from.map((mode) => `hsl(${Math.round((360 * mode) / Math.max(1, ways.length))} 75% 52%)`)
    const arrows = ways.flatMap(([x0, y0, x1, y1]) => [
      [x0, y0, 0],
      [x1, y1, 13],
      [null, null, 0],
    ])
    this.restyle(["generated"], { "marker.color": [colours.length ? colours : this.view.colours.fake] })
    this.restyle(["ways"], {
      x: [arrows.map((p) => p[0])],
      y: [arrows.map((p) => p[1])],
      "marker.size": [arrows.map((p) => p[2])],
    })
  }
}

// Both axes to one scale, unless they are of different units: then each has its own. As _alike of charts.py.
/** @param {Extent} extent */
function alike([x0, x1, y0, y1]) {
  const ratio = (x1 - x0) / (y1 - y0)
  return ratio > 1 / MOST_UNLIKE && ratio < MOST_UNLIKE
}

// Arrows from the first points, as three entries each (start, tip, gap; x, y and the size of the head), the longest of a
// given length along x: directions can be seen however weak the push; how weak it is, in the units of the axes, comes as
// the second result.
/**
 * @param {Point[]} points
 * @param {Point[]} pull
 * @param {number} length
 * @param {Point} units
 * @returns {[Vertex[], number | null]}
 */
function arrowsOf(points, pull, length, [ux, uy]) {
  const sizes = pull.map(([dx, dy]) => Math.hypot(dx / ux, dy / uy))
  const longest = Math.max(0, ...sizes)
  if (!(longest > 0)) return [[], pull.length ? 0 : null]
  const scale = length / (longest * ux)
  /** @type {Vertex[]} */
  const arrows = pull.flatMap(([dx, dy], i) => {
    const [x, y] = points[i]
    return [
      [x, y, 0],
      [x + scale * dx, y + scale * dy, 4 + (6 * sizes[i]) / longest],
      [null, null, 0],
    ]
  })
  return [arrows, longest]
}

/**
 * @param {Point[]} points
 * @returns {Extent}
 */
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

export class DensityPanel extends ArtefactPanel {
  /** @param {Reference} reference */
  drawReal({ xs = [], real_density: real = [], extent }) {
    this.restyle(["real"], { x: [xs], y: [real] })
    this.restyle(["best"], { visible: this.view.store.reference.score_unit === "probability" })
    this.numberModes(this.view.store.reference)
    if (extent) this.Plotly.relayout(this.chart, { "xaxis.range": [extent[0], extent[1]] })
  }

  /** @param {Line} content */
  drawFile({ xs = [], fake = [], critic = [], optimal = [] }) {
    const grid = xs.length ? xs : this.view.store.reference.xs || []
    const x = [grid, grid, optimal.length ? grid : []]
    this.restyle(["generated", "critic", "best"], { x, y: [fake, critic, optimal] })
    const top = 1.15 * Math.max(1e-9, ...fake, ...(this.view.store.reference.real_density || []))
    this.growAxis("yaxis", top)
  }
}
