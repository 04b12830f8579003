// @ts-check
// A canvas that is drawn on with a pen, a finger, a mouse or keys, white on black. What was done stands in a list of steps, so
// that the last one can be taken back.

import { el, penOf } from "../live/elements.js"

const CANVAS = 280 // pixels a side
const SENT = 140 // pixels a side of what travels
const KEY_STEP = 10
const STYLUS_ERASER = 32 // its bit among the buttons of a pointer

export class Canvas {
  // ``changed(done)`` is called with every change; ``done`` says whether a stroke has ended or something else was done.
  /**
   * @param {string} label
   * @param {(...args: any[]) => any} changed
   * @param {string} [testid]
   */
  constructor(label, changed, testid = "canvas") {
    this.changed = (/** @type {boolean} */ done) => {
      this.canvas.dataset.version = String(++this.version)
      changed(done)
    }
    /** @type {any} */
    this.small = null
    /** @type {any} The one that is drawn now. */
    this.stroke = null
    this.version = 0 // of what is on it: an answer belongs to one
    /** @type {any[]} */
    this.steps = []
    this.erasing = false
    this.width = 15
    this.place = [CANVAS / 2, CANVAS / 2]
    this.canvas = el("canvas", {
      class: "gd-canvas",
      width: CANVAS,
      height: CANVAS,
      tabindex: 0,
      role: "application",
      "aria-label": `${label} With keys: arrows move the brush, Shift and an arrow draws, Space makes a dot, Ctrl and Z takes the last stroke back.`,
      "data-testid": testid,
    })
    this.pen = penOf(this.canvas, { alpha: false })
    this.brush = el("span", { class: "gd-brush", "aria-hidden": "true", hidden: true })
    this.element = el("div", { class: "gd-board" }, this.canvas, this.brush)
    this.listen()
    this.draw()
  }

  listen() {
    const { canvas } = this
    const at = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect()
      return [((event.clientX - box.left) / box.width) * CANVAS, ((event.clientY - box.top) / box.height) * CANVAS]
    }
    canvas.onpointerdown = (event) => {
      if (this.pointer !== undefined || event.button === 1) return
      canvas.setPointerCapture(event.pointerId)
      this.pointer = event.pointerId
      this.begin(at(event), this.erasing || event.shiftKey || event.button === 2 || (event.buttons & STYLUS_ERASER) > 0)
    }
    canvas.onpointermove = (event) => {
      if (event.pointerId !== this.pointer) return
      const passed = event.getCoalescedEvents?.() || []
      for (const one of passed.length ? passed : [event]) this.go(at(one))
      this.changed(false)
    }
    canvas.onpointerup = canvas.onpointercancel = (event) => {
      if (event.pointerId !== this.pointer) return
      this.pointer = undefined
      this.end()
    }
    canvas.oncontextmenu = (event) => event.preventDefault()
    canvas.onfocus = canvas.onblur = () => this.showBrush()
    canvas.onkeyup = (event) => event.key === "Shift" && this.stroke && this.end()
    canvas.onkeydown = (event) => this.key(event)
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = {
      ArrowLeft: [-KEY_STEP, 0],
      ArrowRight: [KEY_STEP, 0],
      ArrowUp: [0, -KEY_STEP],
      ArrowDown: [0, KEY_STEP],
    }[event.key]
    if (step) {
      const next = this.place.map((value, axis) => Math.min(CANVAS, Math.max(0, value + step[axis])))
      if (event.shiftKey) {
        if (!this.stroke) this.begin(this.place, this.erasing)
        this.go(next)
        this.changed(false)
      } else if (this.stroke && this.pointer === undefined) this.end()
      this.place = next
      this.showBrush()
    } else if (event.key === " ") {
      this.begin(this.place, this.erasing)
      this.end()
    } else return
    event.preventDefault()
  }

  showBrush() {
    this.brush.hidden = !this.canvas.matches(":focus-visible")
    const [x, y] = this.place.map((value) => `${(100 * value) / CANVAS}%`)
    Object.assign(this.brush.style, { left: x, top: y, width: `${(100 * this.width) / CANVAS}%` })
  }

  /**
   * @param {number[]} point
   * @param {boolean} erase
   */
  begin(point, erase) {
    this.stroke = { kind: "stroke", erase, width: erase ? 2 * this.width : this.width, points: [point] }
    this.steps.push(this.stroke)
    this.line(this.stroke, point, point)
    this.changed(false)
  }

  /** @param {number[]} point */
  go(point) {
    this.line(this.stroke, this.stroke.points.at(-1), point)
    this.stroke.points.push(point)
  }

  end() {
    this.stroke = null
    this.changed(true)
  }

  /**
   * @param {any} told
   * @param {any} from
   * @param {any} to
   */
  line({ erase, width }, from, to) {
    Object.assign(this.pen, {
      strokeStyle: erase ? "#000" : "#fff",
      lineWidth: width,
      lineCap: "round",
      lineJoin: "round",
    })
    this.pen.beginPath()
    this.pen.moveTo(from[0], from[1])
    this.pen.lineTo(to[0] + 0.01, to[1])
    this.pen.stroke()
  }

  draw() {
    this.pen.fillStyle = "#000"
    this.pen.fillRect(0, 0, CANVAS, CANVAS)
    const from = this.steps.findLastIndex((step) => step.kind !== "stroke")
    for (const step of this.steps.slice(Math.max(0, from))) {
      if (step.kind === "picture" && step.image) this.place_(step.image)
      if (step.kind !== "stroke") continue
      for (const [index, point] of step.points.entries()) this.line(step, step.points[Math.max(0, index - 1)], point)
    }
  }

  // A picture whole and as large as it fits; small ones without smoothing.
  /** @param {any} image */
  place_(image) {
    const scale = CANVAS / Math.max(image.width, image.height)
    this.pen.imageSmoothingEnabled = scale < 2
    this.pen.drawImage(
      image,
      (CANVAS - scale * image.width) / 2,
      (CANVAS - scale * image.height) / 2,
      scale * image.width,
      scale * image.height,
    )
  }

  undo() {
    if (this.stroke || !this.steps.length) return
    this.steps.pop()
    this.draw()
    this.changed(true)
  }

  clear() {
    if (!this.isEmpty) this.do({ kind: "clear" })
  }

  // ``source`` is what stands for a picture as long as nothing is drawn over it; ``image`` may come later, by ``showIn``.
  /**
   * @param {any} source
   * @param {any} [image]
   */
  picture(source, image = null) {
    this.do({ kind: "picture", source, image })
  }

  /** @param {any} step */
  do(step) {
    this.steps.push(step)
    this.draw()
    this.changed(true)
  }

  /**
   * @param {any} source
   * @param {any} image
   */
  showIn(source, image) {
    for (const step of this.steps) if (step.source === source) step.image = image
    this.draw()
  }

  get isEmpty() {
    return !this.steps.length || this.steps.at(-1).kind === "clear"
  }

  // What stands for the picture on it, null where it was drawn on.
  get source() {
    const last = this.steps.at(-1)
    return last?.kind === "picture" ? last.source : null
  }

  get content() {
    this.small ??= el("canvas", { width: SENT, height: SENT })
    penOf(this.small, { alpha: false }).drawImage(this.canvas, 0, 0, SENT, SENT)
    return this.small.toDataURL("image/png").split(",")[1]
  }
}
