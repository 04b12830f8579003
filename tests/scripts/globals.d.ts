// What is on a page before a script, as far as scripts use it.

/** Of the document of a report: the figures by the ids of their elements. */
declare const FIGURES: Record<string, any>
/** Plotly has no types of its own; a chart is its element with what Plotly puts there. */
declare const Plotly: any

interface Window {
  Plotly?: any
  __ganscope: Record<string, any>
}
