// @ts-check
// The stage: one panel fills the window, of every view that has it, with the verdict's word, the round and the time.

import { isTyping, targetOf } from "../keyboard.js"
import { el, setText } from "./elements.js"

export const STAGE_LETTERS = 20 // px, of the words in a chart that fills the window
export const STAGE_STROKES = 1.7 // times as wide as on the page
const SPEEDS = [0.125, 0.25, 0.5, 1, 2, 4] // of the replay
const SIGHTS = ["points", "grid", "density"] // kinds of panels, what is shown first before all others

/** @typedef {import("./view.js").LiveView} LiveView */

class Stage {
  constructor() {
    /** @type {Set<LiveView>} */
    this.views = new Set() // that have panels, in the order of the page
    /** @type {StageBar | null} */
    this.bar = null
    /** @type {{ view: LiveView, home: Node | null, next: Node | null } | null} The view whose slider stands in the bar, and from where. */
    this.lent = null
    /** @type {string | null} */
    this.slot = null // of the panel that is on the stage, or null
    this.speed = 1
    this.heard = (/** @type {KeyboardEvent} */ event) => this.take(event)
    this.pressed = (/** @type {MouseEvent} */ event) => this.pick(event)
  }

  /** @param {LiveView} view */
  join(view) {
    if (!this.views.size) {
      window.addEventListener("keydown", this.heard, true) // before the page's own keys
      document.addEventListener("dblclick", this.pressed)
    }
    this.views.add(view)
    if (this.slot) this.show()
  }

  /** @param {LiveView} view */
  leave(view) {
    this.views.delete(view)
    if (this.lent && this.lent.view === view) this.giveBack()
    if (this.slot) setTimeout(() => this.slot && (this.shown.length ? this.show() : this.close()), STAGE_WAITS)
    if (this.views.size) return
    window.removeEventListener("keydown", this.heard, true)
    document.removeEventListener("dblclick", this.pressed)
  }

  // In the order of the page, not of their coming.
  get ordered() {
    const after = Node.DOCUMENT_POSITION_FOLLOWING
    return [...this.views].sort((a, b) => (a.root.compareDocumentPosition(b.root) & after ? -1 : 1))
  }

  /**
   * @param {LiveView} view
   * @param {string | null} [slot]
   */
  panelOf(view, slot = this.slot) {
    return view.panels.find((panel) => panel.spec.slot === slot && !panel.absent)
  }

  get shown() {
    return this.ordered.filter((view) => this.panelOf(view))
  }

  // The panels that can be shown: those of the first view that has any.
  get offered() {
    const view = this.slot ? this.shown[0] : this.ordered.find((view) => view.panels.length)
    return view ? view.panels.filter((panel) => !panel.absent) : []
  }

  // The one under the pointer, else one that shows samples.
  get wanted() {
    const pointed = [...document.querySelectorAll(".gs-panel:hover")].map((element) =>
      element.getAttribute("data-testid"),
    )
    const { offered } = this
    const panel =
      offered.find(({ spec }) => pointed.includes(spec.slot)) ||
      offered.find(({ spec }) => SIGHTS.includes(spec.kind)) ||
      offered[0]
    return panel?.spec.slot
  }

  /** @param {MouseEvent} event */
  pick(event) {
    const target = targetOf(event)
    /** @type {HTMLElement | null} */
    const element = target.closest(".gs-panel")
    // On a chart two presses are Plotly's own: the axes as they were.
    if (!element || target.closest(".gs-chart, button, input, select, summary")) return
    if (this.slot) this.close()
    else this.open(element.dataset.testid ?? "")
  }

