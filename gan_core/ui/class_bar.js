// @ts-check
// The class's strip at the foot of every page: who is watching, following the presenter, polls, notes. One socket, no polling.

import { NOTE_LENGTH } from "./declared.js"
import { BACKOFF, HIDDEN_AFTER } from "./live/connection.js"
import { el } from "./live/elements.js"
import { viewOf } from "./live/registry.js"
import { mounting } from "./mounting.js"

const LOOK_EVERY = 400 // ms between two looks at where the presenter is
const LOOK_REST = 100 // ms after a look is told, however quickly a slider moves: the server hears 20 messages a second of one

const plural = (/** @type {number} */ count, /** @type {string} */ word) => `${count} ${word}${count === 1 ? "" : "s"}`

/** @type {string | null} */
let gone = null // the last place of the presenter that this page went to: a page that changes its own address is not pulled back

/** @typedef {{ number: number, question: string, options: string[], counts: number[] | null } & Record<string, any>} Poll `counts` once it is revealed. */

class ClassBar {
  /**
   * @param {HTMLElement} parent
   * @param {any} data
   */
  constructor(parent, data) {
    this.data = data
    /** @type {(path: string) => void} */
    this.navigate = () => {}
    /** @type {any} The field of a watcher's note. */
    this.text = null
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.reporting = null
    /** @type {any} What the server told last. */
    this.state = null
    this.failures = 0
    this.follows = sessionStorage.getItem("ganscope.follow") !== "no"
    this.answered = JSON.parse(sessionStorage.getItem("ganscope.answered") || "{}")
    this.count = el("span", { class: "gr-count", role: "status", "data-testid": "viewers" }, "…")
    this.follow = el("button", { type: "button", class: "gr-button", "data-testid": "follow" })
    this.follow.onclick = () => this.toggle()
    this.notes = el("button", {
      type: "button",
      class: "gr-button",
      "data-testid": "class-notes",
      "aria-expanded": "false",
    })
    this.notes.onclick = () => this.open(this.panel.hidden)
    this.panel = el("div", {
      class: "gr-panel",
      role: "dialog",
      "aria-label": this.teacher ? "Notes of the class" : "Note to the teacher",
      hidden: true,
    })
    this.poll = el("section", {
      class: "gr-poll",
      "aria-label": "question to the class",
      "data-testid": "poll",
      hidden: true,
    })
    this.said = el("span", { class: "gr-said", role: "alert" })
    this.line = el("div", { class: "gr-line" }, this.count, this.follow, this.notes, this.said)
    this.root = el(
      "aside",
      { class: "gr-root", "aria-label": "class", "data-role": data.role },
      this.poll,
      this.panel,
      this.line,
    )
    this.root.style.setProperty("--gr-answer", data.colours.answer)
    this.root.style.setProperty("--gr-right", data.colours.right)
    parent.append(this.root)
    if (this.teacher) this.notes.textContent = "Notes"
    else this.writeForm()
    /** @type {string | null} */
    this.reported = null
    this.notesDrawn = ""
    /** @type {string | null} */
    this.pollDrawn = null
    this.onVisibility = () => this.visibility()
    this.onLook = (/** @type {Event} */ event) => {
      this.looked = /** @type {CustomEvent} */ (event).detail
      this.reportSoon()
    }
    this.onMounted = () => this.state && !this.teacher && this.go()
    this.onKey = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && this.fill(false)
    document.addEventListener("keydown", this.onKey)
    document.addEventListener("visibilitychange", this.onVisibility)
    document.addEventListener("ganscope:look", this.onLook)
    document.addEventListener("ganscope:mounted", this.onMounted)
    if (this.teacher) this.looking = setInterval(() => this.report(), LOOK_EVERY)
    this.connect()
    this.draw()
  }

  get teacher() {
    return this.data.role === "teacher"
  }

  // ── the wire

  connect() {
    clearTimeout(this.timer)
    const protocols = ["ganscope", ...(this.data.voucher ? [this.data.voucher] : [])]
    const socket = new WebSocket(
      `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/class/live`,
      protocols,
    )
    socket.binaryType = "arraybuffer"
    this.socket = socket
    this.reported = null
    socket.onmessage = (event) => {
      this.failures = 0
      const text = typeof event.data === "string" ? event.data : new TextDecoder().decode(event.data)
      const told = JSON.parse(text)
      if (told.error) {
        this.say(told.error)
        this.reported = null // what was told may not have been heard: the next look tells it again
      } else this.take(told)
    }
    socket.onclose = () => {
      if (socket !== this.socket) return
      this.failures += 1
      const pause = Math.min(BACKOFF[1], BACKOFF[0] * 2 ** (this.failures - 1)) * (0.8 + 0.4 * Math.random())
      this.timer = setTimeout(() => this.connect(), pause)
      this.root.dataset.connection = "lost"
    }
  }

