// @ts-check
// The whole: what the run can do, the grid, and the look that is chosen.

import { el, setText } from "../live/elements.js"
import { mounting } from "../mounting.js"
import { Code, Map_, Near } from "./data.js"
import { Choice, Link } from "./link.js"
import { button, focusOn, noteOf, Picture, select, sheetOf } from "./pieces.js"
import { Move, Sum, Way } from "./places.js"

/** @type {Record<string, typeof Way | typeof Sum | typeof Move | typeof Map_ | typeof Code | typeof Near>} */
const LOOKS = { way: Way, sum: Sum, move: Move, map: Map_, code: Code, near: Near }

/** @type {Record<string, string>} */
const PRIORS = { normal: "N(0, 1)", uniform: "U(−1, 1)", fitted: "a Gaussian fitted to the codes of held-out data" }

const FIRST = {
  look: "way",
  seed: "0",
  p: "0,1",
  t: "0.5",
  a: "",
  b: "",
  base: "0",
  by: "1",
  kind: "",
  moves: "",
  uv: "0,0",
  pic: "h0",
  y: "",
}

class Place extends Choice {
  // A point in the chosen class, where one is chosen and the point has none of its own.
  /** @param {string} point */
  inClass(point) {
    const { y } = /** @type {any} */ (this)
    return y === "" || point.includes(".") ? point : `${point}.${y}`
  }

  /** @returns {string[]} */
  get points() {
    const { p } = /** @type {any} */ (this)
    return p.split(",").filter(Boolean).slice(0, 4)
  }
}

export class Walk {
  /**
   * @param {HTMLElement} parent
   * @param {any} data
   */
  constructor(parent, data) {
    /** @type {any} */
    this.about = null
    /** @type {any[]} */
    this.cells = []
    /** @type {string | null} */
    this.drawn = null // the seed of the samples in the grid
    /** @type {Record<string, any>} */
    this.looks = {}
    this.said = el("p", { class: "gl-said", role: "status" })
    this.grid = el("div", { class: "gl-grid", role: "group", "aria-label": "Samples. Arrow keys move, Enter chooses." })
    this.head = el("p", { class: "gl-hint" })
    this.asked = el("div")
    this.more = button("Other samples", () => this.choice.set({ seed: String((Number(this.choice.seed) + 1) % 1000) }))
    this.tabs = el("div", { class: "gl-tabs", role: "tablist", "aria-label": "What to look at" })
    this.panel = el("div", { class: "gl-panel", role: "tabpanel" })
    this.root = el(
      "div",
      { class: "gl-root", "data-testid": "latent" },
      this.said,
      el(
        "div",
        { class: "gl-whole" },
        el("div", { class: "gl-left" }, this.head, this.asked, this.grid, this.more),
        el("div", { class: "gl-right" }, this.tabs, this.panel),
      ),
    )
    parent.append(this.root)
    this.link = new Link((sentence) => setText(this.said, sentence))
    this.choice = /** @type {Place & Record<keyof typeof FIRST, string>} */ (
      new Place(FIRST, (change) => this.changed(change))
    )
    this.update(data)
  }

  /** @param {any} data */
  update(data) {
    this.gap = data.gap
    if (data.run === this.run && data.round === this.round) return this.link.open(data.run, data.ticket)
    this.run = data.run
    this.round = data.round
    this.about = null
    this.link.open(data.run, data.ticket)
    setText(this.said, "Opening…")
    this.link.ask("about", this.recipe({ do: "about" }), (about) => this.open(about))
  }

  /** @param {any} recipe */
  recipe(recipe) {
    const y = this.choice.y === "" ? {} : { y: Number(this.choice.y) }
    return { ...recipe, ...y, round: this.round, seed: Number(this.choice.seed) || 0 }
  }

