// @ts-check
// The live view of one run: one WebSocket, one store of what came, and panels that draw from the store.
//
//   Connection ── bytes ──► Store ──► draw() ──► panels          (draw runs at most once per animation frame)
//
// A panel keeps a note of what it has drawn and catches up from the store; so a tab that was hidden, a chart that was being
// dragged or a message that was missed need no code of their own. Zoom and hidden curves belong to Plotly and are never touched.

import { LEAD } from "../declared.js"
import { mounting } from "../mounting.js"
import { noteRound, roundInAddress } from "./address.js"
import { Connection } from "./connection.js"
import { el, setText } from "./elements.js"
import { Files } from "./files.js"
import { Floating } from "./floating.js"
import { PANELS } from "./kinds.js"
import { paletteOf } from "./palette.js"
import { ChartPanel } from "./panels.js"
import { loadPlotly } from "./plotly.js"
import { lastPress } from "./pressed.js"
import { publish, viewOf } from "./registry.js"
import { atOrBefore } from "./rounds.js"
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

/**
 * What Python says of a view: `layout` are its panels, `beside` the runs of the views beside it, `leads` whether its slider moves
 * theirs, `at` the round that its link asks for.
 * @typedef {{ run: string, name?: string, colour?: string, ticket: string, plotly: string, epoch: number, leads: boolean,
 *   beside: string[], fits: number, at?: number | null, gap?: any, cures?: Record<string, string>, layout: import("./panels.js").Spec[],
 *   colours: Record<string, any> }} ViewData
 */

export class LiveView {
  /**
   * @param {HTMLElement} parent
   * @param {ViewData} data
   */
  constructor(parent, data) {
    /** @type {(trigger: string, value: unknown) => void} */
    this.ask = () => {} // of Streamlit
    /** @type {number | null} */
    this.frame = null // in which it is drawn
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined
    this.stale = "" // the ticket that was too old last
    /** @type {Set<Element>} */
    this.outOfSight = new Set()
    this.longestAtSnapshot = 0
    this.data = data
    this.colours = data.colours
    this.store = new Store()
    /** @type {number | null} */
    this.selected = null // a round, or null: follow the newest
    /** @type {string | null} */
    this.highlighted = null // a curve, or null: all alike
    /** @type {number | null} */
    this.hovered = null // a round under the pointer, as long as it is there
    /** @type {number | null} */
    this.wanted = data.leads ? roundInAddress() : (data.at ?? null) // by the link or the page, until all views have their frames
    /** @type {import("./panels.js").AnyPanel[]} */
    this.panels = []
    this.files = new Files((file) => this.artefact(file))
    /** @type {number | null} */
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
    const floating = new Floating(this)
    this.scrolled = () => floating.place()
    if (data.leads) for (const kind of ["scroll", "resize"]) window.addEventListener(kind, this.scrolled, true)
    this.palette = paletteOf(this.root)
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

  /** @param {import("./store.js").Message} message */
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
      const Kind = PANELS[/** @type {keyof typeof PANELS} */ (spec.kind)]
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

  /** @param {import("./panels.js").AnyPanel} panel */
  inSight(panel) {
    return !this.outOfSight.has(panel.element)
  }

  /** @param {import("./panels.js").AnyPanel[]} mine */
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
      .filter((panel) => this.inSight(panel))
      .map(({ needs }) => needs && this.store.part(needs, round)?.value.file)
      .filter((file) => file && !this.contents.has(file))
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
  /** @returns {LiveView[]} */
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

  marks() {
    const bare = this.data.beside.length > 0 // no room for words there
    return this.store.marks().map((mark) => (bare ? { ...mark, label: "" } : mark))
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

  /** @param {ViewData} data */
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
