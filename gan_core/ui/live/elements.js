// The live view of one run: one WebSocket, one store of what came, and panels that draw from the store.
//
//   Connection ── bytes ──► Store ──► draw() ──► panels          (draw runs at most once per animation frame)
//
// A panel keeps a note of what it has drawn and catches up from the store; so a tab that was hidden, a chart that was being
// dragged or a message that was missed need no code of their own. Zoom and hidden curves belong to Plotly and are never touched.
//
// The files of this folder are one module: live_view.py joins them in its order. This one holds the constants and small functions,
// also those of the curves over seeds (seeds.js, joined by seeds_chart.py).

const MAX_POINTS = 3000 // in one curve; beyond it the server is asked for a fresh, downsampled snapshot
const HIDDEN_AFTER = 20000 // ms that a hidden tab keeps its socket
const BACKOFF = [500, 5000] // ms, first and longest pause between two attempts
const POLL_EVERY = 1000 // ms, when WebSockets do not get through
const ASK_AGAIN = 5000 // ms, between two looks whether a run that has ended goes on
const TRY_AGAIN = 3000 // ms, after a picture that did not come
const FRAME = 8 // ms; a panel that took longer is shown, and presses are heard, before the next one is drawn
const REST = 3 // times as long as a drawing took, the next one waits,
const LONGEST_REST = 250 // but no longer than this, in ms: what a page shows is to be new
const COURTESY = 400 // ms after a press during which nothing that was not asked for is drawn
const STAGE_LETTERS = 20 // px, of the words in a chart that fills the window
const STAGE_STROKES = 1.7 // times as wide as on the page
const ENDED = ["finished", "stopped", "failed", "diverged", "interrupted"]
const MARKED_EVENTS = ["diverged", "knob", "paused", "resumed", "forked", "fork", "verdict"]
const PLOTLY_CONFIG = {
  displaylogo: false,
  showSendToCloud: false, // Plotly's default is true: nothing leaves this machine
  plotlyServerURL: "",
  displayModeBar: "hover",
  doubleClick: "reset+autosize",
  modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "sendChartToCloud"],
}

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    node.setAttribute(name, value === true ? "" : value)
  }
  node.append(...children.filter((child) => child !== null && child !== undefined))
  return node
}

const breath = () => new Promise((resolve) => setTimeout(resolve))

const shortened = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text)

const inFigure = (name) => name.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

const integer = (value) => Math.round(value).toLocaleString("en-US")

// A number as a person would say it. `said` of gan_core/said.py is the same, and explains it; one test holds both.
function number(value, format) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–"
  if (format === "integer") return signed(grouped(value.toFixed(0)))
  const share = 100 * value
  if (format === "percent") return share > 0 && share < 0.05 ? "below 0.1 %" : signed(`${share.toFixed(share !== 0 && Math.abs(share) < 9.95 ? 1 : 0)} %`)
  const size = Math.abs(value)
  if (value === 0) return "0"
  if (size >= 1e6 || size < 1e-4) {
    const [digits, power] = value.toExponential(1).split("e")
    return signed(`${short(digits)}e${Number(power)}`)
  }
  const text = value.toPrecision(size < 0.01 ? 2 : 3)
  return signed(grouped(text.includes("e") ? Number(text).toFixed(0) : short(text)))
}

const short = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text)
const grouped = (text) => text.replace(/^-?\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","))
const signed = (text) => text.replaceAll("-", /[1-9]/.test(text) ? "−" : "")

function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return null
  const s = Math.max(0, Math.round(seconds))
  const two = (n) => String(n).padStart(2, "0")
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
}

// A colour of the theme as CSS takes it, with an opacity.
function translucent(colour, alpha) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)
  return hex ? `rgba(${hex.slice(1).map((part) => parseInt(part, 16))},${alpha})` : "rgba(0,0,0,0)"
}

function ordinal(n) {
  const tens = n % 100
  const suffix = tens >= 11 && tens <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] || "th"
  return `${n}${suffix}`
}

function matcher(pattern) {
  const escaped = pattern.replace(/[.+^${}()|[\]\\?]/g, "\\$&").replace(/\*/g, ".*")
  const expression = new RegExp(`^${escaped}$`)
  return (name) => expression.test(name)
}

// The newest item at or before a round, in a list that is sorted by round; -1 if there is none.
function atOrBefore(list, round) {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle].round <= round) low = middle + 1
    else high = middle
  }
  return low - 1
}

function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly)
  if (!window.__ganscopePlotly) {
    window.__ganscopePlotly = new Promise((resolve, reject) => {
      const script = el("script", { src: url, async: true })
      script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("plotly.js defines no Plotly")))
      script.onerror = () => {
        window.__ganscopePlotly = null
        script.remove()
        reject(new Error("the chart library could not be loaded"))
      }
      document.head.append(script)
    })
  }
  return window.__ganscopePlotly
}

// Plotly fails inside a drawing whose chart is purged meanwhile, so a chart goes after all that it was told to draw.
const drawings = new WeakMap()

function drawn(chart, drawing) {
  drawings.set(chart, Promise.allSettled([drawings.get(chart), drawing]))
  return drawing
}

function purgeWhenDrawn(Plotly, chart) {
  Promise.resolve(drawings.get(chart)).then(() => setTimeout(() => Plotly.purge(chart), 0)) // what this turn of the loop began ends in it
}

// Whoever presses something is answered first. One clock for all views of the page.
if (window.__ganscopePressed === undefined) {
  window.__ganscopePressed = -Infinity
  const note = (event) => (window.__ganscopePressed = event.timeStamp)
  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, note, { capture: true, passive: true })
}
