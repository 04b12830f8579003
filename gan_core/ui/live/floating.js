// @ts-check
// The slider of a view stays in sight as long as something that it moves is.

export class Floating {
  /** @param {import("./view.js").LiveView} view */
  constructor(view) {
    this.view = view
    this.floats = false
  }

  place() {
    const { root, board, others, timeline } = this.view
    const { element } = timeline
    const zoom = Number(getComputedStyle(document.documentElement).zoom) || 1
    const head = document.querySelector('[data-testid="stHeader"]')
    const top = head ? head.getBoundingClientRect().bottom : 0
    const place = root.getBoundingClientRect()
    const end = Math.max(...others.map((view) => view.root.getBoundingClientRect().bottom))
    const floats = place.top < top && end > top + 3 * element.offsetHeight
    if (!floats && !this.floats) return
    const room = (board.getBoundingClientRect().top - place.top) / zoom // that it leaves
    if (floats !== this.floats) root.style.paddingTop = floats ? `${room}px` : ""
    this.floats = floats
    element.dataset.floats = String(floats)
    const at = { top: top / zoom, left: place.left / zoom, width: place.width / zoom }
    for (const [side, value] of Object.entries(at)) element.style.setProperty(side, floats ? `${value}px` : "")
  }
}
