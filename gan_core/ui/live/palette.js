// @ts-check
// The colours and the font of the page's theme, as charts take them.

import { translucent } from "./plotly.js"

/** @param {Element} root An element of the component, on which Streamlit sets the theme. */
export function paletteOf(root) {
  const style = getComputedStyle(root)
  const read = (/** @type {string} */ name, /** @type {string} */ fallback) => {
    const value = style.getPropertyValue(name).trim()
    return value && value !== "unset" ? value : fallback
  }
  const background = read("--st-background-color", "#ffffff")
  return {
    text: read("--st-text-color", style.color),
    background,
    border: read("--st-border-color", "#cccccc"),
    veil: translucent(background, 0.78),
    faded: "rgba(128,138,150,0.9)",
    font: read("--st-font", ""),
  }
}
