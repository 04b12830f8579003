// @ts-check
// The latent page in the browser: a grid of samples, ways of walking from them, and one WebSocket that answers recipes.
//
// The modules of this folder: link (the wire and the address), pieces (pictures and controls), places (way, arithmetic,
// directions), data (map, encode, neighbours), walk (the whole). The draw page imports link and pieces too.

const PAUSE = 60 // ms between two questions of one lane: a slider asks no more often
const SLOW = ["about", "count", "effect", "map", "invert", "figures", "line"]

// Questions by slot: a newer one of a slot replaces one that was not yet sent, and one of each lane is on its way at a time.
export class Link {
  /** @param {(sentence: string) => void} say */
  constructor(say) {
    this.say = say // (sentence) -> nothing; "" when all is well
    /** @type {Record<string, { waiting: Map<string, any>, sent: any, resting: ReturnType<typeof setTimeout> | null }>} */
    this.lanes = {
      quick: { waiting: new Map(), sent: null, resting: null },
      slow: { waiting: new Map(), sent: null, resting: null },
    }
    this.url = ""
    this.number = 0
    this.run = ""
    this.ticket = ""
    this.failures = 0
    this.closed = false
  }

  /**
   * @param {string} run
   * @param {string} ticket
   */
  open(run, ticket) {
    const url = `/ask/${encodeURIComponent(run)}?ticket=${encodeURIComponent(ticket)}`
    if (url === this.url) return
    this.url = url
    this.run = run
    this.ticket = ticket
    this.drop()
    for (const lane of Object.values(this.lanes)) lane.waiting.clear()
    this.connect()
  }

  drop() {
    clearTimeout(this.timer)
    const socket = this.socket
    this.socket = null
    if (socket) socket.close()
    for (const lane of Object.values(this.lanes)) {
      if (lane.sent && !lane.waiting.has(lane.sent.slot)) lane.waiting.set(lane.sent.slot, lane.sent)
      lane.sent = null
    }
  }

  connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this.url}`)
    this.socket = socket
    socket.onopen = () => {
      this.failures = 0
      this.say("")
      this.pump()
    }
    socket.onmessage = ({ data }) => {
      if (socket === this.socket) this.hear(data)
    }
    socket.onclose = () => {
      if (socket !== this.socket || this.closed) return
      this.drop()
      this.failures++
      if (this.failures > 1) this.say("The server cannot be reached; trying again…")
      this.timer = setTimeout(() => this.connect(), Math.min(5000, 500 * this.failures))
    }
  }

  close() {
    this.closed = true
    this.drop()
  }

  // A recipe may have a function as ``now``, which adds what is known when it is sent.
  /**
   * @param {string} slot
   * @param {any} recipe
   * @param {(answer: any) => void} then
   */
  ask(slot, recipe, then) {
    const lane = this.lanes[SLOW.includes(recipe.do) ? "slow" : "quick"]
    lane.waiting.delete(slot)
    lane.waiting.set(slot, { slot, recipe, then, asked: performance.now() })
    this.pump()
  }

  pump() {
    if (this.socket?.readyState !== 1) return
    for (const lane of Object.values(this.lanes)) {
      if (lane.sent || lane.resting || !lane.waiting.size) continue
      const [slot, next] = [...lane.waiting][0]
      lane.waiting.delete(slot)
      lane.sent = { ...next, n: ++this.number }
      const { now, ...recipe } = next.recipe
      this.socket.send(JSON.stringify({ ...recipe, ...now?.(), n: lane.sent.n }))
      lane.resting = setTimeout(() => {
        lane.resting = null
        this.pump()
      }, PAUSE)
    }
  }

  /** @param {any} data */
  hear(data) {
    const space = data.indexOf(" ")
    const n = Number(data.slice(0, space))
    const lane = Object.values(this.lanes).find((one) => one.sent && one.sent.n === n)
    if (!lane) return
    const { then, asked } = lane.sent
    lane.sent = null
    const answer = JSON.parse(data.slice(space + 1))
    this.last = performance.now() - asked
    this.say(answer.error || "")
    if (!answer.error) then(answer)
    this.pump()
  }

  /**
   * @param {any} recipe
   * @param {string} end
   */
  file(recipe, end) {
    const asked = new URLSearchParams({ ticket: this.ticket, recipe: JSON.stringify(recipe) })
    return `/ask/${encodeURIComponent(this.run)}/take.${end}?${asked}`
  }
}

// What is chosen, as it stands in the address; what is as at first is not in it.
export class Choice {
  /**
   * @param {Record<string, string>} first
   * @param {(...args: any[]) => any} changed
   */
  constructor(first, changed) {
    const given = new URLSearchParams(location.search)
    for (const [name, value] of Object.entries(first)) Object.assign(this, { [name]: given.get(name) ?? value })
    this.first = first
    this.changed = changed
  }

  /** @param {Record<string, any>} change */
  set(change) {
    Object.assign(this, change)
    clearTimeout(noting)
    noting = setTimeout(() => this.note(), 200)
    this.changed(change)
  }

  note() {
    const url = new URL(location.href)
    const chosen = new Map(Object.entries(this))
    for (const [name, value] of Object.entries(this.first)) {
      if (chosen.get(name) === value) url.searchParams.delete(name)
      else url.searchParams.set(name, chosen.get(name))
    }
    if (url.href !== location.href) history.replaceState(history.state, "", url)
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let noting
