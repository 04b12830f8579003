// @ts-check
// How curves are drawn: smoothed, on a logarithmic axis, and in a range that few values do not decide.

import { CUT, CUT_MARGIN } from "../declared.js"
import { el } from "./elements.js"
import { integer } from "./said.js"

export const SMOOTHING = 0.9 // of the live curves; Compare has all weights
const SAVES = 1.5 // times as long must the whole range be, or all values are shown

// The exponential moving average with bias correction; gan_core.engine.comparing.curves.smooth is the same.
/**
 * @template {number | null} Value
 * @param {Value[]} values
 * @param {number} weight
 */
export function smooth(values, weight) {
  let average = 0
  let share = 0
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value
    average = weight * average + (1 - weight) * value
    share = weight * share + (1 - weight)
    return average / share
  })
}

/**
 * @param {number[]} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below])
}

// `{low, high, outside}` of all finite values, with lines in it that stand beside them; null without any value.
/**
 * @param {(number | null)[][]} series
 * @param {number[]} [lines]
 */
export function robustRange(series, lines = []) {
  const values = series.flatMap((one) => /** @type {number[]} */ (one.filter(Number.isFinite))).sort((a, b) => a - b)
  if (!values.length) return null
  let [low, high] = [quantile(values, CUT), quantile(values, 1 - CUT)]
  for (const line of lines) [low, high] = [Math.min(low, line), Math.max(high, line)]
  const margin = CUT_MARGIN * (high - low || Math.abs(high) || 1)
  ;[low, high] = [low - margin, high + margin]
  if (values[values.length - 1] - values[0] < SAVES * (high - low))
    return { low: values[0] - margin, high: values[values.length - 1] + margin, outside: 0 }
  return { low, high, outside: values.filter((value) => value < low || value > high).length }
}

// What was chosen for a panel holds for the same panel of all views on the page.
const scalings = new Map()

export class Scaling {
  /**
   * @param {any} panel
   * @param {any} told1
   */
  constructor(panel, { log, fixed }) {
    /** @type {number[] | null} */
    this.set = null // the range, when it was set last
    this.panel = panel
    this.fixed = fixed // the axis has a range of its own
    if (!scalings.has(panel.spec.slot)) scalings.set(panel.spec.slot, { smooth: false, log, all: false })
    this.element = el("span", {
      class: "gs-scaling",
      role: "group",
      "aria-label": `${panel.spec.title}: how it is drawn`,
    })
    const switches = [
      ["smooth", "∿", `smoothed (weight ${SMOOTHING}); the curve itself stays, faint`],
      ["log", "log", "logarithmic axis of values"],
      ["all", "↕", "all values, also the few that lie far out"],
    ]
    this.buttons = switches
      .filter(([name]) => !fixed || name === "smooth")
      .map(([name, label, title]) => {
        const button = el(
          "button",
          {
            type: "button",
            class: "gs-button gs-scale",
            "data-scale": name,
            title,
            "aria-label": `${panel.spec.title}: ${title}`,
          },
          label,
        )
        button.onclick = () => this.turn(name)
        return button
      })
    this.element.append(...this.buttons)
  }

  get choice() {
    return scalings.get(this.panel.spec.slot)
  }

  /** @param {any} name */
  turn(name) {
    this.choice[name] = !this.choice[name]
    const { view } = this.panel
    for (const one of [view, ...view.others]) one.drawSoon(true)
  }

  // Whether the axis was as it is when the last one of these was set: a zoom is a person's own.
  get untouched() {
    const { range, autorange } = this.panel.chart.layout.yaxis
    return (
      !this.set || autorange !== false || Math.abs(range[0] - this.set[0]) + Math.abs(range[1] - this.set[1]) < 1e-9
    )
  }

  // Sets the axis to what is drawn; returns what is to be said of what is not.
  /**
   * @param {(number | null)[][]} series
   * @param {number[]} lines
   */
  fit(series, lines) {
    for (const button of this.buttons)
      button.setAttribute("aria-pressed", String(this.choice[button.dataset.scale || ""]))
    if (this.fixed) return ""
    const { chart, Plotly } = this.panel
    const { log, all } = this.choice
    const type = log ? "log" : "linear"
    const turned = (chart._fullLayout.yaxis.type === "log") !== log
    const values = log
      ? series.map((one) => one.filter((value) => value !== null && value > 0).map((value) => Math.log10(value ?? 0)))
      : series
    const found = all ? null : robustRange(values, log ? lines.filter((line) => line > 0).map(Math.log10) : lines)
    const range = found?.outside ? [found.low, found.high] : null
    if (turned || this.untouched) {
      const change = range ? { "yaxis.range": range, "yaxis.autorange": false } : { "yaxis.autorange": true }
      const same =
        !turned &&
        (range
          ? this.set?.every((end, i) => Math.abs(end - range[i]) < 0.01 * (range[1] - range[0]))
          : !this.set && chart.layout.yaxis.autorange !== false)
      if (!same) {
        if (turned) this.panel.dtick = undefined
        const ticks = log
          ? { exponentformat: "power", nticks: 0, tickmode: "linear", dtick: "D1" }
          : { exponentformat: null, nticks: 6, tickmode: "auto", dtick: null }
        const told = Object.entries(turned ? ticks : {}).map(([name, value]) => [`yaxis.${name}`, value])
        Plotly.relayout(chart, { "yaxis.type": type, ...Object.fromEntries(told), ...change })
        this.set = range
      }
    }
    const below = log
      ? series.reduce((sum, one) => sum + one.filter((value) => value !== null && value <= 0).length, 0)
      : 0
    const told = []
    if (found?.outside && this.set)
      told.push(`${integer(found.outside)} ${found.outside === 1 ? "value" : "values"} outside`)
    if (below) told.push(`${integer(below)} at or below 0`)
    return told.join(" · ")
  }
}
