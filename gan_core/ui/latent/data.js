// @ts-check
// The looks that begin at data: the map of codes, encoding what is brought or drawn, neighbours.

import { COLOURS } from "../declared.js"
import { Canvas } from "../draw/canvas.js"
import { el, penOf, setText } from "../live/elements.js"
import { number } from "../live/said.js"
import { button, noteOf, Picture, sheetOf, takeAway } from "./pieces.js"

const MAP = 520 // pixels a side
const BRUSH = 22 // pixels of the canvas

export class Map_ {
  title = "Map"

  /** @param {import("./walk.js").Walk} walk */
  constructor(walk) {
    this.walk = walk
    /** @type {string | null} */
    this.asked = null // the class of the map that is drawn
    this.canvas = el("canvas", {
      class: "gl-map",
      width: MAP,
      height: MAP,
      tabindex: 0,
      role: "application",
      "aria-label": "The plane of codes. Arrow keys move the place that is decoded.",
    })
    this.picture = new Picture("decoded here", "large")
    this.where = el("p", { class: "gl-told" })
    this.hint = el("p", { class: "gl-hint" })
    this.legend = el("p", { class: "gl-legend" })
    this.element = el(
      "div",
      {},
      this.hint,
      el("div", { class: "gl-both" }, this.canvas, el("div", {}, this.picture.element, this.where)),
      this.legend,
    )
    this.canvas.onpointermove = (event) => this.point(event)
    this.canvas.onpointerdown = (event) => this.point(event)
    this.canvas.onkeydown = (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
      if (!step || !this.map) return
      event.preventDefault()
      this.go(this.at.map((value, axis) => value + (step[axis] * this.map.reach) / 25))
    }
  }

  get at() {
    return this.walk.choice.uv.split(",").map(Number)
  }

  changed() {
    const asked = this.walk.choice.y
    if (this.map && this.asked === asked) return this.look()
    this.asked = asked
    const round = this.walk.round
    this.walk.link.ask("map", this.walk.recipe({ do: "map" }), async (answer) => {
      if (round !== this.walk.round || asked !== this.walk.choice.y) return
      this.map = answer
      this.sheet = await sheetOf(answer, this.walk.gap)
      const { encoded, own } = answer
      const judged = this.walk.about.judged ? ", by what the classifier says of their samples" : ""
      const what = encoded ? "held-out samples by their codes" : `draws of z${judged}`
      const below = this.sheet ? "; below them lies what is made of each place" : ""
      setText(
        this.hint,
        `${own ? "The plane of the code itself" : "The plane of the two first principal components"}. Points are ${what}${below}.${own ? "" : " All other components are at their mean."}`,
      )
      this.names()
      this.look()
    })
  }

  names() {
    const names = this.walk.about.names
    const seen = [...new Set(this.map.labels)].filter((label) => label >= 0).sort((a, b) => a - b)
    this.legend.replaceChildren(
      ...seen
        .slice(0, 20)
        .map((label) =>
          el(
            "span",
            {},
            el("i", { style: `background:${COLOURS.classes[label % COLOURS.classes.length]}` }),
            names[label] ?? String(label),
          ),
        ),
    )
  }

  /** @param {PointerEvent} event */
  point(event) {
    if (!this.map) return
    const box = this.canvas.getBoundingClientRect()
    const { centre, reach } = this.map
    const u = ((event.clientX - box.left) / box.width) * 2 - 1
    const v = 1 - ((event.clientY - box.top) / box.height) * 2
    this.go([centre[0] + u * reach, centre[1] + v * reach])
  }

  /** @param {number[]} uv */
  go(uv) {
    this.walk.choice.set({ uv: uv.map((value) => value.toFixed(3)).join(",") })
  }

  look() {
    this.draw()
    const [u, v] = this.at
    this.walk.link.ask("plane", this.walk.recipe({ do: "plane", u, v }), async (answer) => {
      const sheet = await sheetOf(answer, this.walk.gap)
      this.picture.show(answer, sheet, 0, this.walk.about.real)
      setText(this.where, `at ${number(u)}, ${number(v)}`)
    })
  }

