// @ts-check
// The forger's test: what D says of the drawing, beside samples of G and real pictures, and where G's loss would push its pixels.

import { COLOURS } from "../declared.js"
import { Picture, select, sheetOf, svgOf } from "../latent/pieces.js"
import { el, setText } from "../live/elements.js"
import { integer, number } from "../live/said.js"
import { readingOf, Side } from "./side.js"

const BINS = 24

export class Forger {
  /** @param {import("./draw.js").Draw} page */
  constructor(page) {
    this.page = page
    this.side = new Side(page, "rf", () => page.changed())
    /** @type {any} What the server says of the drawing. */
    this.said = null
    /** @type {any} What it says of held-out pictures and of samples. */
    this.line = null
    /** @type {string | null} */
    this.lined = null
    this.name = el("h3", { class: "gd-name" })
    this.given = new Picture("the drawing as D sees it", "gd-input")
    this.push = new Picture("the push on its pixels", "gd-input")
    this.opinion = el("p", { class: "gd-opinion", "data-testid": "opinion" })
    this.chart = el("div")
    const of = (/** @type {string} */ colour, /** @type {string} */ name) =>
      el("span", {}, el("i", { style: `background:${colour}` }), name)
    this.legend = el(
      "p",
      { class: "gl-legend" },
      of(COLOURS.real, "real, held out"),
      of(COLOURS.generated, "samples of G"),
    )
    this.fakes = el("div", { class: "gl-row" })
    this.reals = el("div", { class: "gl-row" })
    this.asked = el("div")
    this.hint = el("p", { class: "gl-hint" })
    const named = (/** @type {string} */ name, /** @type {Picture} */ picture) =>
      el("div", {}, el("span", { class: "gl-name" }, name), picture.element)
    this.pushed = named("the push on its pixels", this.push)
    this.element = el(
      "section",
      { class: "gd-card gd-wide" },
      this.name,
      this.side.element,
      this.asked,
      el(
        "div",
        { class: "gd-pair" },
        named("the drawing as D sees it", this.given),
        this.pushed,
        el("div", { class: "gd-verdict" }, this.opinion, this.legend, this.chart),
      ),
      this.hint,
      el(
        "div",
        { class: "gd-both" },
        el("div", { class: "gl-line" }, el("span", { class: "gl-name" }, "samples of G"), this.fakes),
        el("div", { class: "gl-line" }, el("span", { class: "gl-name" }, "real, held out"), this.reals),
      ),
    )
  }

  /** @param {any} run */
  open(run) {
    setText(this.name, run.name)
    if (run.run !== this.side.run) this.lined = this.line = null
    this.side.open(run)
  }

  ask() {
    const { side, page } = this
    if (!side.about?.judges || side.round === undefined) return
    side.tell()
    this.askClass()
    this.lineUp()
    if (page.canvas.isEmpty) return
    const y = page.choice.y === "" ? {} : { y: Number(page.choice.y) }
    /** @type {string | undefined} */
    let source
    const now = () => {
      source = page.canvas.source
      return page.given(
        side.about,
        page.about === side.about || (side.about.own && page.about.data === side.about.data && page.first.degrades),
      )
    }
    side.link.ask("forge", { do: "forge", round: side.round, ...y, now }, async (answer) => {
      const sheet = await sheetOf(answer, page.gap)
      this.given.show(answer, sheet, 0, null, readingOf(answer.cells[0]))
      this.pushed.hidden = answer.columns < 2
      if (answer.columns > 1) this.push.show(answer, sheet, 1, null, `largest ${number(answer.largest)}`)
      this.said = answer
      this.tell()
      if (!page.first.side.run) page.showGiven(answer, sheet, source)
    })
  }

  // Of a game with classes D is told one: what the classifier reads, unless the visitor says which digit it was to be.
  askClass() {
    const { about } = this.side
    if (!about.conditional || this.asked.firstChild) return
    const options = [
      ["", "as the classifier reads it"],
      ...about.classes.map((/** @type {string} */ name, /** @type {number} */ index) => [String(index), name]),
    ]
    this.asked.replaceChildren(
      select("class that D is told", options, this.page.choice.y, (y) => this.page.choice.set({ y })).element,
    )
  }

