// @ts-check
// The looks that begin at samples: the way between them, arithmetic, directions.

import { el, setText } from "../live/elements.js"
import { number } from "../live/said.js"
import { button, normChart, Picture, select, sheetOf, slider, takeAway } from "./pieces.js"

const MOST_SLIDERS = 8
const REACH = 4

/** @typedef {import("./pieces.js").Answer} Answer */
/** @typedef {import("./pieces.js").Cell} Cell */
/** @typedef {[string, number, number]} Step A kind of direction, which one, and how far along it. */

export class Way {
  title = "Way"

  /** @param {import("./walk.js").Walk} walk */
  constructor(walk) {
    this.walk = walk
    this.hint = el(
      "p",
      { class: "gl-hint" },
      "Choose two to four samples in the grid. z goes from each to the next: straight, and on the sphere on which draws lie.",
    )
    this.here = [new Picture("here, straight", "large"), new Picture("here, on the sphere", "large")]
    this.t = slider("how far along", walk.choice.t, [0, 1, 0.01], (t) => walk.choice.set({ t }))
    this.t.input.dataset.testid = "way-slider"
    this.rows = el("div", { class: "gl-rows" })
    this.chart = el("div", { class: "gl-norms" })
    this.takes = el("div")
    this.element = el(
      "div",
      {},
      this.hint,
      el(
        "div",
        { class: "gl-row" },
        ...this.here.map((one, index) =>
          el(
            "div",
            { class: "gl-named" },
            el("span", { class: "gl-name" }, ["straight", "on the sphere"][index]),
            one.element,
          ),
        ),
      ),
      this.t.element,
      this.rows,
      this.chart,
      this.takes,
    )
  }

  /** @param {Record<string, any>} change */
  changed(change) {
    const { choice, link } = this.walk
    if (change && "t" in change && Object.keys(change).length === 1) return this.at()
    this.t.set(choice.t)
    const chosen = choice.points
    if (chosen.length < 2) {
      this.rows.replaceChildren(el("p", {}, "One more sample is needed."))
      return
    }
    const recipe = this.walk.recipe({ do: "way", points: chosen.map((one) => choice.inClass(one)), steps: 11 })
    link.ask("way", recipe, (answer) => this.show(answer, recipe, chosen))
    this.at()
  }

  at() {
    const { choice, link } = this.walk
    if (choice.points.length < 2) return
    link.ask(
      "at",
      this.walk.recipe({ do: "at", points: choice.points.map((one) => choice.inClass(one)), t: Number(choice.t) }),
      async (answer) => {
        const sheet = await sheetOf(answer, this.walk.gap)
        for (const [index, picture] of this.here.entries()) picture.show(answer, sheet, index, this.walk.about.real)
      },
    )
  }

  /**
   * @param {Answer} answer
   * @param {Record<string, any>} recipe
   * @param {string[]} chosen
   */
  async show(answer, recipe, chosen) {
    const sheet = await sheetOf(answer, this.walk.gap)
    const steps = answer.columns
    const names = ["straight", "on the sphere"]
    this.rows.replaceChildren(
      ...names.map((name, row) => {
        const cells = Array.from({ length: steps }, (_, index) => {
          const picture = new Picture(`${name}, step ${index + 1} of ${steps}`, "small")
          const cell = answer.cells[row * steps + index]
          picture.show(
            answer,
            sheet,
            row * steps + index,
            this.walk.about.real,
            cell.label === undefined ? "" : (cell.sure ?? 1) < 0.6 ? `${cell.label}?` : cell.label,
          )
          return picture.element
        })
        return el(
          "div",
          { class: "gl-line" },
          el("span", { class: `gl-name gl-of ${row ? "gl-sphere" : "gl-straight"}` }, name),
          el("div", { class: "gl-row" }, ...cells),
        )
      }),
    )
    const norms = answer.cells.map((/** @type {Cell} */ cell) => cell.norm ?? 0)
    const lines = [
      { name: names[0], values: norms.slice(0, steps), style: "gl-straight" },
      { name: names[1], values: norms.slice(steps), style: "gl-sphere" },
    ]
    const unsure = (/** @type {number} */ row) =>
      answer.cells.slice(row * steps, (row + 1) * steps).filter((/** @type {Cell} */ cell) => (cell.sure ?? 1) < 0.6)
        .length
    const judged =
      answer.cells[0].sure === undefined
        ? ""
        : ` The classifier is unsure (?) of ${unsure(0)} of ${steps} pictures on the straight way, of ${unsure(1)} on the sphere.`
    this.chart.replaceChildren(
      normChart(
        lines,
        this.walk.about.radius,
        chosen.map((one, index) => (/^\d+$/.test(one) ? `sample ${Number(one) + 1}` : `point ${index + 1}`)),
      ),
      el(
        "p",
        {},
        `The shortest z has the norm ${number(Math.min(...lines[0].values))} on the straight way and ${number(Math.min(...lines[1].values))} on the sphere; draws have about ${number(this.walk.about.radius)} (dashed).${judged}`,
      ),
    )
    this.takes.replaceChildren(...(answer.sheet ? [takeAway(this.walk.link, { ...recipe, steps: 15 })] : []))
  }
}