  draw() {
    const pen = penOf(this.canvas)
    const { centre, reach, places, labels } = this.map
    pen.clearRect(0, 0, MAP, MAP)
    if (this.sheet) {
      pen.imageSmoothingEnabled = false
      pen.globalAlpha = 0.75
      pen.drawImage(this.sheet.image, 0, 0, MAP, MAP)
      pen.globalAlpha = 1
    }
    const x = (/** @type {number} */ u) => ((u - centre[0]) / reach / 2 + 0.5) * MAP
    const y = (/** @type {number} */ v) => (0.5 - (v - centre[1]) / reach / 2) * MAP
    places.forEach((/** @type {number[]} */ [u, v], /** @type {number} */ index) => {
      pen.fillStyle = labels[index] < 0 ? COLOURS.unsure : COLOURS.classes[labels[index] % COLOURS.classes.length]
      pen.strokeStyle = "#ffffffcc"
      pen.beginPath()
      pen.arc(x(u), y(v), 4, 0, 2 * Math.PI)
      pen.fill()
      pen.stroke()
    })
    const [u, v] = this.at
    for (const { colour, width } of [
      { colour: "#000", width: 4 },
      { colour: "#fff", width: 2 },
    ]) {
      pen.strokeStyle = colour
      pen.lineWidth = width
      pen.strokeRect(x(u) - 9, y(v) - 9, 18, 18)
    }
    pen.lineWidth = 1
  }
}

export class Code {
  title = "Find a picture"

  /** @param {import("./walk.js").Walk} walk */
  constructor(walk) {
    this.walk = walk
    const { about, choice } = walk
    this.brought = null
    this.index = el("input", { type: "number", min: 1, max: 500, "aria-label": "held-out sample", class: "gl-number" })
    this.index.value = String(Number(choice.pic.slice(1)) + 1)
    this.index.onchange = () => {
      this.brought = null
      choice.set({ pic: `h${Math.min(499, Math.max(0, Number(this.index.value) - 1 || 0))}` })
    }
    this.file = el("input", { type: "file", accept: "image/*", "aria-label": "a picture of your own" })
    this.file.onchange = () => this.file.files?.[0] && this.bring(this.file.files[0])
    this.pad = new Canvas("Draw here.", (done) => done && !this.pad.isEmpty && this.drawn(), "pad")
    this.pad.width = BRUSH
    this.search = button("Find it by a search", () => this.find(), { class: "gl-button primary" })
    this.result = el("div", { class: "gl-row" })
    this.told = el("div", { class: "gl-told" })
    const how = about.encodes
      ? "The encoder gives a code, and the decoder makes a picture of it. A search looks for the z whose sample is most like the picture, without the encoder."
      : "This game has no encoder. A search begins at four z and descends on the difference between their samples and the picture, 100 steps of Adam."
    this.element = el(
      "div",
      {},
      el("p", { class: "gl-hint" }, how),
      el(
        "div",
        { class: "gl-sources" },
        el("label", { class: "gl-select" }, el("span", {}, "held-out sample"), this.index),
        el("label", { class: "gl-select" }, el("span", {}, "or a picture of your own"), this.file),
        el(
          "div",
          { class: "gl-drawn" },
          el("span", { class: "gl-name" }, "or draw one"),
          this.pad.element,
          button("Clear", () => this.pad.clear()),
        ),
      ),
      this.search,
      this.result,
      this.told,
    )
  }

  /** @param {File} file */
  async bring(file) {
    const image = await createImageBitmap(file).catch(() => null)
    if (!image) return setText(this.told, "This file is no picture that the browser can read.")
    const scale = Math.min(1, 256 / Math.max(image.width, image.height))
    const canvas = el("canvas", {
      width: Math.max(8, Math.round(image.width * scale)),
      height: Math.max(8, Math.round(image.height * scale)),
    })
    penOf(canvas).drawImage(image, 0, 0, canvas.width, canvas.height)
    this.brought = { picture: canvas.toDataURL("image/png").split(",")[1] }
    this.changed()
  }

