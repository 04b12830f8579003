// @ts-check
// Plotly: loaded once per page from this server, its settings, and the end of a chart.

import { el } from "./elements.js"

export const PLOTLY_CONFIG = {
  displaylogo: false,
  showSendToCloud: false, // Plotly's default is true: nothing leaves this machine
  plotlyServerURL: "",
  displayModeBar: "hover",
  doubleClick: "reset+autosize",
  modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "sendChartToCloud"],
}

/** @type {Promise<any> | null} */
let loading = null

/** @param {string} url */
export function loadPlotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly)
  if (!loading) {
    loading = new Promise((resolve, reject) => {
      const script = el("script", { src: url, async: true })
      script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("plotly.js defines no Plotly")))
      script.onerror = () => {
        loading = null
        script.remove()
        reject(new Error("the chart library could not be loaded"))
      }
      document.head.append(script)
    })
  }
  return loading
}

// Plotly fails inside a drawing whose chart is purged meanwhile, so a chart goes after all that it was told to draw.
const drawings = new WeakMap()

/**
 * @param {HTMLElement} chart
 * @param {any} drawing
 */
export function drawn(chart, drawing) {
  drawings.set(chart, Promise.allSettled([drawings.get(chart), drawing]))
  return drawing
}

/**
 * @param {any} Plotly
 * @param {HTMLElement} chart
 */
export function purgeWhenDrawn(Plotly, chart) {
  Promise.resolve(drawings.get(chart)).then(() => setTimeout(() => Plotly.purge(chart), 0)) // what this turn of the loop began ends in it
}

// A name as plain text: Plotly takes some characters for markup.
export const inFigure = (/** @type {string} */ name) =>
  name.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

// A colour of the theme as CSS takes it, with an opacity.
/**
 * @param {string} colour
 * @param {number} alpha
 */
export function translucent(colour, alpha) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)
  return hex ? `rgba(${hex.slice(1).map((part) => parseInt(part, 16))},${alpha})` : "rgba(0,0,0,0)"
}