export class Sum {
  title = "Arithmetic"

  /** @param {import("./walk.js").Walk} walk */
  constructor(walk) {
    this.walk = walk
    const { choice } = walk
    const classes = walk.about.classes
    /** @type {Record<"a" | "b" | "base", string>} */
    this.names = { a: "a", b: "− b", base: "+ base" }
    const options = [
      ...Array.from({ length: 64 }, (_, index) => [String(index), `sample ${index + 1}`]),
      ...classes.flatMap((/** @type {string} */ name, /** @type {number} */ index) => [
        [`c${index}`, `mean of ${name}`],
        [`s${index}`, `mean of ${name}, on the shell`],
      ]),
    ]
    if (!choice.a) choice.a = classes.length > 7 ? "c3" : "1"
    if (!choice.b) choice.b = classes.length > 7 ? "c7" : "2"
    const names = /** @type {("a" | "b" | "base")[]} */ (Object.keys(this.names))
    this.selects = names.map((name) => {
      const label = this.names[name]
      const made = select(label, [...options.slice(64), ...options.slice(0, 64)], choice[name], (value) =>
        walk.choice.set({ [name]: value }),
      )
      return { ...made, name }
    })
    this.pictures = ["a", "b", "base", "a − b + base", "the same, on the shell"].map(
      (name) => new Picture(name, "large"),
    )
    this.by = slider("times (a − b)", choice.by, [0, 6, 0.1], (by) => walk.choice.set({ by }))
    this.told = el("p", { class: "gl-told" })
    this.hint = el(
      "p",
      { class: "gl-hint" },
      "The mean z of a class lies deep inside the sphere on which draws lie, so what is made of it is often paler, and of another class or none. On the shell, where draws lie, it is the archetype of its class.",
    )
    this.count = button("Count over 200 samples", () => this.counted(), { class: "gl-button primary" })
    const named = this.pictures.map((picture) =>
      el("div", { class: "gl-named" }, el("span", { class: "gl-name" }, picture.name), picture.element),
    )
    this.element = el(
      "div",
      {},
      this.hint,
      el("div", { class: "gl-row" }, ...this.selects.map((one) => one.element)),
      this.by.element,
      el("div", { class: "gl-row" }, ...named),
      this.count,
      this.told,
    )
  }

  changed() {
    const { choice, link } = this.walk
    for (const one of this.selects) one.input.value = choice[one.name]
    this.by.set(choice.by)
    this.count.hidden = !(this.classOf("a") && this.classOf("b") && this.walk.about.judged)
    setText(this.told, "")
    link.ask(
      "sum",
      this.walk.recipe({
        do: "sum",
        a: choice.a,
        b: choice.b,
        base: choice.inClass(choice.base),
        strength: Number(choice.by),
      }),
      async (answer) => {
        const sheet = await sheetOf(answer, this.walk.gap)
        for (const [index, picture] of this.pictures.entries()) picture.show(answer, sheet, index, this.walk.about.real)
      },
    )
  }

  /** @param {"a" | "b"} name */
  classOf(name) {
    return /^[cs](\d+)$/.exec(this.walk.choice[name])?.[1]
  }

  counted() {
    const [a, b] = [this.classOf("a"), this.classOf("b")].map(Number)
    const names = this.walk.about.classes
    setText(this.told, "Counting…")
    this.walk.link.ask(
      "count",
      this.walk.recipe({ do: "count", a, b, strength: Number(this.walk.choice.by) }),
      ({ n, plain, shell, norms }) => {
        const said = (/** @type {Record<string, number>} */ told) =>
          `${number(told.a, "percent")} are judged ${names[a]}, ${number(told.b, "percent")} are still ${names[b]}, of ${number(told.unsure, "percent")} the classifier is unsure`
        setText(
          this.told,
          `Of ${n} samples of class ${names[b]}: ${said(plain)}. Put back on the shell: ${said(shell)}. The two means have norms of ${number(norms[0])} and ${number(norms[1])}; draws have ${number(this.walk.about.radius)}.`,
        )
      },
    )
  }
}

/** @type {Record<string, string>} */
const KINDS = {
  sefa: "SeFa, first layer",
  dim: "single dimensions",
  class: "towards the mean of a class",
  logistic: "to where a class is likelier",
}
const OF_CLASSES = ["class", "logistic"]
const kindName = (/** @type {string} */ kind) => KINDS[kind] || `GANSpace, layer ${kind.split(":")[1]}`

export class Move {
  title = "Directions"

