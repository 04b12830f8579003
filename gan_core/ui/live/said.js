// @ts-check
// Numbers, counts and durations as a person would say them.

export const integer = (/** @type {number} */ value) => Math.round(value).toLocaleString("en-US")

// A number as a person would say it. `said` of gan_core/said.py is the same, and explains it; one test holds both.
/**
 * @param {number | null | undefined} value
 * @param {string} [format]
 */
export function number(value, format) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–"
  if (format === "integer") return signed(grouped(value.toFixed(0)))
  const share = 100 * value
  if (format === "percent")
    return share > 0 && share < 0.05
      ? "below 0.1 %"
      : signed(`${share.toFixed(share !== 0 && Math.abs(share) < 9.95 ? 1 : 0)} %`)
  const size = Math.abs(value)
  if (value === 0) return "0"
  if (size >= 1e6 || size < 1e-4) {
    const [digits, power] = value.toExponential(1).split("e")
    return signed(`${short(digits)}e${Number(power)}`)
  }
  const text = value.toPrecision(size < 0.01 ? 2 : 3)
  return signed(grouped(text.includes("e") ? Number(text).toFixed(0) : short(text)))
}

const short = (/** @type {string} */ text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text)
const grouped = (/** @type {string} */ text) =>
  text.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","))
const signed = (/** @type {string} */ text) => text.replaceAll("-", /[1-9]/.test(text) ? "−" : "")

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return null
  const s = Math.max(0, Math.round(seconds))
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0")
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
}

/** @param {number} n */
export function ordinal(n) {
  const tens = n % 100
  const suffix = tens >= 11 && tens <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] || "th"
  return `${n}${suffix}`
}

export const shortened = (/** @type {string} */ text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text)
