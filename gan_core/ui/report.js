for (const [key, figure] of Object.entries(FIGURES)) {
  Plotly.newPlot(key, figure.data, figure.layout, { responsive: true, displaylogo: false, displayModeBar: false, showSendToCloud: false })
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-chart]")
  if (!button) return
  const { data, layout } = document.getElementById(button.dataset.chart)
  const filename = button.dataset.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "chart"
  const margin = { l: 72, r: 32, t: 24, b: 56 } // and what legend and labels take beyond that
  const figure = { data, layout: { ...layout, autosize: false, margin, paper_bgcolor: "#fff" } }
  Plotly.downloadImage(figure, { format: button.dataset.format, filename, width: 900, height: 540, scale: 2 })
})
