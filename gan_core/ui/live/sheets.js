// @ts-check
// Panels of pictures in rows and columns: codes with noise, and the plane of codes with the held-out samples on it.

import { el, penOf, setText } from "./elements.js"
import { Panel } from "./panels.js"
import { integer } from "./said.js"

const REACH = 3.2 // standard deviations of the prior that the map of codes shows at least
const RINGS = [1, 2, 3] // of the prior, in standard deviations

export class SheetPanel extends Panel {
  /**
   * @param {import("./view.js").LiveView} view
   * @param {import("./panels.js").Spec} spec
   */
  constructor(view, spec) {
    super(view, spec)
    this.round = 0 // of the points
    this.heads = el("div", { class: "gs-heads", "aria-hidden": "true" })
    this.image = el("img", { class: "gs-cells", alt: "", draggable: "false", "data-testid": `${spec.slot}-image` })
    this.map = el("canvas", {
      class: "gs-map",
      role: "img",
      hidden: true,
      width: 480,
      height: 480,
      "data-testid": `${spec.slot}-map`,
    })
    this.key = el("div", { class: "gs-key", "aria-hidden": "true" })
    const beside = el("div", { class: "gs-beside", hidden: !spec.codes }, this.map, this.key)
    this.body.append(
      el("div", { class: "gs-sheets" }, el("div", { class: "gs-headed" }, this.heads, this.image), beside),
    )
  }

  get needs() {
    return this.spec.part || ""
  }

  // A run of an older version, or one whose game cannot, has no such part and never will.
  get absent() {
    const { frames, ended } = this.view.store
    return frames.length > (ended ? 0 : 1) && !this.view.store.part(this.needs, Infinity)
  }

  draw() {
    const found = this.view.part(this.needs)
    this.waiting(!found)
    if (!found) return
    const picture = this.view.contents.get(found.value.file)
    if (!picture) return
    this.tellRound(found.round)
    const { file, heads = [], columns, count, note } = found.value
    if (file === this.file) return
    this.file = file
    this.image.src = picture.src
    this.image.dataset.round = String(found.round)
    this.image.alt = `${this.spec.title} at round ${integer(found.round)}: ${integer(count / columns)} rows of ${integer(columns)} pictures`
    this.heads.style.gridTemplateColumns = `repeat(${columns}, 1fr)`
    this.heads.hidden = !heads.length
    this.heads.replaceChildren(...heads.map((/** @type {string} */ head) => el("span", {}, head)))
    setText(this.note, [this.spec.note, note].filter(Boolean).join(" "))
    if (this.spec.codes) this.place(found.round, file)
  }

  theme() {
    if (this.points) this.plot()
  }

  /**
   * @param {number} round
   * @param {string} file
   */
  async place(round, file) {
    const found = this.view.store.part(this.spec.codes, round)
    if (!found || found.round !== round) return
    let points
    try {
      points = await this.view.fetchFile(found.value.file)
    } catch (_error) {
      return // the next frame may be there
    }
    if (file !== this.file || this.gone) return
    this.points = points
    this.round = round
    this.plot()
  }

  // Codes of held-out samples by class, on rings of the prior.
  plot() {
    /** @type {{ codes: [number | null, number | null][], classes?: number[] }} */
    const { codes, classes } = this.points
    const pen = penOf(this.map)
    const side = this.map.width
    const shown = /** @type {[number, number][]} */ (codes.filter(([a, b]) => a !== null && b !== null))
    const reach = Math.max(REACH, ...shown.flatMap(([a, b]) => [Math.abs(a), Math.abs(b)])) * 1.04
    const at = (/** @type {[number, number]} */ [a, b]) => [((a / reach + 1) * side) / 2, ((1 - b / reach) * side) / 2]
    pen.clearRect(0, 0, side, side)
    pen.strokeStyle = this.view.palette.faded
    pen.lineWidth = 1.5
    for (const ring of RINGS) {
      pen.beginPath()
      pen.arc(side / 2, side / 2, (ring / reach) * (side / 2), 0, 2 * Math.PI)
      pen.stroke()
    }
    const names = this.view.store.reference.class_names || []
    const hue = (/** @type {number} */ label) => `hsl(${Math.round((360 * label) / Math.max(1, names.length))} 75% 52%)`
    codes.forEach((code, i) => {
      if (code[0] === null || code[1] === null) return
      const [x, y] = at([code[0], code[1]])
      pen.fillStyle = classes ? hue(classes[i]) : this.view.colours.real
      pen.beginPath()
      pen.arc(x, y, 4.5, 0, 2 * Math.PI)
      pen.fill()
    })
    const labels = classes ? [...new Set(classes)].sort((a, b) => a - b) : []
    this.key.replaceChildren(
      ...labels.map((label) => el("span", { style: `--class: ${hue(label)}` }, String(names[label] ?? label))),
    )
    this.map.hidden = false
    this.map.setAttribute(
      "aria-label",
      `codes of ${integer(codes.length)} held-out samples at round ${integer(this.round)}, on circles of 1, 2 and 3 standard deviations of the prior`,
    )
  }

  destroy() {
    this.gone = true
  }
}
