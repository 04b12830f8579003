// @ts-check
// The live view of one run: one WebSocket, one store of what came, and panels that draw from the store.
//
//   Connection ── bytes ──► Store ──► draw() ──► panels          (draw runs at most once per animation frame)
//
// A panel keeps a note of what it has drawn and catches up from the store; so a tab that was hidden, a chart that was being
// dragged or a message that was missed need no code of their own. Zoom and hidden curves belong to Plotly and are never touched.

import { LEAD, MARKED_EVENTS } from "../declared.js"
import { mounting } from "../mounting.js"
import { noteRound, roundInAddress } from "./address.js"
import { Connection } from "./connection.js"
import { el, setText } from "./elements.js"
import { Files } from "./files.js"
import { PANELS } from "./kinds.js"
import { paletteOf } from "./palette.js"
import { ChartPanel } from "./panels.js"
import { loadPlotly } from "./plotly.js"
import { lastPress } from "./pressed.js"
import { publish, viewOf } from "./registry.js"
import { atOrBefore } from "./rounds.js"
import { shortened } from "./said.js"
import { stage } from "./stage.js"
import { Store } from "./store.js"
import { StatusStrip, Timeline, VerdictBanner } from "./strip.js"

export const MAX_POINTS = 3000 // in one curve; beyond it the server is asked for a fresh, downsampled snapshot
const TRY_AGAIN = 3000 // ms, after a picture that did not come
const FRAME = 8 // ms; a panel that took longer is shown, and presses are heard, before the next one is drawn
const REST = 3 // times as long as a drawing took, the next one waits,
const LONGEST_REST = 250 // but no longer than this, in ms: what a page shows is to be new
const COURTESY = 400 // ms after a press during which nothing that was not asked for is drawn

const breath = () => new Promise((resolve) => setTimeout(resolve))

export class LiveView {
  /**
   * @param {HTMLElement} parent
   * @param {any} data
   */
  constructor(parent, data) {
    /** @type {(trigger: string, value: unknown) => void} */
    this.ask = () => {} // of Streamlit
    /** @type {number | null} */
    this.frame = null // in which it is drawn
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined
    /** @type {Set<Element>} */
    this.outOfSight = new Set()
    this.longestAtSnapshot = 0
    this.data = data
    this.colours = data.colours
    this.store = new Store()
    this.selected = null // a round, or null: follow the newest
    this.highlighted = null // a curve, or null: all alike
    this.hovered = null // a round under the pointer, as long as it is there
    this.wanted = data.leads ? roundInAddress() : (data.at ?? null) // by the link or the page, until all views have their frames
    /** @type {any[]} */
    this.panels = []
    this.files = new Files((file) => this.artefact(file))
    this.shown = null // the round that all panels show
    this.patience = -Infinity // until then what could not be fetched is not asked for again
    /** @type {Connection | null} */
    this.connection = null
    const led = data.beside.includes(LEAD)
    this.root = el("div", {
      class: "gs-root",
      "data-run": data.run,
      "data-compact": data.beside.length > 0,
      "data-leads": data.leads,
      "data-led": led,
      "data-fits": data.fits > 0,
    })
    if (data.fits) this.root.style.setProperty("--gs-room", `${data.fits}rem`)
    if (data.name) this.root.append(el("h3", { class: "gs-name", style: `border-color: ${data.colour}` }, data.name))
    this.strip = new StatusStrip()
    this.timeline = new Timeline(this)
    this.verdict = new VerdictBanner(this)
    this.board = el("div", { class: "gs-board" })
    this.fault = el("p", { class: "gs-fault", role: "alert", hidden: true })
    // In one line: what state the run is in, what it is like, and the time; below it what is said of that.
    this.head = el("div", { class: "gs-head" }, this.strip.element, this.verdict.element, this.timeline.element)
    this.root.append(this.head, this.fault, this.board)
    this.root.addEventListener("keydown", (event) => this.timeline.key(event))
    parent.append(this.root)
    this.scrolled = () => this.float()
    if (data.leads) for (const kind of ["scroll", "resize"]) window.addEventListener(kind, this.scrolled, true)
    this.readPalette()
    publish(this)
    this.build()
    this.open()
    stage.join(this)
    document.dispatchEvent(new CustomEvent("ganscope:mounted", { detail: { run: data.run } }))
  }

  open() {
    this.connection = new Connection(this.data.run, this.data.ticket, {
      cursor: () => this.store.cursor,
      ended: () => this.store.ended,
      stale: () => this.renew(),
      state: (state, text) => {
        this.connectionText = text
        this.root.dataset.connection = state
        this.drawSoon()
      },
      message: (message) => this.take(message),
    })
  }

