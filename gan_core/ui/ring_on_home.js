// @ts-check
// A recorded run on the home page: it moves while somebody can see it, and stands still for who wants no movement.

import { mounting } from "./mounting.js"

const EVERY = 120 // ms between two frames
const HOLDS = 2500 // ms at the last frame, before it begins anew

const pointsOf = (/** @type {string} */ text) => Int8Array.from(atob(text), (letter) => letter.charCodeAt(0))

/** @typedef {{ round: number, modes: number, points: string }} Frame `points` are bytes in base 64, x and y in turn. */
/** @typedef {{ real: string, frames: Frame[], title: string, of: number, colours: { real: string, generated: string } }} Recording */

class Ring {
  /**
   * @param {HTMLElement} parent
   * @param {Recording} data
   */
  constructor(parent, data) {
    this.data = data
    this.real = pointsOf(data.real)
    this.frames = data.frames.map((frame) => ({ ...frame, points: pointsOf(frame.points) }))
    this.at = this.frames.length - 1
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    this.canvas = document.createElement("canvas")
    this.canvas.className = "gh-ring"
    this.canvas.dataset.testid = "ring"
    this.canvas.setAttribute("role", "img")
    this.canvas.setAttribute("aria-label", data.title)
    parent.append(this.canvas)
    this.still = matchMedia("(prefers-reduced-motion: reduce)")
    this.changed = () => this.heed()
    this.watching = new IntersectionObserver(([entry]) => {
      this.inSight = entry.isIntersecting
      this.heed()
    })
    this.watching.observe(this.canvas)
    document.addEventListener("visibilitychange", this.changed)
    this.still.addEventListener("change", this.changed)
    this.draw()
  }

  get moves() {
    return this.inSight && !document.hidden && !this.still.matches
  }

  // Begins or rests: nothing ticks where nobody looks.
  heed() {
    if (this.moves && !this.timer) this.step()
    if (this.moves) return
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.still.matches) this.at = this.frames.length - 1
    this.draw()
  }

  step() {
    this.at = (this.at + 1) % this.frames.length
    this.draw()
    this.timer = setTimeout(() => this.step(), this.at === this.frames.length - 1 ? HOLDS : EVERY)
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas
    if (!width || !height) return
    const sharp = devicePixelRatio || 1
    Object.assign(this.canvas, { width: width * sharp, height: height * sharp })
    const pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"))
    pen.scale(sharp, sharp)
    const frame = this.frames[this.at]
    const scale = height / 2 / 127
    const middle = width - height / 2 // what is said stands at the left
    const dots = (/** @type {Int8Array} */ points, /** @type {string} */ colour, /** @type {number} */ size) => {
      pen.fillStyle = colour
      for (let i = 0; i < points.length; i += 2)
        pen.fillRect(middle + points[i] * scale - size / 2, height / 2 - points[i + 1] * scale - size / 2, size, size)
    }
    dots(this.real, this.data.colours.real, 3)
    dots(frame.points, this.data.colours.generated, 2.4)
    pen.fillStyle = getComputedStyle(this.canvas).color
    pen.font = `600 12px ${getComputedStyle(this.canvas).fontFamily}`
    pen.fillText(`round ${frame.round.toLocaleString("en-US")}`, 2, 12)
    pen.fillText(`${frame.modes} of ${this.data.of}`, 2, height - 18)
    pen.fillText("modes", 2, height - 4)
  }

  destroy() {
    clearTimeout(this.timer)
    this.watching.disconnect()
    document.removeEventListener("visibilitychange", this.changed)
    this.still.removeEventListener("change", this.changed)
    this.canvas.remove()
  }
}

export default mounting(({ data, parentElement }) => new Ring(parentElement, data))
