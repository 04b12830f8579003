// @ts-check
// What came from the server, put together. Knows nothing of the page.

import { ENDED } from "../declared.js"
import { atOrBefore } from "./rounds.js"

/**
 * What the server sends: all that is known, or what came since the last message.
 * @typedef {object} Message
 * @property {boolean} full
 * @property {number} cursor
 * @property {Status} [status]
 * @property {Record<string, Record<string, Column>>} [tracks]
 * @property {Frame[]} [frames]
 * @property {Happening[]} [events]
 * @property {Record<string, any>} [reference]
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
    /** @type {Record<string, any>} */
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
