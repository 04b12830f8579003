// @ts-check
// Cards of the latest runs. Asks every two seconds while the page is visible; one request for all cards.

import { BEGINNINGS, ENDED } from "./declared.js"
import { el, setText } from "./live/elements.js"
import { integer } from "./live/said.js"
import { mounting } from "./mounting.js"

const EVERY = 2000

// An element of a class, with a text.
/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [name]
 * @param {string} [text]
 */
function part(tag, name = "", text = "") {
  return el(tag, name ? { class: name } : {}, text)
}

class Card {
  /**
   * @param {any} run
   * @param {any} board
   */
  constructor(run, board) {
    this.element = part("a", "gc-card")
    this.element.target = "_self"
    this.element.dataset.testid = "run-card"
    this.element.dataset.run = run.id
    this.element.href = `${run.comparison ? "compare?comparison" : `${board.data.href}?run`}=${encodeURIComponent(run.id)}`
    this.picture = part("span", "gc-picture")
    this.image = part("img")
    this.image.alt = ""
    this.image.hidden = true
    this.none = part("span", "gc-none", "no samples yet")
    this.picture.append(this.image, this.none)
    this.name = part("span", "gc-name")
    this.chip = part("span", "gc-chip")
    this.rounds = part("span", "gc-rounds")
    this.fill = part("span", "gc-fill")
    const bar = part("span", "gc-progress")
    bar.append(this.fill)
    this.verdict = part("span", "gc-verdict")
    const line = part("span", "gc-line")
    line.append(this.chip, this.rounds, this.verdict)
    const text = part("span", "gc-text")
    text.append(this.name, line, bar)
    this.element.append(this.picture, text)
  }

  /**
   * @param {any} run
   * @param {any} board
   */
  draw(run, board) {
    const share = run.share || 0
    setText(this.name, run.name || run.preset || run.id)
    setText(this.chip, run.state)
    this.chip.dataset.state = run.state
    let rounds = run.rounds
      ? `${integer(run.round || 0)} of ${integer(run.rounds)}`
      : run.round
        ? `round ${integer(run.round || 0)}`
        : ""
    if (run.comparison) rounds = `${integer(run.runs)} runs compared`
    else if (run.state === "queued") rounds = run.place ? `number ${run.place} in line` : ""
    setText(this.rounds, rounds)
    const verdict = run.verdict || {}
    setText(this.verdict, BEGINNINGS.includes(verdict.state) ? "" : verdict.title || "")
    this.verdict.dataset.tone = verdict.alarming ? "alarm" : verdict.tone || ""
    this.element.title = run.message || verdict.sentence || ""
    setText(this.none, [run.data, run.objective].filter(Boolean).join(" · ") || "no samples yet")
    this.fill.style.transform = `scaleX(${share})`
    this.element.dataset.state = run.state
    this.element.setAttribute(
      "aria-label",
      `${this.name.textContent}, ${run.state}, ${Math.round(100 * share)} percent`,
    )
    if (run.thumb && run.thumb !== this.thumb) {
      this.thumb = run.thumb
      const next = new Image()
      next.src = `/live/${encodeURIComponent(run.thumb_of || run.id)}/artefact/${encodeURIComponent(run.thumb)}?ticket=${encodeURIComponent(board.data.ticket)}`
      next.decode().then(
        () => {
          this.image.src = next.src
          this.image.classList.toggle("gc-sketch", run.thumb.startsWith("thumb-"))
          this.image.hidden = false
          this.none.hidden = true
        },
        () => (this.thumb = null),
      )
    }
  }
}

class Board {
  /**
   * @param {HTMLElement} parent
   * @param {any} data
   */
  constructor(parent, data) {
    /** @type {(trigger: string, value: unknown) => void} */
    this.renew = () => {} // of Streamlit
    this.data = data
    this.cards = new Map()
    this.root = part("div", "gc-root")
    this.root.dataset.testid = "run-cards"
    this.board = part("div", "gc-board")
    this.message = part("p", "gc-message", "")
    this.message.setAttribute("role", "status")
    this.root.append(this.message, this.board)
    parent.append(this.root)
    this.onVisibility = () => {
      if (document.hidden) this.stop()
      else this.ask()
    }
    document.addEventListener("visibilitychange", this.onVisibility)
    this.ask()
  }

  async ask() {
    this.stop()
    if (this.gone) return
    const controller = new AbortController()
    this.request = controller
    let pause = EVERY
    try {
      const { ticket, limit } = this.data
      const answer = await fetch(`/live/recent?limit=${limit}&ticket=${encodeURIComponent(ticket)}`, {
        signal: controller.signal,
        cache: "no-store",
      })
      const body = await answer.json().catch(() => ({}))
      if (controller.signal.aborted) return
      if (answer.ok) {
        this.draw(body.runs || [])
        // Where nothing trains, a look now and then is enough.
        if (
          (body.runs || []).every((/** @type {{ state: string }} */ run) => [...ENDED, "damaged"].includes(run.state))
        )
          pause = 2 * EVERY
      } else if (answer.status === 403 && this.stale !== ticket) {
        this.stale = ticket // a computer that slept through its life: the page runs again, and brings another
        this.renew("stale", true)
      } else this.say(body.error || "The list of runs could not be read.")
    } catch (_error) {
      if (controller.signal.aborted) return
      this.say("connection lost, retrying…")
      pause = 2 * EVERY
    }
    this.timer = setTimeout(() => this.ask(), pause)
  }

  /** @param {string} text */
  say(text) {
    if (this.message.textContent !== text) this.message.textContent = text
    this.message.hidden = !text
  }

  /** @param {any[]} runs */
  draw(runs) {
    this.say(runs.length ? "" : this.data.empty)
    const ids = runs.map((run) => run.id)
    for (const [id, card] of this.cards) {
      if (!ids.includes(id)) {
        card.element.remove()
        this.cards.delete(id)
      }
    }
    runs.forEach((run, i) => {
      if (!this.cards.has(run.id)) this.cards.set(run.id, new Card(run, this))
      const card = this.cards.get(run.id)
      card.draw(run, this)
      if (this.board.children[i] !== card.element) this.board.insertBefore(card.element, this.board.children[i] || null)
    })
  }

  stop() {
    clearTimeout(this.timer)
    if (this.request) this.request.abort()
    this.request = null
  }

  destroy() {
    this.gone = true
    document.removeEventListener("visibilitychange", this.onVisibility)
    this.stop()
    this.root.remove()
  }
}

/**
 * @param {Board} board
 * @param {import("./mounting.js").Component} component
 */
function renewing(board, component) {
  board.renew = component.setTriggerValue
  return board
}

export default mounting(
  (component) => renewing(new Board(component.parentElement, component.data), component),
  (board, component) => {
    const changed = JSON.stringify(board.data) !== JSON.stringify(component.data)
    renewing(board, component).data = component.data
    if (changed) board.ask()
  },
)