  /** @param {KeyboardEvent} event */
  take(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || (event.repeat && event.key === "s")) return
    if (event.key === "Escape" && this.slot && !document.querySelector("dialog[open], [role=dialog]"))
      return this.obey(event, () => this.close())
    if (isTyping(targetOf(event))) return
    if (event.key.toLowerCase() === "s" && !event.shiftKey) {
      if (this.slot) this.obey(event, () => this.close())
      else if (this.wanted) this.obey(event, () => this.open(this.wanted))
      return
    }
    if (!this.slot) return
    const { timeline } = this
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowLeft: () => timeline?.step(-1),
      ArrowRight: () => timeline?.step(1),
      ArrowUp: () => this.turn(-1),
      ArrowDown: () => this.turn(1),
      " ": () => timeline && (timeline.playing ? timeline.pause() : timeline.play()),
      "<": () => this.pace(-1),
      ">": () => this.pace(1),
      d: () => this.layer("critic"),
      g: () => this.layer("grid"),
      v: () => this.layer("push"),
    }
    const does = acts[event.key]
    const button = event.key === " " && targetOf(event).closest("button") // it is pressed by that key
    if (does && !button) this.obey(event, does)
  }

  // The slider of all that is shown.
  get timeline() {
    return this.lent?.view.timeline
  }

  /**
   * @param {Event} event
   * @param {() => void} act
   */
  obey(event, act) {
    event.preventDefault()
    event.stopImmediatePropagation()
    act()
  }

  /** @param {number} by */
  turn(by) {
    const slots = this.offered.map(({ spec }) => spec.slot)
    this.open(slots[(slots.indexOf(this.slot ?? "") + by + slots.length) % slots.length])
  }

  // What lies over a plane, of all that are shown.
  /** @param {string} role Of its trace. */
  layer(role) {
    for (const view of this.shown) {
      const { chart, Plotly, ready } = this.panelOf(view) || {}
      const place =
        ready && chart ? chart.data.findIndex((trace) => trace.meta === role && trace.showlegend !== false) : -1
      if (chart && place >= 0)
        Plotly.restyle(chart, { visible: chart.data[place].visible === "legendonly" ? true : "legendonly" }, [place])
    }
  }

  /** @param {number} by */
  pace(by) {
    const at = Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(this.speed) + by))
    this.speed = SPEEDS[at]
    if (this.timeline?.playing) this.timeline.play()
    if (this.bar) this.bar.draw()
  }

  /** @param {string} slot */
  open(slot) {
    this.slot = slot
    this.show()
  }

  // Every view that has the panel gets a share of the window; the slider of all stands below.
  show() {
    const { shown } = this
    if (!shown.length) return
    document.documentElement.classList.add("gs-staged")
    if (!this.bar) this.bar = new StageBar(this)
    const across = shown.length < 4 ? shown.length : Math.ceil(shown.length / 2)
    const down = Math.ceil(shown.length / across)
    for (const view of this.views) {
      const at = shown.indexOf(view)
      this.place(
        view,
        at < 0
          ? null
          : { left: (at % across) / across, top: Math.floor(at / across) / down, width: 1 / across, height: 1 / down },
      )
    }
    this.lend(this.ordered.find((view) => view.data.leads) || shown[0])
    this.bar.draw()
  }

  /**
   * @param {LiveView} view
   * @param {Record<string, number> | null} share Of the window, if it has one.
   */
  place(view, share) {
    const { root } = view
    for (const panel of view.panels)
      panel.element.toggleAttribute("data-on-stage", Boolean(share) && panel === this.panelOf(view))
    root.toggleAttribute("data-on-stage", Boolean(share))
    for (const side of ["left", "top", "width", "height"]) {
      if (share) root.style.setProperty(`--gs-${side}`, String(share[side]))
      else root.style.removeProperty(`--gs-${side}`)
    }
    for (const panel of view.panels) panel.stand(Boolean(share) && panel === this.panelOf(view))
    view.drawSoon(true)
  }

  /** @param {LiveView} view */
  lend(view) {
    if (this.lent && this.lent.view === view) return
    this.giveBack()
    const { element } = view.timeline
    this.lent = { view, home: element.parentNode, next: element.nextSibling }
    this.bar?.time.append(element)
  }

  giveBack() {
    if (!this.lent) return
    const { view, home, next } = this.lent
    home?.insertBefore(view.timeline.element, next)
    this.lent = null
  }

  close() {
    this.slot = null
    document.documentElement.classList.remove("gs-staged")
    for (const view of this.views) this.place(view, null)
    this.giveBack()
    if (this.bar) this.bar.element.remove()
    this.bar = null
  }
}

// What is below the panel: which one it is, the time of all, how quickly it is played, and the way back.
class StageBar {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage
    this.told = ""
    const button = (/** @type {string} */ text, /** @type {string} */ label, /** @type {() => void} */ act) => {
      const made = el("button", { type: "button", class: "gs-button", "aria-label": label, title: label }, text)
      made.onclick = act
      return made
    }
    this.choice = el("select", {
      class: "gs-button",
      "aria-label": "panel [↑ ↓]",
      title: "panel [↑ ↓]",
      "data-testid": "stage-panel",
    })
    this.choice.onchange = () => {
      stage.open(this.choice.value)
      this.choice.blur() // the arrows are for the time again
    }
    this.time = el("div", { class: "gs-stage-time" })
    this.speed = el("output", {
      class: "gs-stage-speed",
      "aria-label": "speed of the replay",
      "data-testid": "stage-speed",
    })
    const slower = button("−", "slower [<]", () => stage.pace(-1))
    const faster = button("+", "faster [>]", () => stage.pace(1))
    const back = button("✕", "leave the stage [S] or [Esc]", () => stage.close())
    back.dataset.testid = "stage-close"
    this.element = el(
      "div",
      {
        class: "gs-root gs-stage-bar",
        "data-begun": true,
        role: "group",
        "aria-label": "stage",
        "data-testid": "stage-bar",
      },
      this.choice,
      this.time,
      slower,
      this.speed,
      faster,
      back,
    )
    const style = getComputedStyle(stage.shown[0].root)
    for (const name of STAGE_COLOURS) this.element.style.setProperty(name, style.getPropertyValue(name))
    document.body.append(this.element)
  }

  draw() {
    const { offered, slot, speed } = this.stage
    const told = JSON.stringify(offered.map(({ spec }) => spec.title))
    if (told !== this.told) {
      this.told = told
      this.choice.replaceChildren(...offered.map(({ spec }) => el("option", { value: spec.slot }, spec.title)))
    }
    this.choice.value = slot ?? ""
    setText(this.speed, `${speed >= 1 ? speed : `1/${1 / speed}`} ×`)
  }
}

const STAGE_WAITS = 3000 // ms, for the views of the page that comes
const STAGE_COLOURS = [
  "--st-text-color",
  "--st-background-color",
  "--st-border-color",
  "--st-primary-color",
  "--st-font",
  "--st-base-radius",
  "--st-button-radius",
]
export const stage = new Stage()
