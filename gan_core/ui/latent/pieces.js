// @ts-check
// Pictures and controls that the looks are made of.

import { COLOURS } from "../declared.js"
import { el, penOf, setText } from "../live/elements.js"
import { number } from "../live/said.js"

/** @typedef {{ label?: string, sure?: number, norm?: number }} Cell What is known of one sample: its class, how sure that is, ‖z‖. */
/** @typedef {{ sheet?: string, columns: number, cells: Cell[], at: number[][] } & Record<string, any>} Answer Samples, on a sheet or (`at`) as points. */
/** @typedef {{ image: HTMLImageElement, columns: number, gap: number, width: number, height: number }} Sheet */
/** @typedef {{ name: string, values: number[], style: string }} Row Norms along a way. */

// A sheet of equal pictures with a gap, cut into cells.
/**
 * @param {Answer} answer
 * @param {number} gap
 * @returns {Promise<Sheet | null>}
 */
export async function sheetOf(answer, gap) {
  if (!answer.sheet) return null
  const image = new Image()
  image.src = `data:image/png;base64,${answer.sheet}`
  await image.decode()
  const columns = answer.columns
  const rows = Math.ceil(Math.max(answer.cells?.length || 0, columns) / columns)
  return {
    image,
    columns,
    gap,
    width: (image.width + gap) / columns - gap,
    height: answer.cells ? (image.height + gap) / rows - gap : (image.height + gap) / columns - gap,
  }
}

// One picture: a cell of a sheet, or a point among real ones.
export class Picture {
  /**
   * @param {string} name
   * @param {string} [size]
   */
  constructor(name, size = "") {
    this.canvas = el("canvas", { class: `gl-picture ${size}`, role: "img", "aria-label": name, width: 28, height: 28 })
    this.note = el("span", { class: "gl-note" })
    this.element = el("figure", { class: "gl-figure" }, this.canvas, this.note)
    this.name = name
  }

  /**
   * @param {Answer} answer
   * @param {Sheet | null} sheet
   * @param {number} index
   * @param {number[][] | null} real
   * @param {string} [note]
   */
  show(answer, sheet, index, real, note = noteOf(answer.cells[index])) {
    if (sheet) {
      const { width, height, columns, gap, image } = sheet
      if (this.canvas.width !== width) this.canvas.width = width
      if (this.canvas.height !== height) this.canvas.height = height
      const [x, y] = [(index % columns) * (width + gap), Math.floor(index / columns) * (height + gap)]
      penOf(this.canvas).drawImage(image, x, y, width, height, 0, 0, width, height)
    } else drawPoints(this.canvas, real || [], [answer.at[index]])
    setText(this.note, note)
    this.canvas.setAttribute("aria-label", [this.name, note].filter(Boolean).join(": "))
    this.canvas.dataset.shown = String(Number(this.canvas.dataset.shown || 0) + 1)
  }
}

/** @param {Cell | undefined} cell */
export function noteOf(cell) {
  if (!cell || cell.label === undefined) return cell?.norm === undefined ? "" : `‖z‖ ${number(cell.norm)}`
  const said = (cell.sure ?? 1) < 0.6 ? `${cell.label}?` : cell.label
  return cell.norm === undefined ? `${said} ${number(cell.sure, "percent")}` : `${said} · ‖z‖ ${number(cell.norm)}`
}

/** @param {number[][]} real */
function boundsOf(real) {
  const [xs, ys] = [real.map((one) => one[0]), real.map((one) => one[1] ?? 0)]
  const middle = [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2]
  const half = 0.85 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys), 1e-6)
  return (/** @type {number[]} */ one) => [
    (one[0] - middle[0]) / half / 2 + 0.5,
    0.5 - ((one[1] ?? 0) - middle[1]) / half / 2,
  ]
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number[][]} real
 * @param {number[][]} made
 * @param {boolean} [path]
 */
function drawPoints(canvas, real, made, path = false) {
  const side = 112
  canvas.width = canvas.height = side
  const pen = penOf(canvas)
  const at = boundsOf(real)
  pen.fillStyle = `${COLOURS.real}55`
  for (const one of real) pen.fillRect(at(one)[0] * side - 0.7, at(one)[1] * side - 0.7, 1.4, 1.4)
  pen.fillStyle = pen.strokeStyle = COLOURS.generated
  made.forEach((one) => {
    const [x, y] = at(one).map((part) => Math.min(0.97, Math.max(0.03, part)) * side) // what lies outside is at the edge
    pen.beginPath()
    pen.arc(x, y, path ? 2.5 : 4, 0, 2 * Math.PI)
    pen.fill()
  })
}

/**
 * @param {string} label
 * @param {string} value
 * @param {[number, number, number]} range From, to, step.
 * @param {(value: string) => void} heard
 */
