// The kinds of panels by the names that Python gives them (live_view.py).

const PANELS = {
  curves: CurvesPanel,
  overlay: OverlayPanel,
  histogram: HistogramPanel,
  heatmap: HeatmapPanel,
  grid: GridPanel,
  sheet: SheetPanel,
  points: PointsPanel,
  density: DensityPanel,
  numbers: NumbersPanel,
  board: BoardPanel,
}
