// @ts-check
// How everything on a page looks to whoever presents: the size of the type, and the contrast; kept for the tab.

export const SIZES = [100, 125, 150]
export const KEPT = "ganscope.look"

export function readLook() {
  return { size: 0, contrast: false, ...JSON.parse(sessionStorage.getItem(KEPT) || "{}") }
}

/** @param {any} look */
export function showLook(look) {
  const { style, classList } = document.documentElement
  style.zoom = `${SIZES[look.size]}%` // charts and pictures grow with the letters
  style.setProperty("--gk-zoom", String(SIZES[look.size] / 100))
  classList.toggle("gk-large", look.size > 0)
  classList.toggle("gk-contrast", look.contrast)
}