  // A computer that slept through the life of a ticket: the page runs again, once for each, and brings another.
  renew() {
    if (this.stale === this.data.ticket) return
    this.stale = this.data.ticket
    this.ask("stale", true)
  }

  /** @param {any} message */
  take(message) {
    const result = this.store.apply(message)
    if (result === "gap") {
      this.connection?.ask()
      return
    }
    for (const other of this.others) if (other.data.leads) other.drawSoon()
    if (message.full) this.longestAtSnapshot = this.store.longest
    if (this.store.longest > Math.max(MAX_POINTS, this.longestAtSnapshot + MAX_POINTS / 2)) {
      this.longestAtSnapshot = this.store.longest // ask once, not at each message until the answer is here
      this.connection?.ask()
    }
    this.drawSoon()
  }

  build() {
    for (const panel of this.panels) panel.destroy()
    this.panels = []
    this.board.replaceChildren()
    for (const spec of this.data.layout) {
      const Kind = PANELS[spec.kind]
      if (!Kind) continue
      const panel = new Kind(this, spec)
      this.panels.push(panel)
      this.board.append(panel.element)
    }
    const large = this.data.layout.findIndex((spec) => spec.span === "large")
    for (const panel of large < 0 ? [] : this.panels.slice(large + 1, large + 3))
      panel.element.toggleAttribute("data-flanks", panel.spec.span !== "all")
    const mine = this.panels
    this.layoutText = JSON.stringify(this.data.layout)
    this.watchScrolling()
    this.startCharts(mine)
    if (stage.slot) stage.show()
  }

  // What is scrolled out of sight is not drawn, and catches up when it comes back: redrawing costs a browser most.
  watchScrolling() {
    if (this.sight) this.sight.disconnect()
    this.outOfSight = new Set()
    this.sight = new IntersectionObserver((entries) => {
      for (const entry of entries) this.outOfSight[entry.isIntersecting ? "delete" : "add"](entry.target)
      this.drawSoon(true)
    })
    for (const panel of this.panels) this.sight.observe(panel.element)
  }

  /** @param {any} panel */
  inSight(panel) {
    return !this.outOfSight.has(panel.element)
  }

  // The slider stays in sight as long as something that it moves is.
  float() {
    const zoom = Number(getComputedStyle(document.documentElement).zoom) || 1
    const head = document.querySelector('[data-testid="stHeader"]')
    const top = head ? head.getBoundingClientRect().bottom : 0
    const { element } = this.timeline
    const place = this.root.getBoundingClientRect()
    const end = Math.max(...this.others.map((view) => view.root.getBoundingClientRect().bottom))
    const floats = place.top < top && end > top + 3 * element.offsetHeight
    if (!floats && !this.floats) return
    const room = (this.board.getBoundingClientRect().top - place.top) / zoom // that it leaves
    if (floats !== Boolean(this.floats)) this.root.style.paddingTop = floats ? `${room}px` : ""
    this.floats = floats
    element.dataset.floats = String(floats)
    const at = { top: top / zoom, left: place.left / zoom, width: place.width / zoom }
    for (const [side, value] of Object.entries(at)) element.style[side] = floats ? `${value}px` : ""
  }

  /** @param {any[]} mine */
  async startCharts(mine) {
    const charts = mine.filter((panel) => panel instanceof ChartPanel)
    if (!charts.length) return
    try {
      const Plotly = await loadPlotly(this.data.plotly)
      this.fault.hidden = true
      for (const panel of charts) {
        if (this.gone || mine !== this.panels) return
        await panel.start(Plotly)
        this.drawSoon()
      }
    } catch (error) {
      if (this.gone || mine !== this.panels) return
      setText(this.fault, `The charts cannot be drawn: ${error.message}. Trying again…`)
      this.fault.hidden = false
      this.chartTimer = setTimeout(() => this.startCharts(mine), 3000)
    }
  }

  // ── drawing

  // What a person asks for is drawn at once. What training sends waits until the browser has rested, so that a slow one
  // (no GPU, many points) draws less often instead of taking the processor from the training it shows.
  drawSoon(urgent = false) {
    if (this.frame || this.gone) return
    const until = Math.max(this.restsUntil || 0, lastPress() + COURTESY)
    const rest = urgent ? 0 : until - performance.now()
    if (rest <= 0) this.frame = requestAnimationFrame(() => this.draw())
    else if (!this.resting)
      this.resting = setTimeout(() => {
        this.resting = undefined
        this.drawSoon()
      }, rest)
  }

