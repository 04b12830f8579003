// @ts-check
// What came from the server, put together. Knows nothing of the page.

import { ENDED, MARKED_EVENTS } from "../declared.js"
import { atOrBefore } from "./rounds.js"
import { shortened } from "./said.js"

/**
 * What the server sends: all that is known, or what came since the last message.
 * @typedef {object} Message
 * @property {boolean} full
 * @property {number} cursor
 * @property {Status} [status]
 * @property {Record<string, Record<string, Column>>} [tracks]
 * @property {Frame[]} [frames]
 * @property {Happening[]} [events]
 * @property {Reference} [reference]
 */
/**
 * What does not change during a run: its classes and how real data are shared among them, what real data read of each measure, the
 * lines by which a loss is read.
 * @typedef {{ class_names?: string[], real_share?: number[], band_low?: number[], band_high?: number[],
 *   lines?: Record<string, [number, string][]>, floors?: Record<string, number>, sizes?: Record<string, number>,
 *   beside?: Record<string, Record<string, number>>, lacking?: Record<string, string>,
 *   points?: [number, number][], centers?: [number, number?][], extent?: [number, number, number, number], units?: [number, number],
 *   axes?: [string, string], xs?: number[], real_density?: number[], histogram_n?: number, reading?: string,
 *   curves?: { scores?: string[] }, score_line?: number | null, unsure_label?: string,
 *   classifier?: { accuracy?: number, n_heldout: number } } & Record<string, any>} Reference
 */
/** @typedef {{ state: string, round?: number, rounds?: number } & Record<string, any>} Status */
/** @typedef {{ x: number[], y: (number | null)[] }} Column Values at rounds. */
/** @typedef {{ round: number, parts: Record<string, any> }} Frame What was seen at one round. */
/** @typedef {{ id?: number, round: number, kind: string, data?: Record<string, any> }} Happening */

export class Store {
  constructor() {
    this.cursor = -1
    this.generation = 0 // grows with each snapshot: what was drawn before it is void
    /** @type {Status | null} */
    this.status = null
    /** @type {Reference} */
    this.reference = {}
    /** @type {Record<string, Record<string, Column>>} */
    this.tracks = {}
    /** @type {Frame[]} */
    this.frames = []
    /** @type {Happening[]} */
    this.events = []
    /** @type {Set<number>} */
    this.eventIds = new Set()
  }

  clear() {
    this.tracks = {}
    this.frames = []
    this.events = []
    this.eventIds = new Set()
  }

  // "gap" if something was missed, "old" if it is known already, else "new".
  /** @param {Message} message */
  apply(message) {
    if (!message.full) {
      if (message.cursor <= this.cursor) return "old"
      if (message.cursor !== this.cursor + 1) return "gap"
    } else {
      this.clear()
      this.generation += 1
      this.reference = {}
    }
    if (message.reference) {
      // What a run is compared with becomes known bit by bit; what was drawn with less is drawn again.
      this.reference = { ...this.reference, ...message.reference }
      this.generation += 1
    }
    this.cursor = message.cursor
    if (message.status) this.status = message.status
    for (const [track, columns] of Object.entries(message.tracks || {})) {
      this.tracks[track] ??= {}
      const known = this.tracks[track]
      for (const [name, { x, y }] of Object.entries(columns)) {
        known[name] ??= { x: [], y: [] }
        const column = known[name]
        for (let i = 0; i < x.length; i++) {
          column.x.push(x[i])
          column.y.push(y[i])
        }
      }
    }
    for (const frame of message.frames || []) this.addFrame(frame)
    for (const event of message.events || []) {
      if (event.id !== undefined && this.eventIds.has(event.id)) continue
      if (event.id !== undefined) this.eventIds.add(event.id)
      this.events.push(event)
    }
    return "new"
  }

  /** @param {Frame} frame */
  addFrame(frame) {
    const index = atOrBefore(this.frames, frame.round)
    const found = this.frames[index]
    if (found && found.round === frame.round) found.parts = { ...found.parts, ...frame.parts }
    else this.frames.splice(index + 1, 0, { round: frame.round, parts: { ...frame.parts } })
  }

  /**
   * @param {string} track
   * @param {string} name
   * @returns {Column | undefined}
   */
  column(track, name) {
    return this.tracks[track]?.[name]
  }

  // The newest frame at or before a round that holds the part.
  /**
   * @param {string} name
   * @param {number} round
   * @returns {{ round: number, value: any } | null}
   */
  part(name, round) {
    for (let i = atOrBefore(this.frames, round); i >= 0; i--) {
      if (this.frames[i].parts[name]) return { round: this.frames[i].round, value: this.frames[i].parts[name] }
    }
    return null
  }

  get longest() {
    let most = 0
    for (const columns of Object.values(this.tracks))
      for (const { x } of Object.values(columns)) most = Math.max(most, x.length)
    return most
  }

  get ended() {
    return this.status !== null && ENDED.includes(this.status.state)
  }

  // As they were typed; a figure gets them through `inFigure`, or Plotly would take some of them for markup.
  /** @param {number[]} [counts] Of each class, and of samples that are of none. */
  classNames(counts) {
    const names = (this.reference.class_names || []).map(String)
    const bins = counts ? counts.length : names.length + 1
    while (names.length < bins - 1) names.push(String(names.length))
    return [...names.slice(0, bins - 1), this.reference.unsure_label || "unsure"]
  }

  // What happened, where curves have a line for it.
  marks() {
    return this.events
      .filter((event) => MARKED_EVENTS.includes(event.kind))
      .map(({ round, kind, data = {} }) => {
        const what = data.name ?? data.knob
        const label = data.label ?? (what !== undefined ? `${what} = ${data.value}` : (data.state ?? kind))
        const at = kind === "verdict" ? (data.onset_round ?? round) : round // a verdict is known after it began
        return { round: at, label: shortened(String(label)) }
      })
  }

  // A value that belongs to a round: the newest at or before it.
  /**
   * @param {string} track
   * @param {string} name
   * @param {number} round
   */
  valueAt(track, name, round) {
    const column = this.column(track, name)
    if (!column) return null
    for (let i = column.x.length - 1; i >= 0; i--) if (column.x[i] <= round) return column.y[i]
    return null
  }

  /** @param {string} column */
  label(column) {
    const labels = this.reference.labels || {}
    return labels[column] || column.replace(".", " ").replaceAll("_", " ")
  }
}
