// @ts-check
// The panel of generated pictures: all, one class, or the first with the push on them.

import { el, penOf, setText } from "./elements.js"
import { Panel } from "./panels.js"
import { integer, number } from "./said.js"

// A grey picture around 128 as a veil: the one colour where it is lighter, the other where it is darker, none where it is neither.
/**
 * @param {any} picture
 * @param {any} lighter
 * @param {any} darker
 */
function tinted(picture, lighter, darker) {
  const canvas = el("canvas", { width: picture.naturalWidth, height: picture.naturalHeight })
  const pen = penOf(canvas)
  pen.drawImage(picture, 0, 0)
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height)
  const [light, dark] = [lighter, darker].map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)))
  for (let i = 0; i < pixels.data.length; i += 4) {
    const push = (pixels.data[i] - 128) / 127
    pixels.data.set([...(push > 0 ? light : dark), Math.round(255 * Math.min(1, Math.abs(push)))], i)
  }
  pen.putImageData(pixels, 0, 0)
  return canvas
}

const CLASS_NOTE =
  "Each row is a class; down a column the noise z is the same, so what changes is the class that G is told."
const CODE_NOTE =
  "Each row is a category of the code; down a column the rest of z is the same, so what changes is the code that G is given."
const ONE_CODE_NOTE = "One category of the code from different noise."
const ONE_CLASS_NOTE = "One class from different noise: if these are all alike, G has collapsed inside the class."