  /** @param {any} about */
  open(about) {
    this.about = { ...about, names: about.classes }
    const prior = PRIORS[about.prior] || about.prior
    setText(this.head, `z has ${about.dim} numbers from ${prior}. Choose two to four samples.`)
    this.looks = {}
    this.ask(about.asked)
    const shown = Object.keys(LOOKS).filter((name) => !(about.points && ["code"].includes(name)))
    if (!shown.includes(this.choice.look)) this.choice.look = "way"
    this.tabs.replaceChildren(
      ...shown.map((name) => {
        const tab = button(new LOOKS[name](this).title, () => this.choice.set({ look: name }), {
          role: "tab",
          class: "gl-tab",
          "data-look": name,
        })
        tab.onkeydown = (event) => {
          const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
          if (!by) return
          const next = shown[(shown.indexOf(name) + by + shown.length) % shown.length]
          this.choice.set({ look: next })
          focusOn(this.tabs, next)
        }
        return tab
      }),
    )
    this.fill()
    this.changed()
  }

  // Of a game with classes: the one that is asked for whatever z is; where none is, each sample keeps its own.
  /** @param {string[]} names */
  ask(names) {
    if (!names[Number(this.choice.y || NaN)]) this.choice.y = ""
    const options = [["", "each sample's own"], ...names.map((name, index) => [String(index), name])]
    const made = select("class to be made", options, this.choice.y, (y) => this.choice.set({ y }))
    made.input.dataset.testid = "class"
    this.asked.replaceChildren(...(names.length ? [made.element] : []))
  }

  fill() {
    this.cells = Array.from({ length: 64 }, (_, index) => {
      const picture = new Picture(`sample ${index + 1}`)
      const cell = el(
        "button",
        {
          type: "button",
          class: "gl-cell",
          tabindex: index ? -1 : 0,
          "aria-pressed": "false",
          "data-testid": `sample-${index}`,
        },
        picture.canvas,
      )
      cell.onclick = () => this.toggle(String(index))
      cell.onkeydown = (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }[event.key]
        if (!by) return
        event.preventDefault()
        const next = this.cells[Math.min(63, Math.max(0, index + by))].cell
        cell.tabIndex = -1
        next.tabIndex = 0
        next.focus()
      }
      return { picture, cell }
    })
    this.grid.replaceChildren(...this.cells.map(({ cell }) => cell))
    this.drawn = null
  }

  /** @param {string} name */
  toggle(name) {
    const chosen = this.choice.points
    const next = chosen.includes(name)
      ? chosen.filter((/** @type {string} */ one) => one !== name)
      : [...chosen, name].slice(-4)
    this.choice.set({ p: next.join(",") })
  }

  /** @param {Record<string, any>} [change] Without one everything may have changed. */
  changed(change) {
    if (!this.about) return
    const { choice } = this
    if (this.drawn !== choice.seed) {
      this.drawn = choice.seed
      this.link.ask("grid", this.recipe({ do: "grid" }), async (answer) => {
        const sheet = await sheetOf(answer, this.gap)
        this.cells.forEach(({ picture, cell }, index) => {
          picture.show(answer, sheet, index, this.about.real)
          cell.setAttribute("aria-label", picture.canvas.getAttribute("aria-label"))
          cell.title = noteOf(answer.cells[index])
        })
        this.root.dataset.ready = "true"
      })
    }
    const chosen = choice.points
    this.cells.forEach(({ cell }, index) => {
      const at = chosen.indexOf(String(index))
      cell.setAttribute("aria-pressed", String(at >= 0))
      cell.dataset.order = at >= 0 ? String(at + 1) : ""
    })
    for (const tab of /** @type {HTMLElement[]} */ ([...this.tabs.children])) {
      const on = tab.dataset.look === choice.look
      tab.setAttribute("aria-selected", String(on))
      tab.tabIndex = on ? 0 : -1
    }
    const name = choice.look
    this.looks[name] ??= new LOOKS[name](this)
    const made = this.looks[name]
    const fresh = this.panel.firstChild !== made.element
    if (fresh) this.panel.replaceChildren(made.element)
    made.changed(fresh ? undefined : change)
  }

  destroy() {
    this.link.close()
    this.root.remove()
  }
}

export default mounting(
  ({ parentElement, data }) => new Walk(parentElement, data),
  (walk, { data }) => walk.update(data),
)
