// @ts-check
// What a G from picture to picture makes of the drawing: as pictures beside one another, and as before | after.

import { Picture, sheetOf } from "../latent/pieces.js"
import { el, penOf, setText } from "../live/elements.js"
import { integer, number } from "../live/said.js"
import { readingOf, Side } from "./side.js"

export class Translated {
  /**
   * @param {import("./draw.js").Draw} page
   * @param {"ra" | "rb"} param
   */
  constructor(page, param) {
    this.page = page
    this.side = new Side(page, param, () => page.changed())
    this.name = el("h3", { class: "gd-name" })
    this.how = el("p", { class: "gl-hint" })
    this.input = new Picture("what G gets", "gd-input")
    this.output = new Picture("what G makes of it", "gd-output")
    this.output.canvas.dataset.testid = `output-${param}`
    this.element = el(
      "section",
      { class: "gd-card" },
      this.name,
      this.side.element,
      el(
        "div",
        { class: "gd-pair" },
        el("div", {}, el("span", { class: "gl-name" }, "what G gets"), this.input.element),
        el("div", {}, el("span", { class: "gl-name" }, "what G makes of it"), this.output.element),
      ),
      this.how,
    )
    this.beforeAfter = new BeforeAfter(this)
  }

  /** @param {any} run */
  open(run) {
    setText(this.name, run.name)
    this.side.open(run)
  }

  // Whether the drawing is degraded before G gets it: as the visitor chose, else where a pen does not draw what G learned from.
  get degrades() {
    const { about } = this.side
    if (!about?.degradation) return false
    return this.page.choice.how === "" ? !about.drawn : this.page.choice.how === "target"
  }

  tellHow() {
    const { about } = this.side
    const title = about.title ? about.title.toLowerCase() : ""
    const told = !about.degradation
      ? "G gets the drawing itself."
      : this.degrades
        ? `The drawing is what G should find again: it is degraded first (${title}), as in training.`
        : about.drawn
          ? `G gets the drawing itself: it learned from inputs that a pen can draw (${title}).`
          : `G gets the drawing itself, though it learned from degraded pictures (${title}).`
    setText(this.how, told)
  }

  ask() {
    const { side, page } = this
    if (!side.about?.translates || page.canvas.isEmpty || side.round === undefined) return
    this.tellHow()
    side.tell()
    /** @type {number | undefined} */
    let version
    /** @type {string | undefined} */
    let source
    const now = () => {
      ;({ version, source } = page.canvas)
      return {
        ...page.given(side.about),
        seed: Number(page.choice.seed) || 0,
        ...(this.degrades ? { degrade: true } : {}),
      }
    }
    side.link.ask("drawing", { do: "drawing", round: side.round, now }, async (answer) => {
      const sheet = await sheetOf(answer, page.gap)
      this.input.show(answer, sheet, 1, null, "")
      this.output.show(answer, sheet, 2, null, readingOf(answer.cells[2]))
      this.beforeAfter.show(answer, sheet)
      Object.assign(this.output.canvas.dataset, { round: String(answer.round), of: String(version) })
      if (this === page.first) page.showGiven(answer, sheet, source)
    })
  }
}

// Two pictures over one another; the upper one is cut off where the range over them stands.
class BeforeAfter {
  /** @param {Translated} translated */
  constructor(translated) {
    this.translated = translated
    this.before = el("canvas", { class: "gl-picture", role: "img", "aria-label": "before" })
    this.after = el("canvas", { class: "gl-picture gd-after", role: "img", "aria-label": "after" })
    this.line = el("span", { class: "gd-cut", "aria-hidden": "true" })
    this.range = el("input", {
      type: "range",
      min: 0,
      max: 100,
      step: 1,
      "aria-label": "from before, on the left, to after, on the right",
      "data-testid": `cut-${translated.side.param}`,
    })
    this.range.value = "50"
    this.range.oninput = () => this.cut()
    this.note = el("span", { class: "gl-note" })
    this.name = el("h3", { class: "gd-name" })
    this.told = el("p", { class: "gd-honest", "data-testid": "honest" })
    this.element = el(
      "section",
      { class: "gd-card" },
      this.name,
      el("div", { class: "gd-stack" }, this.before, this.after, this.line, this.range),
      el("div", { class: "gd-ends" }, el("span", {}, "before"), this.note, el("span", {}, "after")),
      this.told,
    )
    this.cut()
  }

  cut() {
    const at = Number(this.range.value)
    this.after.style.clipPath = `inset(0 0 0 ${at}%)`
    this.line.style.left = `${at}%`
  }

  /**
   * @param {any} answer
   * @param {any} sheet
   */
  show(answer, sheet) {
    const { width, height, columns, gap, image } = sheet
    for (const { canvas, index } of [
      { canvas: this.before, index: 1 },
      { canvas: this.after, index: 2 },
    ]) {
      canvas.width = width
      canvas.height = height
      penOf(canvas).drawImage(image, (index % columns) * (width + gap), 0, width, height, 0, 0, width, height)
    }
    setText(this.note, readingOf(answer.cells[2]))
    setText(this.name, this.translated.side.name)
  }

  // The sentence that belongs to the picture, counted over held-out pictures at this round.
  count() {
    const { side } = this.translated
    if (!side.about?.translates || side.round === undefined || this.counted === `${side.run} ${side.round}`) return
    const { run, round, about } = side
    this.counted = `${run} ${round}`
    if (!about.judged && !about.paired)
      return setText(
        this.told,
        "There is no classifier of this data, so nobody counts how many outputs are something else.",
      )
    setText(this.told, "Counting over held-out pictures…")
    side.link.ask("figures", { do: "figures", round }, (answer) => {
      if (run === side.run) setText(this.told, honestly(answer, about))
    })
  }
}

// What an answer of the kind "figures" says; of pairs whose classes nobody knows only how far outputs are from their targets.
/**
 * @param {any} answer
 * @param {any} about
 */
function honestly(answer, about) {
  const thing = about.classes.every((/** @type {string} */ name) => /^\d$/.test(name)) ? "digit" : "class"
  const share = (/** @type {number} */ count) => number(count / answer.n, "percent").replaceAll(" ", "\u00a0")
  const said = []
  if (answer.output !== undefined) {
    said.push(
      `${share(answer.output)} of ${integer(answer.n)} held-out pictures come out as another ${thing}, and surely so, by the classifier at round ${integer(answer.round)}.`,
    )
    const beside = [
      ["of the inputs", answer.input],
      ["of the real pictures", answer.real],
    ]
      .filter(([, count]) => count !== undefined)
      .map(([of, count], at) => `${of} ${share(count)}${at ? "" : " are read so"}`)
      .join(", ")
    if (beside) said.push(`${beside[0].toUpperCase()}${beside.slice(1)}.`)
  }
  if (answer.apart) {
    const { output, input } = answer.apart
    said.push(
      `Outputs of ${integer(answer.n)} held-out pairs are ${number(output, "percent")} of full brightness away from their targets, the inputs as they are ${number(input, "percent")}${output < input ? "" : ": to do nothing would be nearer"}.`,
    )
  }
  said.push(
    about.degradation || about.paired
      ? "A sharp picture is no proof of what was there."
      : "Without pairs nothing in training says which output is right.",
  )
  return said.join(" ")
}
