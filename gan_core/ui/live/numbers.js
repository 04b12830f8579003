// @ts-check
// The panel of measures, and what is near real data.

import { el, setText } from "./elements.js"
import { Panel } from "./panels.js"
import { integer, number } from "./said.js"

/** @typedef {{ column: string, low: number, high: number, why: string }} Silence Outside of this range of a column a measure says nothing. */
/**
 * A measure as it is shown; `slack` is how far from real data it may be, as a share and besides.
 * @typedef {{ column: string, label: string, help: string, format?: string, way: string, lead?: boolean, counts?: boolean,
 *   floor_of?: string, unless?: Silence[], better: string, slack: [number, number] }} Entry
 */

// What is measured of the samples: some large, with a mark that says whether they read like real data, and all in a table.
export class NumbersPanel extends Panel {
  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    super(view, spec)
    /** @type {ReturnType<NumbersPanel["tile"]>[]} */
    this.tiles = spec.numbers
      .filter((/** @type {Entry} */ entry) => entry.lead)
      .map((/** @type {Entry} */ entry) => this.tile(entry))
    /** @type {{ entry: Entry, row: HTMLElement, cells: HTMLElement[] }[]} */
    this.rows = spec.numbers.map((/** @type {Entry} */ entry) => {
      const cells = ["value", "real", "way", "size"].map((name) => el("td", { class: `gs-${name}` }))
      const row = el(
        "tr",
        { "data-column": entry.column },
        el("th", { scope: "row", title: entry.help }, entry.label),
        ...cells,
      )
      return { entry, row, cells }
    })
    const head = ["measure", "this run", spec.beside || "real data", "better", "samples"].map((text) =>
      el("th", { scope: "col" }, text),
    )
    const table = el(
      "table",
      { class: "gs-table" },
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...this.rows.map(({ row }) => row)),
    )
    this.more = el(
      "details",
      { class: "gs-more", "data-testid": `${spec.slot}-all` },
      el("summary", {}, `All measures, with what ${spec.beside ? "they are read beside" : "real data reads"}`),
      table,
    )
    this.lead = el("div", { class: "gs-tiles" }, ...this.tiles.map(({ tile }) => tile))
    this.body.append(this.lead, this.more)
  }

  /** @param {Entry} entry */
  tile(entry) {
    const [value, mark, floor] = ["number", "mark", "floor"].map((name) => el("span", { class: `gs-${name}` }))
    const line = document.createElementNS("http://www.w3.org/2000/svg", "svg")
    line.setAttribute("viewBox", "0 0 100 24")
    line.setAttribute("preserveAspectRatio", "none")
    line.setAttribute("aria-hidden", "true")
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
    line.append(path)
    const head = el("span", { class: "gs-reading" }, value, mark)
    const tile = el(
      "div",
      { class: "gs-tile", title: entry.help, "data-column": entry.column },
      el("span", { class: "gs-label" }, entry.label),
      head,
      line,
      floor,
    )
    return { entry, tile, value, mark, path, floor, drawn: "" }
  }

  // What is known of a number at the round that is shown; null where the run does not have it.
  /** @param {Entry} entry */
  reading(entry) {
    const { store } = this.view
    const {
      floors = {},
      beside = {},
      lacking = {},
      sizes = {},
      histogram_n: samples,
      class_names: names = [],
    } = store.reference
    const column = store.column("diagnostics", entry.column)
    const known = column && column.x.length > 0
    if (!known && !lacking[entry.column]) return null
    const round = this.view.shown ?? this.view.round
    const value = known ? store.valueAt("diagnostics", entry.column, round) : null
    const real = floors[entry.column]
    const others = Object.entries(beside[entry.column] || {}).map(
      ([name, other]) => `${name} ${number(other, entry.format)}`,
    )
    const silent = (entry.unless || []).find((/** @type {Silence} */ other) => this.silences(other, round))
    const of = entry.counts && names.length ? ` of ${integer(names.length)}` : ""
    return {
      column,
      text: silent ? "–" : number(value, entry.format) + (value === null ? "" : of),
      near: silent || value === null || real === undefined ? null : nearReal(entry, value, real),
      real: real === undefined ? others.join(", ") : number(real, entry.format),
      told: real === undefined ? others.join(", ") : `${entry.floor_of || "real data"} ${number(real, entry.format)}`,
      why: silent ? silent.why : lacking[entry.column] || "",
      size: sizes[entry.column] ?? samples,
    }
  }

  /**
   * @param {Silence} told
   * @param {number} round
   */
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
      item.mark.dataset.near = String(read.near)
      item.mark.setAttribute(
        "aria-label",
        read.near === null ? "" : read.near ? "near real data" : "not near real data",
      )
      setText(item.floor, read.why || [read.told, entry.way].filter(Boolean).join(", "))
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
      for (const [i, cell] of cells.entries()) setText(cell, told[i])
    }
    if (any && this.view.shown !== null) this.tellRound(this.view.shown)
    this.waiting(!any)
  }
}

// As Metric.near_real of gan_core/metrics/metric.py, which says how near that is.
/**
 * @param {Pick<Entry, "better" | "slack">} entry
 * @param {number} value
 * @param {number} real
 */
export function nearReal({ better, slack: [share, besides] }, value, real) {
  const slack = share * Math.abs(real) + besides
  return (value >= real - slack || better === "lower") && (value <= real + slack || better === "higher")
}

/** @param {import("./store.js").Column} column */
export function sparkPath({ x, y }) {
  const finite = /** @type {number[]} */ (y.filter(Number.isFinite))
  if (finite.length < 2) return ""
  const [low, high] = [Math.min(...finite), Math.max(...finite)]
  const span = high - low || 1
  const [x0, x1] = [x[0], x[x.length - 1]]
  let pen = "M"
  let path = ""
  for (let i = 0; i < x.length; i++) {
    const value = y[i]
    if (value === null || !Number.isFinite(value)) {
      pen = "M"
      continue
    }
    path += `${pen}${((100 * (x[i] - x0)) / (x1 - x0 || 1)).toFixed(1)},${(22 - (20 * (value - low)) / span).toFixed(1)}`
    pen = "L"
  }
  return path
}