  lineUp() {
    const { side, page } = this
    const wanted = `${side.run} ${side.round}`
    if (this.lined === wanted) return
    this.lined = wanted
    side.link.ask("line", { do: "line", round: side.round }, async (answer) => {
      if (this.lined !== wanted) return
      this.line = answer
      const sheet = await sheetOf(answer, page.gap)
      const groups = ["fake", "real"].filter((name) => answer[name])
      groups.forEach((name, group) => {
        const pictures = answer[name]
          .slice(0, answer.columns)
          .map((/** @type {number} */ opinion, /** @type {number} */ index) => {
            const picture = new Picture(`${name === "fake" ? "sample" : "real picture"} ${index + 1}`, "small")
            picture.show(answer, sheet, group * answer.columns + index, null, this.unit(opinion))
            return picture.element
          })
        ;(name === "fake" ? this.fakes : this.reals).replaceChildren(...pictures)
      })
      this.tell()
    })
  }

  get isProbability() {
    return this.side.about.unit === "probability"
  }

  /** @param {number} opinion */
  unit(opinion) {
    return this.isProbability ? number(opinion, "percent") : number(opinion)
  }

  tell() {
    const { said, line } = this
    const { about } = this.side
    if (said) {
      const told = said.class === undefined ? "" : `, told that it is a ${said.class}`
      const more = this.isProbability
        ? `real with probability ${number(said.opinion, "percent")}`
        : `a score of ${number(said.opinion)}`
      setText(this.opinion, `D says: ${more}${told}.`)
    }
    if (!line) return
    this.chart.replaceChildren(
      opinionChart(line, said?.opinion, (/** @type {number} */ value) => this.unit(value), this.isProbability),
    )
    const below = (/** @type {string} */ name) =>
      said && line[name]
        ? number(
            line[name].filter((/** @type {number} */ one) => one <= said.opinion).length / line[name].length,
            "percent",
          )
        : "–"
    const what = about.unit === "probability" ? "more probable" : "higher"
    setText(
      this.hint,
      said
        ? `D finds the drawing at least as ${what === "higher" ? "high" : "probable"} as ${below("fake")} of ${integer(line.n)} samples of G and ${below("real")} of as many real held-out pictures. ${said.columns > 1 ? "In the push white would lighten a pixel and black darken it, so that D takes the drawing for real sooner; grey is none." : "For this game no push is defined."}`
        : "",
    )
  }
}

// Two histograms on one axis, samples below and real ones above it, and the mark of the drawing.
/**
 * @param {{ fake?: number[], real: number[] }} line What D says of held-out pictures and of samples.
 * @param {number | undefined} opinion
 * @param {(opinion: number) => string} unit
 * @param {boolean} isProbability
 */
function opinionChart({ fake = [], real }, opinion, unit, isProbability) {
  const all = [...fake, ...real, ...(opinion === undefined ? [] : [opinion])]
  let [low, high] = isProbability ? [0, 1] : [Math.min(...all), Math.max(...all)]
  if (high - low < 1e-9) [low, high] = [low - 1, high + 1]
  const counts = (/** @type {number[]} */ values) => {
    const bins = new Array(BINS).fill(0)
    for (const value of values)
      bins[Math.min(BINS - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * BINS)))]++
    return bins
  }
  const [above, below] = [counts(real), counts(fake)]
  const tallest = Math.max(1, ...above, ...below)
  const mark = opinion === undefined ? "" : `; the drawing ${unit(opinion)}`
  const svg = svgOf("svg", {
    viewBox: "0 0 360 132",
    class: "gd-opinions",
    role: "img",
    "aria-label": `What D says of ${real.length} real pictures and ${fake.length} samples${mark}`,
  })
  const wide = 340 / BINS
  const bar = (
    /** @type {number} */ index,
    /** @type {number} */ y,
    /** @type {number} */ height,
    /** @type {string} */ fill,
  ) => svgOf("rect", { x: 10 + index * wide, width: wide - 1, y, height, fill })
  const heights = (/** @type {number[]} */ counts) => counts.map((count) => (count / tallest) * 44)
  svg.append(...heights(above).map((height, index) => bar(index, 61 - height, height, COLOURS.real)))
  svg.append(...heights(below).map((height, index) => bar(index, 63, height, COLOURS.generated)))
  svg.append(
    svgOf("text", { x: 10, y: 124, class: "gd-axis" }, unit(low)),
    svgOf("text", { x: 350, y: 124, class: "gd-axis", "text-anchor": "end" }, unit(high)),
  )
  if (opinion !== undefined) {
    const x = 10 + 340 * Math.min(1, Math.max(0, (opinion - low) / (high - low)))
    svg.append(
      svgOf("line", { x1: x, x2: x, y1: 15, y2: 110, class: "gd-mark" }),
      svgOf(
        "text",
        { x: Math.min(325, Math.max(35, x)), y: 11, class: "gd-axis gd-strong", "text-anchor": "middle" },
        "drawing",
      ),
    )
  }
  return svg
}
