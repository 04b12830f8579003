// @ts-check
// The views that are on the page, by their run; the one that leads is called LEAD.

import { LEAD } from "../declared.js"

/** @typedef {import("./view.js").LiveView} LiveView */

/** @type {Record<string, { mounts: number, view: LiveView } & Record<string, any>>} */
const views = {}

// No script reads this: it is for the browser tests and for whoever looks from the console of a browser.
window.__ganscope = views

// Puts a view here, in place of an earlier one of its run, with what it shows.
/** @param {LiveView} view */
export function publish(view) {
  const name = view.data.leads ? LEAD : view.data.run
  const before = views[name]
  views[name] = {
    mounts: (before ? before.mounts : 0) + 1,
    get cursor() {
      return view.store.cursor
    },
    get connection() {
      return view.connection?.state
    },
    get selected() {
      return view.selected
    },
    get frames() {
      return view.store.frames.map((frame) => frame.round)
    },
    // What is drawn, not what was received.
    /** @param {string} column */
    points(column) {
      for (const panel of view.panels)
        for (const binding of panel.bindings || [])
          if (binding.column === column && panel.ready) return panel.chart?.data[binding.index].x.length
      return 0
    },
    view,
  }
}

// The view of a run, if it is there and has not gone.
/**
 * @param {string} name
 * @returns {LiveView | null}
 */
export function viewOf(name) {
  const view = views[name] ? views[name].view : null
  return view && !view.gone ? view : null
}

// What came of a run that is on the page, or was; null where it never was.
/**
 * @param {string} name
 * @returns {import("./store.js").Store | null}
 */
export function storeOf(name) {
  return views[name] ? views[name].view.store : null
}

// The measure that the page of all seeds shows, or null where there is none.
/** @type {{ column: string, title: string } | null} */
let measure = null

export function measureShown() {
  return measure
}

/** @param {{ column: string, title: string } | null} shown */
export function showMeasure(shown) {
  measure = shown
  document.dispatchEvent(new CustomEvent("ganscope:measure"))
}