  again() {
    clearTimeout(this.againTimer)
    this.againTimer = setTimeout(() => this.drawSoon(true), 120)
  }

  // What the link asks for, once everything that it moves is there.
  selectWanted() {
    if (this.wanted === null || !this.frames.length) return
    const { others } = this
    if (others.length < this.data.beside.length || !others.every((view) => view.store.cursor >= 0)) return
    const round = this.wanted
    this.wanted = null
    this.select(round)
    if (!this.data.leads) this.selected = round // also the newest: the page speaks of this very round
  }

  async draw() {
    this.selectWanted()
    if (this.drawing) {
      this.frame = null
      this.again()
      return
    }
    this.drawing = true
    this.frame = null
    const began = performance.now()
    try {
      this.settle()
      this.strip.draw(
        this.store.status,
        this.root.dataset.connection || "",
        this.connectionText || "",
        this.data.beside.length > 0,
      )
      this.verdict.draw(this.store.status, this.store.events)
      this.timeline.draw()
      if (this.isThere) this.root.dataset.begun = "true"
      for (const panel of this.panels.slice()) {
        if (this.gone) return
        const started = performance.now()
        panel.element.hidden = panel.absent
        if (panel instanceof ChartPanel && !panel.ready) panel.waiting(true, this.store.ended ? "drawing…" : "")
        else if (this.inSight(panel)) await panel.draw()
        if (performance.now() - started > FRAME) await breath()
      }
    } finally {
      this.drawing = false
      const now = performance.now()
      this.restsUntil = now + Math.min(LONGEST_REST, REST * (now - began)) * (1 + this.others.length)
    }
  }

  // Whether all that stands above the panels has its words, so that these do not move any more.
  get isThere() {
    if (this.data.leads) return this.others.length >= this.data.beside.length
    if (["retrying", "refused"].includes(this.root.dataset.connection || "")) return true
    return Boolean(this.store.status) && (this.shown !== null || !this.store.frames.length)
  }

  // The round that is looked at, and its newest part.
  get round() {
    return this.hovered ?? this.selected ?? Infinity
  }

  // One round for all panels: that of the frame that is looked at, once all its files are here. A frame whose files are on
  // their way is shown before a newer one, or a slow connection would never show any.
  settle() {
    const { frames } = this.store
    const index = atOrBefore(frames, this.round)
    if (index < 0) {
      this.shown = null
      return
    }
    const { round } = frames[index]
    const files = this.panels
      .filter((panel) => panel.needs && this.inSight(panel))
      .map((panel) => this.store.part(panel.needs, round)?.value.file)
      .filter((file) => file !== undefined && !this.contents.has(file))
    if (!files.length || performance.now() < this.patience)
      this.shown = round // each panel says which round it has
    else if (!this.fetching)
      this.fetching = Promise.allSettled(files.map((file) => this.fetchFile(file))).then((answers) => {
        this.fetching = null
        if (this.gone) return
        if (answers.some((answer) => answer.status === "rejected")) {
          this.patience = performance.now() + TRY_AGAIN
          this.fileTimer = setTimeout(() => this.drawSoon(), TRY_AGAIN)
        }
        if (atOrBefore(this.store.frames, this.round) >= atOrBefore(this.store.frames, round)) this.shown = round
        this.drawSoon(true)
      })
  }

  /** @param {string} name */
  part(name) {
    return this.shown === null ? null : this.store.part(name, this.shown)
  }

  // A pointer on a curve shows everything as it was then, until it leaves.
  /**
   * @param {number | null} round
   * @param {boolean} [alone]
   */
  hover(round, alone = false) {
    if (round === this.hovered) return
    if (!alone) for (const other of this.others) other.hover(round, true)
    this.hovered = round
    this.timeline.draw()
    this.drawSoon(true)
  }

  // The views beside this one, as far as they are there yet.
  get others() {
    return this.data.beside.map(viewOf).filter((view) => view !== null)
  }

  // What the slider goes over: of the view that leads, whatever any of them has seen.
  get frames() {
    if (!this.data.leads) return this.store.frames
    const rounds = new Map()
    for (const view of this.others) for (const frame of view.store.frames) rounds.set(frame.round, frame)
    return [...rounds.values()].sort((a, b) => a.round - b.round)
  }

  get ended() {
    return this.data.leads ? this.others.every((view) => view.store.ended) : this.store.ended
  }

  /**
   * @param {number | null} round
   * @param {boolean} [alone]
   */
  select(round, alone = false) {
    if (!alone) for (const other of this.others) other.select(round, true)
    if (!alone) this.tell({ round })
    const newest = this.timeline.newest
    const live = !this.ended && round !== null && round === newest && this.selected === null
    this.selected = live ? null : round
    this.wanted = null
    if (this.data.leads) this.noteSoon()
    this.timeline.draw()
    this.preload()
    this.drawSoon(true)
  }

