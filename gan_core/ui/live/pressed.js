// @ts-check
// When something was pressed last: whoever presses something is answered first. One clock for all views of the page.

let last = -Infinity

const note = (/** @type {Event} */ event) => {
  last = event.timeStamp
}

for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, note, { capture: true, passive: true })

export function lastPress() {
  return last
}