  drawn() {
    this.brought = { picture: this.pad.content, drawn: true }
    if (this.walk.about.encodes) this.changed()
    else this.find()
  }

  get given() {
    return this.brought || { picture: this.walk.choice.pic }
  }

  changed() {
    if (!this.walk.about.encodes) return this.find()
    this.walk.link.ask("code", this.walk.recipe({ do: "code", ...this.given }), (answer) =>
      this.show(
        answer,
        ["the picture", "decoded of its code"],
        `Mean squared error ${number(answer.mse)} of pixels from 0 to 1; the code has the norm ${number(answer.cells[0].norm)}, draws have ${number(this.walk.about.radius)}.`,
      ),
    )
  }

  find() {
    setText(this.told, "Searching…")
    this.walk.link.ask("invert", this.walk.recipe({ do: "invert", ...this.given }), (answer) => {
      const each = Math.round(answer.steps / (answer.errors.length - 1))
      this.show(
        answer,
        [
          "the picture",
          ...answer.errors.map(
            (/** @type {unknown} */ _, /** @type {number} */ index) => `after ${index * each} steps`,
          ),
        ],
        `Mean squared error ${number(answer.errors[0])} at first and ${number(answer.mse)} after ${answer.steps} steps; ‖z‖ is ${number(answer.cells.at(-1).norm)}, draws have ${number(this.walk.about.radius)}.`,
      )
    })
  }

  /**
   * @param {any} answer
   * @param {string[]} names
   * @param {any} told
   */
  async show(answer, names, told) {
    const sheet = await sheetOf(answer, this.walk.gap)
    this.result.replaceChildren(
      ...names.map((name, index) => {
        const picture = new Picture(name, names.length > 2 ? "middle" : "large")
        const { label, sure } = answer.cells[index]
        picture.show(answer, sheet, index, this.walk.about.real, label === undefined ? "" : noteOf({ label, sure }))
        return el("div", { class: "gl-named" }, el("span", { class: "gl-name" }, name), picture.element)
      }),
    )
    const code = answer.code
    const film =
      names.length > 2 && !this.brought
        ? takeAway(this.walk.link, this.walk.recipe({ do: "invert", ...this.given }))
        : null
    this.told.replaceChildren(
      told,
      " ",
      ...(film ? [film] : []),
      button("Take its z as the first sample", () =>
        this.walk.choice.set({ look: "way", p: [code, ...this.walk.choice.points.slice(-1)].join(",") }),
      ),
    )
  }
}

export class Near {
  title = "Neighbours"

  /** @param {import("./walk.js").Walk} walk */
  constructor(walk) {
    this.walk = walk
    this.hint = el(
      "p",
      { class: "gl-hint" },
      "The sample that was chosen first in the grid, and the real ones nearest to it, by the distance of their pixels. A G that copies has a training sample at distance 0, and held-out ones farther away.",
    )
    this.rows = el("div", { class: "gl-rows" })
    this.element = el("div", {}, this.hint, this.rows)
  }

  changed() {
    const { choice, link } = this.walk
    link.ask(
      "near",
      this.walk.recipe({ do: "near", point: choice.inClass(choice.points[0] || "0") }),
      async (answer) => {
        const sheet = await sheetOf(answer, this.walk.gap)
        const row = (/** @type {string} */ name, /** @type {number} */ from, /** @type {string[]} */ notes) => {
          const pictures = notes.map((note, index) => {
            const picture = new Picture(`${name} ${index + 1}`, "middle")
            picture.show(answer, sheet, from + index, this.walk.about.real, note)
            return picture.element
          })
          return el(
            "div",
            { class: "gl-line" },
            el("span", { class: "gl-name" }, name),
            el("div", { class: "gl-row" }, ...pictures),
          )
        }
        const far = (/** @type {number[]} */ distances) => distances.map((distance) => number(distance))
        this.rows.replaceChildren(
          row("the sample", 0, [noteOf(answer.cells[0])]),
          row("training", 1, far(answer.train)),
          row("held out", 1 + answer.train.length, far(answer.heldout)),
        )
      },
    )
  }
}
