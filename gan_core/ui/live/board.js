// @ts-check
// The board over a wall of samples: runs in the order in which they stand at the round that is shown, by each of a few measures.

import { el, setText } from "./elements.js"
import { Panel } from "./panels.js"
import { storeOf } from "./registry.js"
import { number } from "./said.js"

/** @typedef {{ column: string, title: string, label: string, help: string, format?: string, better: string }} Ranking By one measure. */

/** @typedef {{ run: string, item: HTMLElement, rank: HTMLElement, value: HTMLElement }} Place Of a run in a ranking. */
/** @typedef {{ item: HTMLElement, rank: HTMLElement, cell: HTMLElement, value: number | null, behind: number }} Standing */

const SLIDES = { duration: 260, easing: "ease-out" } // to where a run stands now

export class BoardPanel extends Panel {
  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    super(view, spec)
    /** @type {(Ranking & { list: HTMLElement, places: Place[] })[]} */
    this.rankings = spec.rankings.map((/** @type {Ranking} */ ranking) => {
      const list = el("ol", { class: "gs-ranking", "aria-label": `${ranking.title}, the best first` })
      /** @type {Record<string, { name: string, colour: string }>} */
      const runs = spec.runs
      const places = Object.entries(runs).map(([run, { name, colour }]) => {
        const [rank, value] = ["rank", "reads"].map((part) => el("span", { class: `gs-${part}` }))
        const item = el(
          "li",
          { style: `--line: ${colour}`, "data-run": run, title: `${name}: ${ranking.label}` },
          rank,
          el("span", { class: "gs-called" }, name),
          value,
        )
        list.append(item)
        return { run, item, rank, value }
      })
      this.body.append(
        el("div", { class: "gs-ranked", title: ranking.help }, el("span", { class: "gs-by" }, ranking.title), list),
      )
      return { ...ranking, list, places }
    })
  }

  get absent() {
    return !this.rankings.length
  }

  draw() {
    let any = false
    for (const ranking of this.rankings) {
      const standing = ranking.places.map((place) => {
        const store = storeOf(place.run)
        const value = store ? store.valueAt("diagnostics", ranking.column, this.view.round) : null
        return { ...place, value, cell: place.value, behind: behind(ranking, value, store) }
      })
      any ||= standing.some(({ value }) => value !== null)
      this.order(ranking, standing)
    }
    this.waiting(!any)
  }

  /**
   * @param {Ranking & { list: HTMLElement }} ranking
   * @param {Standing[]} standing
   */
  order(ranking, standing) {
    const sorted = standing.slice().sort((a, b) => a.behind - b.behind || 0)
    for (const { rank, cell, value, behind } of sorted) {
      setText(rank, value === null ? "" : String(1 + sorted.findIndex((other) => other.behind === behind)))
      setText(cell, number(value, ranking.format))
    }
    const before = new Map(sorted.map(({ item }) => [item, item.getBoundingClientRect()]))
    if (sorted.every(({ item }, i) => ranking.list.children[i] === item)) return
    ranking.list.append(...sorted.map(({ item }) => item))
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return
    for (const [item, { left, top }] of before) {
      const now = item.getBoundingClientRect()
      if (now.left !== left || now.top !== top)
        item.animate(
          [{ transform: `translate(${left - now.left}px, ${top - now.top}px)` }, { transform: "none" }],
          SLIDES,
        )
    }
  }
}

// The smaller the better: how far from the best that can be read.
/**
 * @param {Ranking} ranking
 * @param {number | null} value
 * @param {import("./store.js").Store | null} store
 */
function behind({ column, better }, value, store) {
  if (value === null || !Number.isFinite(value)) return Infinity
  if (better === "higher") return -value
  if (better === "lower") return value
  const real = store?.reference.floors?.[column]
  return real !== undefined && Number.isFinite(real) ? Math.abs(value - real) : Infinity
}