export function slider(label, value, [low, high, step], heard) {
  const told = el("output", {}, number(Number(value)))
  const input = el("input", { type: "range", min: low, max: high, step, "aria-label": label })
  input.value = value
  input.oninput = () => {
    setText(told, number(Number(input.value)))
    heard(input.value)
  }
  const element = el("label", { class: "gl-slider" }, el("span", {}, label), input, told)
  return {
    element,
    input,
    /** @param {string} next */
    set(next) {
      input.value = next
      setText(told, number(Number(next)))
    },
  }
}

/**
 * @param {string} label
 * @param {string[][]} options The value and the title of each.
 * @param {string} value
 * @param {(value: string) => void} heard
 */
export function select(label, options, value, heard) {
  const input = el("select", { "aria-label": label })
  for (const [name, title] of options) input.append(el("option", { value: name, selected: name === value }, title))
  input.onchange = () => heard(input.value)
  return { element: el("label", { class: "gl-select" }, el("span", {}, label), input), input }
}

/**
 * @param {string} text
 * @param {(...args: any[]) => any} heard
 * @param {Record<string, any>} [attributes]
 */
export function button(text, heard, attributes = {}) {
  const made = el("button", { type: "button", class: "gl-button", ...attributes }, text)
  made.onclick = heard
  return made
}

// The tab of a look has the focus.
/**
 * @param {Element} tabs
 * @param {string} look
 */
export function focusOn(tabs, look) {
  /** @type {HTMLElement | null} */
  const tab = tabs.querySelector(`[data-look=${look}]`)
  tab?.focus()
}

// Links under which what is shown can be taken away.
/**
 * @param {import("./link.js").Link} link
 * @param {Record<string, any>} recipe
 */
export function takeAway(link, recipe) {
  const file = (/** @type {string} */ end, /** @type {string} */ text) =>
    el("a", { class: "gl-take", href: link.file(recipe, end), download: `latent.${end}` }, text)
  return el("p", { class: "gl-takes" }, file("png", "Strip (PNG)"), file("gif", "Film (GIF)"))
}

// Lines of the norm of z along a way, and what draws of the prior have (dashed). `ends` are what the way passes, from left to right.
/**
 * @param {Row[]} rows
 * @param {number} radius
 * @param {string[]} ends
 */
export function normChart(rows, radius, ends) {
  const [left, right, top, bottom] = [52, 562, 10, 112]
  const high = 1.1 * Math.max(...rows.flatMap((row) => row.values), radius)
  const x = (/** @type {number} */ share) => left + share * (right - left)
  const y = (/** @type {number} */ value) => bottom - (value / high) * (bottom - top)
  const svg = svgOf("svg", { viewBox: "0 0 576 156", class: "gl-chart", role: "img" })
  const said = rows
    .map((row) => `${row.name} ${number(Math.min(...row.values))} to ${number(Math.max(...row.values))}`)
    .join(", ")
  svg.setAttribute("aria-label", `Norm of z along the way: ${said}; draws have ${number(radius)}`)
  const text = (/** @type {string} */ words, /** @type {Record<string, any>} */ attributes) =>
    svg.append(svgOf("text", attributes, words))
  const line = (/** @type {number[][]} */ points, /** @type {string} */ style) =>
    svg.append(
      svgOf("polyline", {
        points: points.map((one) => one.map((value) => value.toFixed(1)).join()).join(" "),
        class: style,
      }),
    )
  line(
    [
      [left, top],
      [left, bottom],
      [right, bottom],
    ],
    "gl-axis",
  )
  const step = ticksApart(high)
  for (let value = 0; value <= high; value += step)
    text(number(value), { x: left - 6, y: y(value) + 4, "text-anchor": "end" })
  ends.forEach((name, index) => {
    const anchor = index === 0 ? "start" : index === ends.length - 1 ? "end" : "middle"
    text(name, { x: x(index / Math.max(1, ends.length - 1)), y: bottom + 17, "text-anchor": anchor })
  })
  text("along the way", { x: (left + right) / 2, y: bottom + 38, "text-anchor": "middle" })
  text("norm ‖z‖", { transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" })
  line(
    [
      [left, y(radius)],
      [right, y(radius)],
    ],
    "gl-shell",
  )
  for (const row of rows)
    line(
      row.values.map((value, index) => [x(index / Math.max(1, row.values.length - 1)), y(value)]),
      row.style,
    )
  return svg
}

/**
 * @param {string} name
 * @param {Record<string, any>} attributes
 * @param {string} [words]
 */
export function svgOf(name, attributes, words = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.textContent = words
  return made
}

// 1, 2 or 5 times a power of ten, so that a scale up to `high` has three to seven ticks.
/** @param {number} high */
function ticksApart(high) {
  const power = 10 ** Math.floor(Math.log10(high / 3))
  return power * ([5, 2, 1].find((times) => times * power <= high / 3) || 1)
}
