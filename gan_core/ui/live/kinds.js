// @ts-check
// The kinds of panels by the names that Python gives them (live_view.py).

import { BoardPanel } from "./board.js"
import { HeatmapPanel, HistogramPanel } from "./classes.js"
import { CurvesPanel, OverlayPanel } from "./curves.js"
import { NumbersPanel } from "./numbers.js"
import { GridPanel } from "./pictures.js"
import { DensityPanel, PointsPanel } from "./points.js"
import { SheetPanel } from "./sheets.js"

export const PANELS = {
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
