// @ts-check
// The draw page in the browser: a canvas, what one or two G make of it, and what a D says of it.
//
// The modules of this folder: canvas (what is drawn on), side (one run that is asked), translate (pictures, before | after),
// forger (D), draw (the whole).

import { targetOf } from "../keyboard.js"
import { Choice } from "../latent/link.js"
import { button, focusOn, Picture, select, slider } from "../latent/pieces.js"
import { el, penOf, setText } from "../live/elements.js"
import { mounting } from "../mounting.js"
import { Canvas } from "./canvas.js"
import { Forger } from "./forger.js"
import { readingOf } from "./side.js"
import { Translated } from "./translate.js"

const DRAW_FIRST = { look: "translate", ex: "", how: "", norm: "", ra: "", rb: "", rf: "", y: "", seed: "0", pen: "" }
const THIN = 15 // pixels of 280: the strokes of a skeleton,
const THICK = 28 // and those of a written digit
const LARGEST_UPLOAD = 256 // pixels a side that travel
const SAVED = 224 // pixels a side in the file

export class Draw {
  /**
   * @param {HTMLElement} parent
   * @param {any} data
   */
  constructor(parent, data) {
    /** @type {(erasing: boolean) => void} */
    this.tool = () => {}
    /** @type {any} */
    this.penWidth = null
    /** @type {any} */
    this.norm = null
    /** @type {any} */
    this.file = null
    /** @type {any} */
    this.how = null
    this.choice = /** @type {Choice & Record<keyof typeof DRAW_FIRST, string>} */ (
      new Choice(DRAW_FIRST, (change) => this.chosen(change))
    )
    this.canvas = new Canvas("Draw here.", () => this.askAll())
    this.shownGiven = new Picture("the drawing as it is put", "gd-input")
    this.first = new Translated(this, "ra")
    this.second = new Translated(this, "rb")
    this.forger = new Forger(this)
    this.said = el("p", { class: "gl-said", role: "status" })
    this.tabs = el("div", { class: "gl-tabs", role: "tablist", "aria-label": "What to look at" })
    this.panel = el("div", { class: "gl-panel gd-panel", role: "tabpanel" })
    this.root = el(
      "div",
      { class: "gl-root gd-root", "data-testid": "draw" },
      el(
        "div",
        { class: "gd-whole" },
        el("div", { class: "gd-left" }, this.canvas.element, this.tools()),
        el("div", { class: "gd-right" }, this.said, this.tabs, this.panel),
      ),
    )
    parent.append(this.root)
    this.onKey = (/** @type {KeyboardEvent} */ event) => {
      if (
        !(event.ctrlKey || event.metaKey) ||
        event.key.toLowerCase() !== "z" ||
        targetOf(event).matches("input[type=text], textarea")
      )
        return
      event.preventDefault()
      this.canvas.undo()
    }
    document.addEventListener("keydown", this.onKey)
    this.update(data)
  }

  tools() {
    const pen = button("Pen", () => this.tool(false), { "aria-pressed": "true" })
    const eraser = button("Eraser", () => this.tool(true), { "aria-pressed": "false" })
    this.tool = (erasing) => {
      this.canvas.erasing = erasing
      pen.setAttribute("aria-pressed", String(!erasing))
      eraser.setAttribute("aria-pressed", String(erasing))
    }
    this.penWidth = slider("pen", String(THIN), [5, 45, 1], (value) => this.choice.set({ pen: value }))
    this.file = el("input", {
      type: "file",
      accept: "image/*",
      "aria-label": "a picture of your own",
      "data-testid": "own-picture",
    })
    this.file.onchange = () => this.file.files?.[0] && this.bring(this.file.files[0])
    this.norm = el("input", { type: "checkbox" })
    this.norm.onchange = () =>
      this.choice.set({ norm: this.norm.checked === this.about?.normalised ? "" : this.norm.checked ? "1" : "0" })
    this.how = select(
      "the drawing is",
      [
        ["", "what suits this run"],
        ["input", "the input of G, as it is"],
        ["target", "the target, degraded first"],
      ],
      this.choice.how,
      (how) => this.choice.set({ how }),
    )
    const put = el(
      "label",
      {
        class: "gd-check",
        title:
          "Cropped to the ink, the longer side 20 of 28 pixels, the centre of mass in the middle, as MNIST's digits were. Switch it off to see why.",
      },
      this.norm,
      el("span", {}, "put as MNIST's digits were"),
    )
    return el(
      "div",
      { class: "gd-tools" },
      el(
        "div",
        { class: "gd-buttons" },
        pen,
        eraser,
        button("Undo", () => this.canvas.undo(), { title: "Take the last stroke back (Ctrl+Z)" }),
        button("Clear", () => this.canvas.clear()),
        button("Example", () => this.example(), { title: "Another held-out example at random" }),
      ),
      this.penWidth.element,
      el(
        "div",
        { class: "gd-put" },
        this.shownGiven.element,
        el(
          "div",
          {},
          put,
          this.how.element,
          el("label", { class: "gl-select" }, el("span", {}, "or a picture of your own"), this.file),
          button("Save as PNG", () => this.save()),
        ),
      ),
    )
  }

