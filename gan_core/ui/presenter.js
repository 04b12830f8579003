// @ts-check
// The presenter's keys: letters, digits, space and the arrows, wherever the focus is, as long as nobody is typing.

import { isTyping, targetOf } from "./keyboard.js"
import { mounting } from "./mounting.js"

/** @type {Record<string, string>} */
const NAMES = { " ": "space", ArrowLeft: "previous", ArrowRight: "next" }
const ARROWS = "input[type=range], [role=slider], [role=radiogroup], [role=tablist], .gs-root, .gf-root"
const PRESSED = "button, summary, a, [role=button]"

class Presenter {
  constructor() {
    /** @type {string[]} */
    this.keys = []
    /** @type {(name: string) => void} */
    this.press = () => {}
    this.down = (/** @type {KeyboardEvent} */ event) => this.take(event, true)
    this.up = (/** @type {KeyboardEvent} */ event) => this.take(event, false)
    document.addEventListener("keydown", this.down, true)
    document.addEventListener("keyup", this.up, true)
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} down
   */
  take(event, down) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
    const name = NAMES[event.key] || event.key.toLowerCase()
    const target = targetOf(event)
    if (!this.keys.includes(name) || isTyping(target)) return
    if (event.key.startsWith("Arrow") && target.closest(ARROWS)) return
    if (event.key === " " && target.closest(ARROWS)) return
    // A button that has the focus would be pressed again by the space bar, when it comes up.
    if (down || (event.key === " " && target.closest(PRESSED))) event.preventDefault()
    event.stopImmediatePropagation()
    if (down && !event.repeat) this.press(name)
  }

  destroy() {
    document.removeEventListener("keydown", this.down, true)
    document.removeEventListener("keyup", this.up, true)
  }
}

/**
 * @param {Presenter} presenter
 * @param {import("./mounting.js").Component} component
 */
function hearing(presenter, { data, parentElement, setTriggerValue }) {
  presenter.keys = data.keys
  presenter.press = (/** @type {string} */ name) => setTriggerValue("pressed", name)
  parentElement.dataset.hears = data.keys.join(" ")
  return presenter
}

export default mounting((component) => hearing(new Presenter(), component), hearing)
