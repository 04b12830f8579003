// @ts-check
// The wire: a WebSocket, again and again with pauses, or polling where WebSockets do not get through.

export const HIDDEN_AFTER = 20000 // ms that a hidden tab keeps its socket
export const BACKOFF = [500, 5000] // ms, first and longest pause between two attempts
const POLL_EVERY = 1000 // ms, when WebSockets do not get through
const ASK_AGAIN = 5000 // ms, between two looks whether a run that has ended goes on

/**
 * What is told, and what is asked, while it is open.
 * @typedef {object} Handlers
 * @property {(message: import("./store.js").Message) => void} message
 * @property {(name: string, text: string) => void} state
 * @property {() => number} cursor The last one that came.
 * @property {() => boolean} ended Whether the run has ended.
 * @property {() => void} stale The ticket is no longer taken.
 */

export class Connection {
  /**
   * @param {string} run
   * @param {string} ticket
   * @param {Handlers} handlers
   */
  constructor(run, ticket, handlers) {
    this.run = run
    this.ticket = ticket
    this.handlers = handlers
    /** @type {WebSocket | null} */
    this.socket = null
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.hiddenTimer = undefined
    /** @type {AbortController | null} */
    this.request = null
    this.state = ""
    this.failures = 0
    this.everOpened = false
    this.closed = false
    this.onVisibility = () => this.visibility()
    document.addEventListener("visibilitychange", this.onVisibility)
    this.connect()
  }

  /** @param {string} path */
  url(path) {
    return `/live/${encodeURIComponent(this.run)}${path}${path.includes("?") ? "&" : "?"}ticket=${encodeURIComponent(this.ticket)}`
  }

  /**
   * @param {string} state
   * @param {string} [text]
   */
  say(state, text = "") {
    this.state = state
    this.handlers.state(state, text)
  }

  connect() {
    this.stop()
    if (this.closed) return
    if (this.state !== "retrying") this.say("connecting")
    let opened = false
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this.url("")}`)
    socket.binaryType = "arraybuffer"
    this.socket = socket
    socket.onopen = () => {
      opened = true
      this.everOpened = true
    }
    socket.onmessage = (event) => {
      if (socket !== this.socket) return
      this.failures = 0
      if (this.state !== "live") this.say("live")
      const text = typeof event.data === "string" ? event.data : new TextDecoder().decode(event.data)
      this.handlers.message(JSON.parse(text))
    }
    socket.onclose = (event) => {
      if (socket !== this.socket) return
      this.socket = null
      if (this.closed) return
      if (event.code === 1000) {
        this.rest()
        return
      }
      this.failures += 1
      if (!opened)
        this.poll() // learn why, and go on without a socket if it is the socket that does not get through
      else this.retry()
    }
  }

  retry() {
    this.say("retrying", "connection lost, retrying…")
    const pause = Math.min(BACKOFF[1], BACKOFF[0] * 2 ** Math.max(0, this.failures - 1)) * (0.8 + 0.4 * Math.random())
    this.timer = setTimeout(() => this.connect(), pause)
  }

  // A run that has ended may go on: whoever watches sees that somebody continues it.
  rest() {
    this.say("done")
    this.timer = setTimeout(() => (document.hidden ? this.rest() : this.poll()), ASK_AGAIN)
  }

  async poll() {
    const controller = new AbortController()
    this.request = controller
    /** @type {Response | null} */
    let answer = null
    try {
      answer = await fetch(this.url(`/state?since=${this.handlers.cursor()}`), {
        signal: controller.signal,
        cache: "no-store",
      })
      if (answer.status === 200) this.handlers.message(await answer.json())
    } catch (_error) {
      answer = null
    }
    if (this.closed || this.request !== controller) return
    this.request = null
    if (answer && (answer.status === 403 || answer.status === 404)) {
      const body = await answer.json().catch(() => ({}))
      this.say("refused", body.error || "this page may not watch the run")
      if (answer.status === 403) this.handlers.stale()
      return
    }
    if (!answer || (answer.status !== 200 && answer.status !== 204)) {
      this.failures += 1
      this.retry()
      return
    }
    if (this.handlers.ended()) {
      this.rest()
      return
    }
    if (this.failures < 2) {
      this.timer = setTimeout(() => this.connect(), BACKOFF[0])
      return
    }
    if (this.state !== "polling") this.say("polling")
    this.timer = setTimeout(() => this.poll(), POLL_EVERY)
  }

  ask() {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send("snapshot")
  }

  // A hidden tab lets its socket go after a while, and starts again from a snapshot.
  visibility() {
    clearTimeout(this.hiddenTimer)
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => {
        if (this.state === "refused" || this.state === "done") return
        this.stop()
        this.say("asleep")
      }, HIDDEN_AFTER)
    } else if (this.state === "asleep" || this.state === "retrying") {
      this.failures = 0
      this.connect()
    }
  }

  stop() {
    clearTimeout(this.timer)
    if (this.request) this.request.abort()
    this.request = null
    const socket = this.socket
    this.socket = null
    if (socket) socket.close()
  }

  close() {
    this.closed = true
    clearTimeout(this.hiddenTimer)
    document.removeEventListener("visibilitychange", this.onVisibility)
    this.stop()
  }
}
