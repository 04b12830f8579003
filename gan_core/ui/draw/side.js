// @ts-check
// One run that is asked about what is drawn: its wire, what it can do, its kept rounds, and how far it has come.

import { ENDED } from "../declared.js"
import { Link } from "../latent/link.js"
import { el, setText } from "../live/elements.js"
import { duration, integer, number } from "../live/said.js"

const LOOK_AGAIN = 1500 // ms, between two looks at a run that trains
const OVER = 60000 // ms, after which a run that has ended is looked at again: somebody may go on with it

// What the classifier reads in a picture.
/** @param {any} cell */
export function readingOf(cell) {
  if (cell?.label === undefined) return ""
  return cell.sure < 0.6
    ? `perhaps ${cell.label}, ${number(cell.sure, "percent")}`
    : `read as ${cell.label}, ${number(cell.sure, "percent")}`
}

export class Side {
  // ``param`` is the name under which the chosen round stands in the address, "" for a run that is always asked at its newest.
  /**
   * @param {import("./draw.js").Draw} page
   * @param {"ra" | "rb" | "rf"} param
   * @param {(...args: any[]) => any} changed
   */
  constructor(page, param, changed) {
    this.page = page
    this.param = param
    this.changed = changed // () -> nothing: it can do something that it could not, or was put to another round
    this.run = ""
    this.ticket = ""
    this.name = ""
    /** @type {number[]} */
    this.rounds = []
    /** @type {any} */
    this.about = null
    this.cursor = -1
    this.said = el("p", { class: "gl-said", role: "status" })
    this.state = el("p", { class: "gd-state" })
    this.progress = el("progress", { class: "gd-progress", max: 1, "aria-label": "rounds that were played" })
    this.slider = el("input", {
      type: "range",
      min: 0,
      max: 0,
      step: 1,
      "aria-label": "round",
      "data-testid": `round-${param}`,
    })
    this.told = el("output", {})
    this.slider.oninput = () =>
      this.page.choice.set({ [param]: this.follows ? "" : String(this.rounds[Number(this.slider.value)]) })
    this.sliderRow = el("label", { class: "gl-slider gd-rounds" }, el("span", {}, "round"), this.slider, this.told)
    this.element = el("div", { class: "gd-head" }, this.said, this.state, this.progress, this.sliderRow)
    this.link = new Link((sentence) => setText(this.said, sentence))
  }

  /** @param {any} told */
  open({ run, ticket, name }) {
    this.link.open(run, ticket)
    if (run === this.run) return
    Object.assign(this, { run, ticket, name, rounds: [], answered: false, about: null, cursor: -1, status: null })
    clearTimeout(this.timer)
    this.look()
    this.keptAgain()
  }

  get follows() {
    return Number(this.slider.value) >= this.rounds.length - 1
  }

  // The round that is asked: the newest, unless another one is chosen that is there.
  get round() {
    const asked = Number(this.page.choice[this.param] || NaN)
    return this.rounds.includes(asked) ? asked : this.rounds.at(-1)
  }

  keptAgain() {
    const { run } = this
    this.link.ask("kept", { do: "kept" }, ({ rounds }) => {
      if (run !== this.run) return
      const newest = this.rounds.at(-1)
      this.rounds = rounds
      this.answered = true
      this.tell()
      if (rounds.length && !this.about) this.learn()
      else if (rounds.at(-1) !== newest && this.about) this.changed()
    })
  }

  learn() {
    const { run } = this
    this.link.ask("board", { do: "board" }, (about) => {
      if (run !== this.run) return
      this.about = about
      this.changed()
    })
  }

  async look() {
    const { run } = this
    const url = `/live/${encodeURIComponent(run)}/state?since=${this.cursor}&ticket=${encodeURIComponent(this.ticket)}`
    const answer = await fetch(url, { cache: "no-store" }).catch(() => null)
    const news = answer?.status === 200 ? await answer.json().catch(() => null) : null
    if (run !== this.run || this.closed) return
    if (news) {
      this.cursor = news.cursor
      const before = this.status
      this.status = news.status
      if (before && (before.round !== news.status.round || before.state !== news.status.state)) this.keptAgain()
      this.tell()
    }
    const over = ENDED.includes(this.status?.state)
    this.timer = setTimeout(() => this.look(), over ? OVER : LOOK_AGAIN)
  }

  tell() {
    const { status, rounds } = this
    const over = ENDED.includes(status?.state)
    this.progress.hidden = over || !status
    if (status) {
      this.progress.value = status.rounds ? status.round / status.rounds : 0
      const eta = duration(status.eta)
      setText(
        this.state,
        over
          ? `${status.state} at round ${integer(status.round)}`
          : `${status.state}: round ${integer(status.round)} of ${integer(status.rounds)}${eta ? `, about ${eta} left` : ""}`,
      )
    }
    const index = rounds.indexOf(this.round ?? -1)
    this.slider.max = String(Math.max(0, rounds.length - 1))
    this.slider.value = String(Math.max(0, index))
    this.sliderRow.hidden = !rounds.length
    this.slider.disabled = rounds.length < 2
    const newest = index === rounds.length - 1
    setText(this.told, this.round !== undefined ? `${integer(this.round)}${newest ? ", newest" : ""}` : "")
    this.slider.setAttribute("aria-valuetext", `round ${this.told.textContent}`)
    const nothing = this.answered
      ? "Nothing of this run has been saved yet; its first states come within seconds of its start."
      : "Opening the run…"
    if (!rounds.length) setText(this.said, nothing)
    else if (/^(Nothing of this run|Opening the run)/.test(this.said.textContent)) setText(this.said, "")
  }

  close() {
    this.closed = true
    clearTimeout(this.timer)
    this.link.close()
  }
}