  /** @param {any} data */
  update(data) {
    this.gap = data.gap
    this.data = data
    if (data.a) this.first.open(data.a)
    if (data.b) this.second.open(data.b)
    if (data.forger) this.forger.open(data.forger)
    const looks = [...(data.a ? ["translate", "before"] : []), ...(data.forger ? ["forger"] : [])]
    if (!looks.includes(this.choice.look)) this.choice.look = looks[0] || "translate"
    /** @type {Record<string, string>} */
    const titles = { translate: "Translate", before: "Before | after", forger: "The forger's test" }
    this.tabs.replaceChildren(
      ...looks.map((name) => {
        const tab = button(titles[name], () => this.choice.set({ look: name }), {
          role: "tab",
          class: "gl-tab",
          "data-look": name,
        })
        tab.onkeydown = (event) => {
          const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
          if (!by) return
          const next = looks[(looks.indexOf(name) + by + looks.length) % looks.length]
          this.choice.set({ look: next })
          focusOn(this.tabs, next)
        }
        return tab
      }),
    )
    this.show()
    this.changed()
    this.choice.note()
  }

  // What says how a drawing is taken: the first translator, else the run whose D is asked.
  get about() {
    return this.data?.a ? this.first.side.about : this.forger.side.about
  }

  get shown() {
    return [this.data?.a && this.first, this.data?.b && this.second].filter(Boolean)
  }

  show() {
    const { look } = this.choice
    for (const tab of /** @type {HTMLElement[]} */ ([...this.tabs.children])) {
      const on = tab.dataset.look === look
      tab.setAttribute("aria-selected", String(on))
      tab.tabIndex = on ? 0 : -1
    }
    /** @type {Record<string, HTMLElement[]>} */
    const panels = {
      translate: this.shown.map((one) => one.element),
      before: this.shown.map((one) => one.beforeAfter.element),
      forger: [this.forger.element],
    }
    const wanted = panels[look]
    if (wanted.length !== this.panel.children.length || wanted.some((one, index) => one !== this.panel.children[index]))
      this.panel.replaceChildren(...wanted)
    this.how.element.hidden = !this.about?.degradation
  }

  /** @param {Record<string, any>} change */
  chosen(change) {
    if ("pen" in change) this.canvas.width = Number(change.pen)
    else this.changed()
  }

  // Something else is asked, or asked of something else.
  changed() {
    const { about } = this
    this.show()
    if (!about) return
    this.norm.checked = this.normalises(about)
    if (this.choice.pen === "") this.canvas.width = this.data.a && about.drawn && !this.first.degrades ? THIN : THICK
    else this.canvas.width = Number(this.choice.pen)
    this.penWidth.set(this.canvas.width)
    if (!this.canvas.steps.length) return this.example(this.choice.ex)
    this.askAll()
  }

  /** @param {any} about */
  normalises(about) {
    return this.choice.norm === "" ? about.normalised : this.choice.norm === "1"
  }

  askAll() {
    const { look } = this.choice
    const notice = this.canvas.source?.notice || ""
    setText(this.said, this.canvas.isEmpty ? "Nothing is drawn yet. Draw, or take an example." : notice)
    if (look === "forger") this.forger.ask()
    // The pictures under the canvas and in the file are those of the translators, whatever is looked at.
    for (const one of this.shown) one.ask()
    if (look === "before") for (const one of this.shown) one.beforeAfter.count()
  }

  // What a run is sent: what stands for the picture on the canvas where that is untouched and means the ``same`` there.
  /**
   * @param {any} about
   * @param {any} [same]
   */
  given(about, same = about.data === this.about.data) {
    const { source } = this.canvas
    if (typeof source === "string") {
      if (same) return { picture: source }
      return { picture: this.canvas.content, drawn: false }
    }
    return { picture: source?.upload || this.canvas.content, drawn: this.normalises(about) }
  }

