// @ts-check
// The charts of the page as PNG or SVG, drawn by the browser as they stand there: zoomed, with what is hidden hidden.

import { el, setText } from "./live/elements.js"
import { loadPlotly } from "./live/plotly.js"
import { mounting } from "./mounting.js"

function chartsOfPage() {
  const named = new Map()
  /** @type {any[]} */
  const charts = Array.from(document.querySelectorAll(".js-plotly-plot"))
  for (const chart of charts) {
    if (!chart.data || !chart.offsetParent) continue
    const panel = chart.closest(".gs-panel")
    const title = panel ? panel.getAttribute("aria-label") : chart.layout?.yaxis?.title?.text || "chart"
    const view = panel && chart.closest(".gs-root")?.querySelector(".gs-name")?.textContent
    const name = view ? `${view}: ${title}` : title
    let again = name
    for (let n = 2; named.has(again); n += 1) again = `${name} (${n})`
    named.set(again, chart)
  }
  return named
}

// What a data URL holds, as a file: browsers bound the length of an address.
/** @param {string} url */
function fileOf(url) {
  const [, type, base64, data] = url.match(/^data:([^;,]*)[^,]*?(;base64)?,(.*)$/s) || ["", "", "", ""]
  return new Blob([base64 ? Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)) : decodeURIComponent(data)], {
    type,
  })
}

class ChartFiles {
  /**
   * @param {HTMLElement} parent
   * @param {string} url
   */
  constructor(parent, url) {
    /** @type {Map<string, any>} */
    this.charts = new Map()
    this.file = ""
    this.url = url
    this.select = el("select", {
      class: "gt-select",
      "aria-label": "Chart of this page",
      "data-testid": "chart-to-save",
    })
    this.said = el("span", { class: "gt-said", role: "status" })
    const buttons = ["png", "svg"].map((format) => {
      const button = el(
        "button",
        { class: "gt-button", type: "button", "data-testid": `save-${format}` },
        format.toUpperCase(),
      )
      button.addEventListener("click", () => this.save(format))
      return button
    })
    this.root = el("div", { class: "gt-root" }, el("span", {}, "Chart"), this.select, ...buttons, this.said)
    for (const kind of ["pointerenter", "focusin"]) this.root.addEventListener(kind, () => this.list())
    parent.append(this.root)
    this.timer = setInterval(() => this.list(), 2000) // charts come when their data do
    this.list()
  }

  list() {
    this.charts = chartsOfPage()
    const names = [...this.charts.keys()]
    if (names.join("\n") === [...this.select.options].map((option) => option.value).join("\n")) return
    const chosen = this.select.value
    this.select.replaceChildren(...names.map((name) => el("option", { value: name }, name)))
    if (names.includes(chosen)) this.select.value = chosen
  }

  /** @param {string} format */
  async save(format) {
    this.list()
    const chart = this.charts.get(this.select.value)
    if (!chart) return this.tell("There is no chart on this page yet.", true)
    try {
      const Plotly = await loadPlotly(this.url)
      const page = document.querySelector(".stApp") || document.body
      const named = chart.data.filter(
        (/** @type {import("./live/panels.js").Trace} */ trace) =>
          trace.name && trace.visible !== false && trace.showlegend !== false,
      )
      const layout = {
        ...chart.layout,
        autosize: false,
        paper_bgcolor: getComputedStyle(page).backgroundColor,
        margin: { l: 72, r: 32, t: 24, b: 56 }, // and what legend and labels take beyond that
        showlegend: named.length > 1, // also where the page has the words above its small chart
      }
      const filename =
        this.select.value
          .toLowerCase()
          .replace(/[^a-z0-9]+/g, "-")
          .replace(/^-|-$/g, "") || "chart"
      const size = { width: Math.max(900, chart.clientWidth), height: Math.max(540, chart.clientHeight), scale: 2 }
      const name = `${filename}.${format}`
      this.tell(`Drawing ${name}…`)
      this.offer(name, fileOf(await Plotly.toImage({ data: chart.data, layout }, { format, ...size })))
    } catch (error) {
      this.tell(`The chart could not be saved: ${error.message || error}`, true)
    }
  }

  /**
   * @param {string} text
   * @param {boolean} [fault]
   */
  tell(text, fault = false) {
    setText(this.said, text)
    this.said.dataset.fault = String(fault)
  }

  // A browser refuses a file that comes long after the press that asked for it: it can be pressed for, then and again.
  /**
   * @param {string} name
   * @param {Blob} file
   */
  offer(name, file) {
    URL.revokeObjectURL(this.file)
    this.file = URL.createObjectURL(file)
    const link = el("a", { href: this.file, download: name, "data-testid": "saved-chart" }, name)
    this.said.replaceChildren(link)
    if (navigator.userActivation.isActive) link.click()
  }

  destroy() {
    URL.revokeObjectURL(this.file)
    clearInterval(this.timer)
    this.root.remove()
  }
}

export default mounting(({ parentElement, data }) => new ChartFiles(parentElement, data.plotly))
