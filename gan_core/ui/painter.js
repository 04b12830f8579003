// @ts-check
// A grid of cells on which a density is painted with the mouse, a finger, or the keyboard.

const SIDE = 64
const REACH = 10 // cells around the brush that it can touch at its largest

const pictures = new WeakMap()

/** @param {any} told */
export default function ({ parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gp-root")
  const canvas = root.querySelector("canvas")
  const size = root.querySelector("input")
  const say = root.querySelector(".gp-say")
  const picture = pictures.get(root) || { cells: new Float32Array(SIDE * SIDE), cursor: [SIDE / 2, SIDE / 2] }
  pictures.set(root, picture)
  const { cells } = picture

  const colour = () => getComputedStyle(root).getPropertyValue("--gp-ink").trim()

  function draw(withCursor = false) {
    const unit = canvas.width / SIDE
    const context = canvas.getContext("2d")
    context.clearRect(0, 0, canvas.width, canvas.height)
    context.fillStyle = colour()
    for (let i = 0; i < cells.length; i++) {
      if (cells[i] <= 0) continue
      context.globalAlpha = Math.min(1, cells[i])
      context.fillRect((i % SIDE) * unit, Math.floor(i / SIDE) * unit, unit, unit)
    }
    context.globalAlpha = 1
    if (withCursor) {
      const reach = Number(size.value)
      context.strokeStyle = getComputedStyle(root).color
      context.lineWidth = 2
      context.beginPath()
      context.arc((picture.cursor[0] + 0.5) * unit, (picture.cursor[1] + 0.5) * unit, reach * unit, 0, 2 * Math.PI)
      context.stroke()
    }
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {boolean} erase
   */
  function paint(x, y, erase) {
    const reach = Number(size.value)
    for (let row = Math.max(0, Math.ceil(y - REACH)); row <= Math.min(SIDE - 1, y + REACH); row++) {
      for (let column = Math.max(0, Math.ceil(x - REACH)); column <= Math.min(SIDE - 1, x + REACH); column++) {
        const distance = Math.hypot(column - x, row - y) / reach
        if (distance > 1) continue
        const at = row * SIDE + column
        cells[at] = erase ? 0 : Math.min(1, cells[at] + 0.35 * (1 - distance * distance))
      }
    }
    say.textContent = ""
  }

  /** @type {number[] | null} */
  let last = null
  /** @param {PointerEvent} event */
  function place(event) {
    const box = canvas.getBoundingClientRect()
    return [
      ((event.clientX - box.left) / box.width) * SIDE - 0.5,
      ((event.clientY - box.top) / box.height) * SIDE - 0.5,
    ]
  }
  canvas.onpointerdown = (/** @type {PointerEvent} */ event) => {
    canvas.setPointerCapture(event.pointerId)
    last = place(event)
    const [x, y] = last
    paint(x, y, event.shiftKey || event.button === 2)
    draw()
  }
  canvas.onpointermove = (/** @type {PointerEvent} */ event) => {
    if (!last) return
    const next = place(event)
    const steps = Math.max(1, Math.ceil(Math.hypot(next[0] - last[0], next[1] - last[1])))
    for (let i = 1; i <= steps; i++) {
      const share = i / steps
      paint(
        last[0] + share * (next[0] - last[0]),
        last[1] + share * (next[1] - last[1]),
        event.shiftKey || event.buttons === 2,
      )
    }
    last = next
    draw()
  }
  canvas.onpointerup = canvas.onpointercancel = () => {
    last = null
  }
  canvas.oncontextmenu = (/** @type {Event} */ event) => event.preventDefault()
  canvas.onblur = () => draw()
  canvas.onfocus = () => draw(canvas.matches(":focus-visible"))
  canvas.onkeydown = (/** @type {KeyboardEvent} */ event) => {
    const [x, y] = picture.cursor
    /** @type {Record<string, number[]>} */
    const moves = { ArrowLeft: [x - 1, y], ArrowRight: [x + 1, y], ArrowUp: [x, y - 1], ArrowDown: [x, y + 1] }
    if (moves[event.key]) picture.cursor = moves[event.key].map((v) => Math.min(SIDE - 1, Math.max(0, v)))
    else if (event.key === " ") paint(x, y, event.shiftKey)
    else return
    event.preventDefault()
    draw(true)
  }
  size.oninput = () => draw()
  root.querySelector(".gp-clear").onclick = () => {
    cells.fill(0)
    draw()
  }
  root.querySelector(".gp-keep").onclick = () => {
    if (!cells.some((/** @type {number} */ value) => value > 0)) {
      say.textContent = "Nothing is painted yet."
      return
    }
    setTriggerValue(
      "painted",
      Array.from(cells, (value) =>
        Math.round(255 * value)
          .toString(16)
          .padStart(2, "0"),
      ).join(""),
    )
  }
  draw()
}
