// @ts-check
// The charts of a report, which stands alone: a script of its one document, after Plotly and its figures.

for (const [key, figure] of Object.entries(FIGURES)) {
  Plotly.newPlot(key, figure.data, figure.layout, {
    responsive: true,
    displaylogo: false,
    displayModeBar: false,
    showSendToCloud: false,
  })
}
document.addEventListener("click", (event) => {
  /** @type {HTMLElement | null} */
  const button = /** @type {HTMLElement} */ (event.target).closest("button[data-chart]")
  if (!button) return
  const { chart = "", name = "", format } = button.dataset
  const { data, layout } = /** @type {any} */ (document.getElementById(chart)) // Plotly's element
  const filename =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "") || "chart"
  const margin = { l: 72, r: 32, t: 24, b: 56 } // and what legend and labels take beyond that
  const figure = { data, layout: { ...layout, autosize: false, margin, paper_bgcolor: "#fff" } }
  Plotly.downloadImage(figure, { format, filename, width: 900, height: 540, scale: 2 })
})