  /** @param {import("./walk.js").Walk} walk */
  constructor(walk) {
    this.walk = walk
    const { choice, about } = walk
    if (!about.kinds.includes(choice.kind)) choice.kind = about.kinds[0]
    this.kind = select(
      "directions",
      about.kinds.map((/** @type {string} */ kind) => [kind, kindName(kind)]),
      choice.kind,
      (kind) => walk.choice.set({ kind }),
    )
    this.pictures = [new Picture("the sample", "large"), new Picture("moved", "large")]
    this.sliders = el("div", { class: "gl-sliders" })
    this.line = el("div", { class: "gl-line" })
    this.told = el("p", { class: "gl-told" })
    this.takes = el("div")
    this.hint = el(
      "p",
      { class: "gl-hint" },
      "The sample that was chosen first in the grid, moved along directions of z. What else changes is shown below.",
    )
    this.reset = button("All back to 0", () => walk.choice.set({ moves: "" }))
    this.element = el(
      "div",
      {},
      this.hint,
      this.kind.element,
      el(
        "div",
        { class: "gl-both" },
        el("div", { class: "gl-row" }, ...this.pictures.map((one) => one.element)),
        this.sliders,
      ),
      this.reset,
      this.line,
      this.told,
      this.takes,
    )
  }

  /** @returns {Step[]} */
  get moves() {
    return this.walk.choice.moves
      .split(",")
      .filter(Boolean)
      .map((text) => {
        const [, kind, index, amount] = /^(.+)\.(\d+)~(-?[\d.]+)$/.exec(text) || []
        return /** @type {Step} */ ([kind, Number(index), Number(amount)])
      })
      .filter(([kind]) => kind)
  }

  /** @param {Record<string, any>} change */
  changed(change) {
    const { choice } = this.walk
    const all = !change || Object.keys(change).some((name) => name !== "moves")
    if (all || choice.moves === "") this.build()
    this.look()
    if (all) this.study(0)
  }

  build() {
    const { choice, about } = this.walk
    this.kind.input.value = choice.kind
    const amounts = new Map(this.moves.map(([kind, index, amount]) => [`${kind}.${index}`, amount]))
    const count = OF_CLASSES.includes(choice.kind) ? about.classes.length : Math.min(MOST_SLIDERS, about.dim)
    this.sliders.replaceChildren(
      ...Array.from({ length: count }, (_, index) => {
        const name = OF_CLASSES.includes(choice.kind)
          ? `towards ${about.classes[index]}`
          : `${choice.kind === "dim" ? "z" : "direction"} ${index + 1}`
        const key = `${choice.kind}.${index}`
        const made = slider(name, String(amounts.get(key) || 0), [-REACH, REACH, 0.1], (value) => {
          const rest = this.moves.filter(([kind, at]) => `${kind}.${at}` !== key)
          if (Number(value)) rest.push([choice.kind, index, Number(value)])
          this.focus = index
          choice.set({ moves: rest.map(([kind, at, amount]) => `${kind}.${at}~${amount}`).join(",") })
        })
        made.input.dataset.testid = `direction-${index}`
        made.input.onchange = () => this.study(index)
        return made.element
      }),
    )
  }

  look() {
    const { choice, link } = this.walk
    link.ask(
      "move",
      this.walk.recipe({ do: "move", base: choice.inClass(choice.points[0] || "0"), moves: this.moves }),
      async (answer) => {
        const sheet = await sheetOf(answer, this.walk.gap)
        for (const [index, picture] of this.pictures.entries()) picture.show(answer, sheet, index, this.walk.about.real)
      },
    )
  }

  /** @param {number} index */
  study(index) {
    const { choice, link } = this.walk
    const recipe = this.walk.recipe({
      do: "traverse",
      base: choice.inClass(choice.points[0] || "0"),
      kind: choice.kind,
      index,
      reach: REACH,
      steps: 9,
    })
    link.ask("traverse", recipe, async (answer) => {
      const sheet = await sheetOf(answer, this.walk.gap)
      const cells = answer.amounts.map((/** @type {number} */ amount, /** @type {number} */ at) => {
        const picture = new Picture(`${number(amount)} along`, "small")
        picture.show(answer, sheet, at, this.walk.about.real, number(amount))
        return picture.element
      })
      this.line.replaceChildren(
        el("span", { class: "gl-name" }, `${kindName(choice.kind)} ${index + 1}`),
        el("div", { class: "gl-row" }, ...cells),
      )
      this.takes.replaceChildren(...(answer.sheet ? [takeAway(link, { ...recipe, steps: 15 })] : []))
    })
    link.ask(
      "effect",
      this.walk.recipe({ do: "effect", kind: choice.kind, index, amount: 2 }),
      ({ n, amount, direction, random }) => {
        const kept = (/** @type {{ kept: number | null }} */ told) =>
          told.kept === null ? "" : `, and ${number(told.kept, "percent")} keep their class`
        setText(
          this.told,
          `A step of ±${amount} along it changes ${n} samples by ${number(direction.rms)} of their range (rms)${kept(direction)}. A step along a random direction: ${number(random.rms)}${kept(random)}.`,
        )
      },
    )
  }
}