  // One curve in front of all others, or null for all alike: what a presenter points at.
  /** @param {string | null} column */
  highlight(column) {
    this.highlighted = column
    this.tell({ curve: column })
    this.drawSoon(true)
  }

  // For whoever follows this page.
  /** @param {Record<string, any>} change */
  tell(change) {
    this.told = { run: this.data.run, round: this.selected, curve: this.highlighted, ...change }
    document.dispatchEvent(new CustomEvent("ganscope:look", { detail: this.told }))
  }

  // The round belongs to the address, without a rerun: not at each step of a drag, which browsers do not like.
  noteSoon() {
    clearTimeout(this.noteTimer)
    this.noteTimer = setTimeout(() => noteRound(this.selected), 200)
  }

  preload() {
    const next = this.store.frames.slice(this.timeline.index + 1, this.timeline.index + 4)
    for (const frame of next)
      for (const part of Object.values(frame.parts))
        if (part.file?.endsWith(".png")) new Image().src = this.artefact(part.file)
  }

  // As they were typed; a figure gets them through `inFigure`, or Plotly would take some of them for markup.
  /** @param {number[]} counts */
  classNames(counts) {
    const names = (this.store.reference.class_names || []).map(String)
    const bins = counts ? counts.length : names.length + 1
    while (names.length < bins - 1) names.push(String(names.length))
    return [...names.slice(0, bins - 1), this.store.reference.unsure_label || "unsure"]
  }

  marks() {
    return this.store.events
      .filter((event) => MARKED_EVENTS.includes(event.kind))
      .map(({ round, kind, data = {} }) => {
        const what = data.name ?? data.knob
        const label = data.label ?? (what !== undefined ? `${what} = ${data.value}` : (data.state ?? kind))
        const at = kind === "verdict" ? (data.onset_round ?? round) : round // a verdict is known after it began
        return { round: at, label: this.data.beside.length ? "" : shortened(String(label)) } // no room for words there
      })
  }

  /** @param {string[]} taken The colours of other curves. */
  spareColour(taken) {
    const { spare, unsure } = this.colours
    return spare.find((/** @type {string} */ colour) => !taken.includes(colour)) || unsure
  }

  /** @param {string} file */
  artefact(file) {
    return `/live/${encodeURIComponent(this.data.run)}/artefact/${encodeURIComponent(file)}?ticket=${encodeURIComponent(this.data.ticket)}`
  }

  get contents() {
    return this.files.contents
  }

  /** @param {string} file */
  fetchFile(file) {
    return this.files.fetch(file)
  }

  readPalette() {
    this.palette = paletteOf(this.root)
    return JSON.stringify(this.palette)
  }

  // ── Streamlit calls again: after a rerun with other data, or after a change of theme

  /** @param {any} data */
  update(data) {
    const before = JSON.stringify(this.palette)
    if (this.readPalette() !== before) for (const panel of this.panels) panel.theme()
    const old = this.data
    this.data = data
    this.colours = data.colours
    if (JSON.stringify(data.layout) !== this.layoutText) this.build()
    if (data.ticket !== old.ticket && this.connection) this.connection.ticket = data.ticket
    const stuck = this.connection && this.connection.state === "refused" && data.ticket !== old.ticket
    if (data.epoch !== old.epoch || stuck) {
      if (this.connection) this.connection.close()
      this.open()
    }
    this.drawSoon()
  }

  destroy() {
    this.gone = true
    stage.leave(this)
    cancelAnimationFrame(this.frame ?? 0)
    clearTimeout(this.againTimer)
    clearTimeout(this.noteTimer)
    clearTimeout(this.chartTimer)
    clearTimeout(this.fileTimer)
    clearTimeout(this.resting)
    if (this.connection) this.connection.close()
    this.timeline.destroy()
    this.sight?.disconnect()
    for (const kind of ["scroll", "resize"]) window.removeEventListener(kind, this.scrolled, true)
    for (const panel of this.panels) panel.destroy()
    this.root.remove()
  }
}

/**
 * @param {LiveView} view
 * @param {import("../mounting.js").Component} component
 */
function asking(view, component) {
  view.ask = component.setTriggerValue
  return view
}

export default mounting(
  (component) => asking(new LiveView(component.parentElement, component.data), component),
  (view, component) => asking(view, component).update(component.data),
  (view, component) => view.data.run === component.data.run,
)