  /** @param {any} message */
  send(message) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
    else this.say("Not connected; trying again…")
  }

  visibility() {
    clearTimeout(this.hiddenTimer)
    if (document.hidden) this.hiddenTimer = setTimeout(() => this.rest(), HIDDEN_AFTER)
    else if (!this.socket) this.connect()
  }

  rest() {
    clearTimeout(this.timer)
    const socket = this.socket
    this.socket = null
    if (socket) socket.close()
  }

  /** @param {any} state */
  take(state) {
    this.root.dataset.connection = "live"
    this.state = state
    this.draw()
    if (!this.teacher) this.go()
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text
    clearTimeout(this.saying)
    this.saying = setTimeout(() => (this.said.textContent = ""), 5000)
  }

  // ── following

  here() {
    return location.pathname + location.search
  }

  report() {
    if (!this.teacher || document.hidden || !this.socket || this.socket.readyState !== WebSocket.OPEN) return
    const at = { path: this.here() }
    const look = this.looked
    if (look && at.path.includes(look.run)) Object.assign(at, look)
    const text = JSON.stringify(at)
    if (text === this.reported) return
    this.reported = text
    this.send({ do: "look", at })
  }

  // At once, and once more after the rest: the last place is never left out.
  reportSoon() {
    if (this.reporting) return
    this.report()
    this.reporting = setTimeout(() => {
      this.reporting = null
      this.report()
    }, LOOK_REST)
  }

  go() {
    const { position = {}, leading } = this.state
    if (!this.follows || !leading || !position.path) return
    if (position.path !== gone) {
      gone = position.path
      if (position.path !== this.here()) this.navigate(position.path)
    }
    const view = position.run ? viewOf(position.run) : null
    if (!view) return // once it is there, it has this called again
    if (view.selected !== position.round) view.select(position.round)
    if (view.highlighted !== position.curve) view.highlight(position.curve)
  }

  toggle() {
    if (this.teacher) {
      this.send({ do: "lead", on: !this.state.leading })
      return
    }
    this.follows = !this.follows
    sessionStorage.setItem("ganscope.follow", this.follows ? "yes" : "no")
    gone = null
    this.draw()
    if (this.state) this.go()
  }

  // ── drawing

  draw() {
    const { state } = this
    this.count.textContent = state ? `${state.viewers} watching` : "connecting…"
    const on = this.teacher ? Boolean(state?.leading) : this.follows
    this.follow.textContent = this.teacher ? "Others follow me" : "Follow the presenter"
    this.follow.setAttribute("aria-pressed", String(on))
    this.follow.disabled = !state
    if (!state) return
    if (this.teacher) this.drawNotes(state.notes)
    this.drawPoll(state.poll)
  }

  /** @param {any} on */
  open(on) {
    this.panel.hidden = !on
    this.notes.setAttribute("aria-expanded", String(on))
    if (on && this.text) this.text.focus()
  }

  writeForm() {
    this.notes.textContent = "Note to the teacher"
    this.text = el("textarea", {
      class: "gr-text",
      rows: 3,
      maxlength: NOTE_LENGTH,
      "aria-label": "note to the teacher",
    })
    const send = el("button", { type: "button", class: "gr-button gr-main" }, "Send")
    send.onclick = () => {
      if (!this.text.value.trim()) return
      this.send({ do: "note", text: this.text.value })
      this.text.value = ""
      this.open(false)
    }
    this.panel.append(this.text, send)
  }

  /** @param {{ number: number, text: string }[]} notes */
  drawNotes(notes) {
    this.notes.textContent = notes.length ? `Notes (${notes.length})` : "Notes"
    const key = notes.map((note) => note.number).join()
    if (key === this.notesDrawn) return
    this.notesDrawn = key
    const rows = notes.map((note) => {
      const done = el("button", { type: "button", class: "gr-button", "aria-label": "done with this note" }, "✓")
      done.onclick = () => this.send({ do: "drop", note: note.number })
      return el("li", {}, el("span", {}, note.text), done)
    })
    this.panel.replaceChildren(rows.length ? el("ul", { class: "gr-notes" }, ...rows) : el("p", {}, "No notes."))
  }

  /**
   * The question alone on the screen, to be read from the last row; for this page only.
   * @param {boolean} on
   */
  fill(on) {
    this.full = on
    this.pollDrawn = null
    if (this.state) this.drawPoll(this.state.poll)
  }

  /** @param {Poll | null} poll */
  drawPoll(poll) {
    this.poll.hidden = !poll
    this.full = this.full && Boolean(poll)
    this.poll.classList.toggle("gr-full", Boolean(this.full))
    const key = JSON.stringify([poll, poll && this.answered[poll.number]])
    if (!poll || key === this.pollDrawn) return
    this.pollDrawn = key
    const { counts } = poll
    const revealed = counts !== null
    const most = Math.max(1, ...(counts || []))
    const mine = this.answered[poll.number]?.[poll.question]
    const options = poll.options.map((/** @type {string} */ option, /** @type {number} */ index) => {
      if (!revealed && !this.teacher) {
        const choose = el(
          "button",
          { type: "button", class: "gr-button", "aria-pressed": String(mine === index) },
          option,
        )
        choose.onclick = () => this.answer(poll, index)
        return choose
      }
      const count = counts ? counts[index] : 0
      const right = poll.truth === index
      const bar = el("i", { class: "gr-bar", style: `height: ${revealed ? (100 * count) / most : 0}%` })
      const won = poll.nearest.includes(index)
      const what = (right ? ", which is what happened" : "") + (won ? ", the nearest" : "")
      const name = `${option}: ${revealed ? plural(count, "answer") : "hidden"}${what}`
      return el(
        "span",
        { class: "gr-column", role: "img", "aria-label": name, "data-right": right, "data-near": won },
        el("span", { class: "gr-number" }, revealed && count ? String(count) : ""),
        el("span", { class: "gr-stem" }, bar),
        el("span", { class: "gr-option" }, right ? `✓ ${option}` : option),
      )
    })
    const buttons = []
    if (this.teacher) {
      if (!revealed) buttons.push(this.does("Reveal", { do: "reveal" }))
      buttons.push(this.does("End", { do: "end" }))
    }
    buttons.push(this.filler())
    this.poll.replaceChildren(
      el(
        "p",
        { class: "gr-question" },
        poll.question,
        el("span", { class: "gr-answers" }, plural(poll.answers, "answer")),
        ...buttons,
      ),
      el("div", { class: revealed || this.teacher ? "gr-chart" : "gr-options" }, ...options),
    )
  }

  filler() {
    const label = this.full ? "Smaller" : "Full screen"
    const button = el(
      "button",
      {
        type: "button",
        class: "gr-button",
        title: `${label} [Q]`,
        "data-testid": "poll-full",
        "aria-pressed": String(Boolean(this.full)),
      },
      label,
    )
    button.onclick = () => this.fill(!this.full)
    return button
  }

  /**
   * @param {string} label
   * @param {any} message
   */
  does(label, message) {
    const button = el("button", { type: "button", class: "gr-button" }, label)
    button.onclick = () => this.send(message)
    return button
  }

  /**
   * @param {any} poll
   * @param {number} index
   */
  answer(poll, index) {
    this.send({ do: "answer", poll: poll.number, option: index })
    this.answered = { [poll.number]: { [poll.question]: index } }
    sessionStorage.setItem("ganscope.answered", JSON.stringify(this.answered))
    this.draw()
  }

  destroy() {
    clearInterval(this.looking)
    clearTimeout(this.reporting ?? undefined)
    clearTimeout(this.hiddenTimer)
    document.removeEventListener("visibilitychange", this.onVisibility)
    document.removeEventListener("ganscope:look", this.onLook)
    document.removeEventListener("ganscope:mounted", this.onMounted)
    document.removeEventListener("keydown", this.onKey)
    this.rest()
    this.root.remove()
  }
}

/**
 * @param {ClassBar} bar
 * @param {import("./mounting.js").Component} component
 */
function navigating(bar, component) {
  bar.navigate = (path) => component.setTriggerValue("go", path)
  return bar
}

export default mounting(
  (component) => navigating(new ClassBar(component.parentElement, component.data), component),
  navigating,
  (bar, { data }) => bar.data.role === data.role && bar.data.voucher === data.voucher,
)