export class GridPanel extends Panel {
  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    super(view, spec)
    this.image = el("img", {
      class: "gs-grid",
      alt: "",
      hidden: true,
      draggable: "false",
      "data-testid": `${spec.slot}-image`,
    })
    // Of a conditional run the rows are classes: their names stand beside them, and one can be looked at by itself.
    this.names = el("div", { class: "gs-rows", "aria-hidden": "true", hidden: true })
    this.one = el("canvas", { class: "gs-grid", role: "img", hidden: true, "data-testid": `${spec.slot}-class` })
    this.choice = el("div", { class: "gs-choice", role: "group", "aria-label": "Class to look at", hidden: true })
    // Of any other run the first samples can be looked at with what G's loss asks of their pixels.
    this.push = el("canvas", { class: "gs-grid", role: "img", hidden: true, "data-testid": `${spec.slot}-push` })
    this.toggle = el(
      "button",
      {
        class: "gs-button",
        type: "button",
        "aria-pressed": "false",
        title: "show which pixels of the first samples G is to change",
        "data-testid": `${spec.slot}-push-toggle`,
      },
      "push on G",
    )
    this.pushed = false
    /** @type {string[]} The classes that can be looked at. */
    this.offered = []
    this.toggle.addEventListener("click", () => {
      this.pushed = !this.pushed
      this.show()
    })
    this.lever = el("div", { class: "gs-choice gs-lever", hidden: true }, this.toggle)
    this.body.append(
      this.choice,
      el("div", { class: "gs-sheet" }, this.names, this.image, this.one, this.push),
      this.lever,
    )
    /** @type {number | null} */
    this.chosen = null
    /** @type {any} */
    this.shown = null
  }

  get needs() {
    return this.spec.part || "grid"
  }

  draw() {
    const found = this.view.part(this.needs)
    this.waiting(!found)
    this.coded = Boolean(found && found.value.rows === "code")
    this.offer(found?.value.classes || [])
    if (!this.offered.length && !this.pushed) this.explain()
    if (!found) return
    const picture = this.view.contents.get(found.value.file)
    if (picture && !(this.shown && this.shown.file === found.value.file)) {
      const push = this.view.store.part("push", found.round)
      this.shown = {
        picture,
        round: found.round,
        push: push && push.round === found.round ? push.value : null,
        ...found.value,
      }
      this.show()
    }
    if (this.shown) this.tellRound(this.shown.round, this.chosen === null ? "" : this.called(this.offered[this.chosen]))
  }

  /** @param {string} name */
  called(name) {
    return this.coded ? name : `class ${name}`
  }

  // The classes of the rows, by the names that the reference brings, perhaps later than the picture; a code has a number alone.
  /** @param {any[]} classes */
  offer(classes) {
    const all = this.view.store.reference.class_names || []
    const names = classes.map((label) => (this.coded ? `c = ${label}` : String(all[label] ?? label)))
    if (this.offered && names.join("\n") === this.offered.join("\n")) return
    this.offered = names
    if (this.chosen !== null && this.chosen >= names.length) this.chosen = null
    this.choice.hidden = this.names.hidden = !names.length
    this.names.replaceChildren(...names.map((name) => el("span", { title: name }, name)))
    this.choice.replaceChildren(
      ...["all", ...names].map((name, i) => {
        const button = el("button", { class: "gs-button", type: "button" }, name)
        button.addEventListener("click", () => {
          this.chosen = i ? i - 1 : null
          this.show()
        })
        return button
      }),
    )
    this.show()
  }

  show() {
    const one = this.chosen !== null
    for (const [i, button] of [...this.choice.children].entries())
      button.setAttribute("aria-pressed", String(i === (this.chosen ?? -1) + 1))
    if (!this.shown) return
    const { picture, round, count = 0 } = this.shown
    const name = this.chosen === null ? "" : this.offered[this.chosen]
    this.names.hidden = one || !this.offered.length
    const [ofAll, ofOne] = this.coded ? [CODE_NOTE, ONE_CODE_NOTE] : [CLASS_NOTE, ONE_CLASS_NOTE]
    if (this.offered.length) setText(this.note, one ? ofOne : ofAll)
    const pushed = this.pushed && Boolean(this.shown.push) && !one
    this.lever.hidden = !this.shown.push
    this.toggle.setAttribute("aria-pressed", String(this.pushed))
    this.image.hidden = one || pushed
    this.one.hidden = !one
    this.push.hidden = !pushed
    if (pushed) this.lay(this.shown)
    else if (!this.offered.length) this.explain()
    this.image.src = picture.src
    this.image.alt = `${integer(count)} ${this.spec.of || "generated samples"} at round ${integer(round)}`
    this.image.dataset.round = round
    this.tellRound(round, one ? this.called(name) : "")
    if (this.chosen !== null) this.enlarge(picture, this.chosen, name)
  }

  explain() {
    setText(this.note, this.spec.note || this.view.store.reference.samples_note || "")
  }

  // The first samples, large, and over them where each pixel is pushed: the stronger, the less of the sample is seen.
  /** @param {any} shown */
  async lay(shown) {
    const { picture, push, count, round } = shown
    const pull = new Image()
    pull.src = this.view.artefact(push.file)
    try {
      await pull.decode()
    } catch (_error) {
      return // may work at the next frame
    }
    if (shown !== this.shown || !this.pushed) return
    const { gap } = this.view.data
    const [across, down] = [Math.ceil(Math.sqrt(count)), Math.ceil(Math.sqrt(push.count))]
    const w = (pull.naturalWidth + gap) / down
    const columns = Math.ceil(push.count / 2)
    const { lighter, darker } = this.view.colours
    const tint = tinted(pull, lighter, darker)
    this.push.width = columns * w - gap
    this.push.height = 2 * w - gap
    const pen = penOf(this.push)
    for (let i = 0; i < push.count; i++) {
      const [x, y] = [(i % columns) * w, Math.floor(i / columns) * w]
      const cell = (/** @type {HTMLImageElement | HTMLCanvasElement} */ picture, /** @type {number} */ wide) =>
        pen.drawImage(picture, (i % wide) * w, Math.floor(i / wide) * w, w - gap, w - gap, x, y, w - gap, w - gap)
      cell(picture, across)
      cell(tint, down)
    }
    this.push.dataset.round = round
    this.push.setAttribute(
      "aria-label",
      `the first ${push.count} samples at round ${integer(round)}, with the pixels that G's loss would have lighter or darker`,
    )
    setText(
      this.note,
      `What G's loss asks of the pixels: orange lighter, blue darker. The strongest is a gradient of ${number(push.largest)}.`,
    )
  }

  // One row of the picture, as a square.
  /**
   * @param {any} picture
   * @param {number} row
   * @param {string} name
   */
  enlarge(picture, row, name) {
    const { columns, classes, round } = this.shown
    const { gap } = this.view.data
    const [w, h] = [(picture.naturalWidth + gap) / columns, (picture.naturalHeight + gap) / classes.length]
    const across = Math.ceil(Math.sqrt(columns))
    this.one.width = across * w - gap
    this.one.height = Math.ceil(columns / across) * h - gap
    const pen = penOf(this.one)
    for (let i = 0; i < columns; i++) {
      const [x, y] = [(i % across) * w, Math.floor(i / across) * h]
      pen.drawImage(picture, i * w, row * h, w - gap, h - gap, x, y, w - gap, h - gap)
    }
    this.one.dataset.round = round
    this.one.setAttribute("aria-label", `${columns} generated samples of class ${name} at round ${integer(round)}`)
  }
}