  example(asked = "") {
    const n = this.about?.examples
    if (!n) return
    const index = /^\d{1,3}$/.test(asked) && Number(asked) < n ? Number(asked) : Math.floor(Math.random() * n)
    this.seen = null
    this.canvas.picture(`h${index}`)
    this.choice.set({ ex: String(index), seed: String(index) })
  }

  /**
   * @param {any} answer
   * @param {any} sheet
   * @param {any} source
   */
  showGiven(answer, sheet, source) {
    this.shownGiven.show(answer, sheet, 0, null, readingOf(answer.cells[0]))
    if (typeof source === "string" && source === this.canvas.source) {
      const cell = el("canvas", { width: sheet.width, height: sheet.height })
      penOf(cell).drawImage(sheet.image, 0, 0, sheet.width, sheet.height, 0, 0, sheet.width, sheet.height)
      this.canvas.showIn(source, cell)
      const first = this.seen !== source
      this.seen = source
      if (first) this.askAll() // whoever is sent what is on the canvas was sent an empty one
    }
    this.root.dataset.ready = "true"
  }

  /** @param {File} file */
  async bring(file) {
    const image = await createImageBitmap(file).catch(() => null)
    this.file.value = ""
    if (!image) return setText(this.said, "This file is no picture that the browser can read.")
    const scale = Math.min(1, LARGEST_UPLOAD / Math.max(image.width, image.height))
    const small = el("canvas", {
      width: Math.max(8, Math.round(image.width * scale)),
      height: Math.max(8, Math.round(image.height * scale)),
    })
    const pen = penOf(small)
    pen.fillStyle = "#000"
    pen.fillRect(0, 0, small.width, small.height)
    pen.drawImage(image, 0, 0, small.width, small.height)
    const inverted = this.normalises(this.about || {}) && hasLightEdge(pen, small)
    if (inverted) {
      Object.assign(pen, { globalCompositeOperation: "difference", fillStyle: "#fff" })
      pen.fillRect(0, 0, small.width, small.height)
    }
    const notice = inverted ? "This picture is dark on light; it was inverted, as the digits are light on black." : ""
    this.canvas.picture({ upload: small.toDataURL("image/png").split(",")[1], notice }, small)
  }

  // One file of all that is seen: a row of each run, what it was given and what it made of it.
  save() {
    const rows = [
      ...this.shown.map((one) => [one.side.name, [this.shownGiven, one.input, one.output]]),
      ...(this.data.forger && this.forger.said
        ? [[`${this.forger.side.name}: ${this.forger.opinion.textContent}`, [this.forger.given, this.forger.push]]]
        : []),
    ]
    if (!rows.length) return
    const [wide, high] = [SAVED + 12, SAVED + 52]
    const sheet = el("canvas", { width: 3 * wide + 12, height: rows.length * high + 12 })
    const pen = penOf(sheet)
    Object.assign(pen, { fillStyle: "#fff", imageSmoothingEnabled: false })
    pen.fillRect(0, 0, sheet.width, sheet.height)
    rows.forEach(([name, pictures], row) => {
      Object.assign(pen, { fillStyle: "#111", font: "600 15px sans-serif" })
      pen.fillText(name, 12, row * high + 26, sheet.width - 24)
      pictures.forEach((/** @type {Picture} */ picture, /** @type {number} */ column) => {
        const [x, y] = [12 + column * wide, row * high + 34]
        pen.drawImage(picture.canvas, x, y, SAVED, SAVED)
        pen.font = "13px sans-serif"
        pen.fillText([picture.name, picture.note.textContent].filter(Boolean).join(": "), x, y + SAVED + 15, SAVED)
      })
    })
    const link = el("a", { href: sheet.toDataURL("image/png"), download: "ganscope-drawing.png" })
    link.click()
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey)
    for (const one of [this.first, this.second, this.forger]) one.side.close()
    this.root.remove()
  }
}

/**
 * @param {any} pen
 * @param {any} told1
 */
function hasLightEdge(pen, { width, height }) {
  const { data } = pen.getImageData(0, 0, width, height)
  let [sum, n] = [0, 0]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x += y === 0 || y === height - 1 ? 1 : Math.max(1, width - 1)) {
      const at = 4 * (y * width + x)
      sum += data[at] + data[at + 1] + data[at + 2]
      n += 3
    }
  return sum / n > 128
}

export default mounting(
  ({ parentElement, data }) => new Draw(parentElement, data),
  (draw, { data }) => draw.update(data),
)
