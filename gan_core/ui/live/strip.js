// @ts-check
// The strip on top: the state of the run, and the time of the samples.

import { BEGINNINGS } from "../declared.js"
import { targetOf } from "../keyboard.js"
import { el, setText } from "./elements.js"
import { atOrBefore } from "./rounds.js"
import { duration, integer, number, ordinal } from "./said.js"
import { stage } from "./stage.js"

export class StatusStrip {
  constructor() {
    this.chip = el("span", { class: "gs-chip", "data-testid": "state" })
    this.rounds = el("span", { class: "gs-rounds", "data-testid": "rounds" })
    this.fill = el("span", { class: "gs-fill" })
    this.bar = el(
      "span",
      {
        class: "gs-progress",
        role: "progressbar",
        "aria-label": "rounds done",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
      },
      this.fill,
    )
    this.facts = el("span", { class: "gs-facts" })
    this.link = el("span", { class: "gs-link", "data-testid": "connection" })
    this.caption = el("p", { class: "gs-caption", "data-testid": "caption", hidden: true })
    this.message = el("p", { class: "gs-message", "data-testid": "message", hidden: true })
    this.spoken = el("span", { class: "gs-spoken", role: "status", "aria-live": "polite" })
    this.element = el(
      "div",
      { class: "gs-status", "data-testid": "status" },
      el("div", { class: "gs-line" }, this.chip, this.rounds, this.bar, this.facts, this.link),
      this.caption,
      this.message,
      this.spoken,
    )
  }

  /**
   * @param {any} status
   * @param {string} connection
   * @param {string} text
   * @param {boolean} compact
   */
  draw(status, connection, text, compact) {
    const state = status ? status.state : connection === "refused" ? "unavailable" : "connecting"
    const shown = status?.stuck ? "stuck" : state
    this.element.dataset.state = shown
    setText(this.chip, shown)
    this.chip.dataset.state = shown
    const lost = connection === "retrying" || connection === "refused"
    setText(this.link, lost ? text : connection === "polling" ? "updated once a second" : "")
    this.link.dataset.lost = String(lost)
    const caption = status?.caption || ""
    setText(this.caption, caption)
    this.caption.hidden = !caption
    let message = ""
    let spoken = lost ? text : shown
    if (status) {
      const { round = 0, rounds = 0, share = 0 } = status
      setText(
        this.rounds,
        state === "queued" ? "" : rounds ? `round ${integer(round)} of ${integer(rounds)}` : `round ${integer(round)}`,
      )
      this.fill.style.transform = `scaleX(${share})`
      this.bar.setAttribute("aria-valuenow", String(Math.round(100 * share)))
      const facts = []
      const moving = state === "running"
      const room = !compact // a second line would push the losses of two runs off a projector
      if (room && moving && status.rounds_per_second) facts.push(`${number(status.rounds_per_second)} rounds/s`)
      if (status.elapsed)
        facts.push(
          status.seconds
            ? `${duration(status.elapsed)} of ${duration(status.seconds)}`
            : `${duration(status.elapsed)} elapsed`,
        )
      if (room && status.node && !["queued", "finished"].includes(state)) facts.push(`on ${status.node}`)
      if (room && status.measuring) facts.push(`measuring ${number(status.measuring, "percent")}`)
      if (moving && status.eta !== null && status.eta !== undefined) {
        const beside =
          room && status.beside
            ? `, ${status.beside} other ${status.beside === 1 ? "run trains" : "runs train"} beside it`
            : ""
        facts.push(room ? `${duration(status.eta)} left at this pace${beside}` : `${duration(status.eta)} left`)
      }
      if (state === "queued") {
        const place = status.place ? `${ordinal(status.place)} in line` : status.preparing ? "starting" : "waiting"
        if (!status.preparing) facts.push(place) // that is the message
        spoken = `queued, ${place}`
      }
      setText(this.facts, facts.join(" · "))
      message = status.message || status.preparing || ""
      if (caption || message) spoken = `${shown}: ${caption || message}`
    }
    setText(this.message, message)
    this.message.hidden = !message
    setText(this.spoken, spoken)
  }
}

// What the run is like, in one word and one sentence, with the numbers that say so and what to try.

export class VerdictBanner {
  /** @param {import("./view.js").LiveView} view */
  constructor(view) {
    this.view = view
    this.drawn = ""
    this.chip = el("span", { class: "gs-verdict-state", "data-testid": "verdict-state" })
    this.since = el("span", { class: "gs-verdict-since", "data-testid": "verdict-since" })
    this.sentence = el("span", { class: "gs-verdict-sentence", "data-testid": "verdict-sentence" })
    this.evidence = el("ul", { class: "gs-evidence", "data-testid": "verdict-evidence" })
    this.cures = el("p", { class: "gs-cures", "data-testid": "verdict-cures" })
    this.notes = el("p", { class: "gs-notes", "data-testid": "notes" })
    this.element = el(
      "section",
      { class: "gs-verdict", "data-testid": "verdict", "aria-live": "polite", "aria-label": "verdict", hidden: true },
      el("p", { class: "gs-verdict-line" }, this.chip, this.since, this.sentence),
      this.evidence,
      this.cures,
      this.notes,
    )
  }

  /**
   * @param {any} status
   * @param {any[]} events
   */
  draw(status, events) {
    const verdict = status?.verdict || {}
    const birthday = events.filter((event) => event.kind === "birthday").pop()
    const unmeasured = events.find((event) => event.kind === "not_measured")
    const said = [unmeasured ? unmeasuredText(unmeasured) : "", birthday ? birthdayText(birthday) : ""]
    const note = said.filter(Boolean).join(" ")
    const looked = this.view.shown
    const later =
      looked !== null && Number.isFinite(verdict.round) && verdict.round > looked && this.view.round <= looked
    const key = JSON.stringify([verdict, note, later])
    if (key === this.drawn) return
    this.drawn = key
    this.element.hidden = !verdict.state && !note
    this.element.dataset.state = verdict.state || ""
    this.element.dataset.alarming = String(Boolean(verdict.alarming))
    this.element.dataset.tone = verdict.tone || ""
    setText(this.chip, verdict.title || "")
    const begun = BEGINNINGS.includes(verdict.state) ? null : verdict.onset_round
    const first = verdict.first_sign
    let since = begun === null || begun === undefined ? "" : `since round ${integer(begun)}`
    if (since && first !== null && first !== undefined && first < begun) since += `, first sign at ${integer(first)}`
    if (later) since = [since, `as of round ${integer(verdict.round)}`].filter(Boolean).join(", ") // the panels show an earlier one
    setText(this.since, since)
    setText(this.sentence, verdict.sentence || "")
    const told = (verdict.evidence || []).map(
      (
        /** @type {{ label: string, value: number, relation: string, threshold: number }} */ {
          label,
          value,
          relation,
          threshold,
        },
      ) => {
        const sign = relation === "<" ? "below" : "above"
        return el("li", {}, `${label} `, el("b", {}, number(value)), ` ${sign} ${number(threshold)}`)
      },
    )
    this.evidence.replaceChildren(...told)
    this.evidence.hidden = !told.length
    const title = (/** @type {string} */ name) => this.view.data.cures?.[name] || name.replaceAll("_", " ")
    const { at_work: work } = verdict
    const undo = verdict.alarming && verdict.suspect ? verdict.suspect.undo_label : ""
    const named = [undo, ...(verdict.cures || []).map(title)].filter(Boolean).join(" · ")
    const working = work ? `At work since round ${integer(work.round)}: ${title(work.cure)}.` : ""
    const left = named && `${work ? "Else to try" : "To try"}: ${named}`
    setText(this.cures, [working, left].filter(Boolean).join(" "))
    this.cures.hidden = !this.cures.textContent
    setText(this.notes, note)
    this.notes.hidden = !note
  }
}

/** @param {any} told */
function unmeasuredText({ round, data }) {
  return `Not everything could be measured since round ${integer(round)} (${data.message}). Training goes on as if nobody had looked.`
}

/** @param {any} told */
function birthdayText({ round, data }) {
  const { distinct, batch, samples, real } = data
  const found =
    distinct === null || distinct === undefined
      ? `no two of ${integer(samples)} samples were alike`
      : `about ${integer(distinct)} distinct samples, two alike among ${integer(Math.round(batch))} as likely as not`
  return `Birthday test at round ${integer(round)}: ${found}; real data reads ${integer(real)}.`
}

// The address holds all that can be chosen on the page, so its link opens the same view.
function copyLinkButton() {
  const button = el(
    "button",
    { type: "button", class: "gs-button", title: "copy the address of this very view", "data-testid": "copy-link" },
    "Copy link",
  )
  button.onclick = async () => {
    const copied = await copyText(location.href)
    setText(button, copied ? "Copied" : "Copy it from the address bar")
    setTimeout(() => setText(button, "Copy link"), 2000)
  }
  return button
}

// Browsers hand out the clipboard to secure pages alone; the older way also works in a class on the local network.
/** @param {string} text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch (_error) {
    const area = el("textarea", { style: "position: fixed; opacity: 0" })
    area.value = text
    document.body.append(area)
    area.select()
    const copied = document.execCommand("copy")
    area.remove()
    return copied
  }
}

export class Timeline {
  /** @param {import("./view.js").LiveView} view */
  constructor(view) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.playing = undefined
    this.view = view
    const button = (/** @type {string} */ label, /** @type {string} */ text, /** @type {string} */ testid) =>
      el(
        "button",
        { type: "button", class: "gs-button", "aria-label": label, title: label, "data-testid": testid },
        text,
      )
    this.back = button("previous frame", "◀", "previous")
    this.playButton = button("play", "▶", "play")
    this.forward = button("next frame", "▶|", "next")
    this.range = el("input", {
      type: "range",
      class: "gs-range",
      min: 0,
      max: 0,
      step: 1,
      value: 0,
      "aria-label": "time: which round the samples are from",
      "data-testid": "slider",
    })
    this.text = el("output", { class: "gs-when", "data-testid": "when" })
    this.live = el(
      "button",
      {
        type: "button",
        class: "gs-button gs-live",
        "aria-pressed": "true",
        title: "follow the newest round",
        "data-testid": "live",
      },
      "live",
    )
    this.element = el(
      "div",
      { class: "gs-timeline", role: "group", "aria-label": "time", "data-testid": "timeline" },
      this.back,
      this.playButton,
      this.forward,
      this.range,
      this.text,
      this.live,
    )
    if (view.data.leads) this.element.append(copyLinkButton())
    this.back.onclick = () => this.step(-1)
    this.forward.onclick = () => this.step(1)
    this.playButton.onclick = () => (this.playing ? this.pause() : this.play())
    this.live.onclick = () => {
      this.pause()
      this.view.select(this.view.selected === null ? this.newest : null)
    }
    this.range.oninput = () => {
      const frame = this.frames[Number(this.range.value)] // before pause(), which draws, and so moves the thumb back
      this.pause()
      if (frame) this.view.select(frame.round)
    }
  }

  get frames() {
    return this.view.frames
  }

  get newest() {
    return this.frames.length ? this.frames[this.frames.length - 1].round : null
  }

  get index() {
    const round = this.view.hovered ?? this.view.selected
    return round === null ? this.frames.length - 1 : Math.max(0, atOrBefore(this.frames, round))
  }

  /** @param {number} by */
  step(by) {
    if (!this.frames.length) return
    this.pause()
    this.view.select(this.frames[Math.min(this.frames.length - 1, Math.max(0, this.index + by))].round)
  }

  play() {
    if (this.frames.length < 2) return
    clearInterval(this.playing)
    if (this.index >= this.frames.length - 1) this.view.select(this.frames[0].round)
    // The whole run in about fifteen seconds, whatever the number of frames, unless another speed was chosen.
    const pause = Math.min(500, Math.max(60, 15000 / this.frames.length)) / stage.speed
    this.playing = setInterval(() => {
      if (this.index >= this.frames.length - 1) {
        this.pause()
        this.view.select(null)
        return
      }
      this.view.select(this.frames[this.index + 1].round)
    }, pause)
    this.draw()
  }

  pause() {
    clearInterval(this.playing)
    this.playing = undefined
    this.draw()
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const editable = targetOf(event).closest("input, textarea, select, [contenteditable]")
    if (event.altKey || event.ctrlKey || event.metaKey || (editable && editable !== this.range)) return
    if (editable === this.range && event.key !== " ") return // a range input knows its arrows
    if (event.key === "ArrowLeft") this.step(-1)
    else if (event.key === "ArrowRight") this.step(1)
    else if (event.key === " " && editable === this.range) this.playing ? this.pause() : this.play()
    else return
    event.preventDefault()
  }

  draw() {
    const { frames } = this
    const empty = frames.length < 1
    for (const control of [this.back, this.playButton, this.forward, this.range, this.live]) control.disabled = empty
    const live = this.view.selected === null
    const { status } = this.view.store
    this.range.max = String(Math.max(0, frames.length - 1))
    if (!empty && Number(this.range.value) !== this.index) this.range.value = String(this.index)
    const share = frames.length > 1 ? this.index / (frames.length - 1) : 1
    this.range.style.setProperty("--gs-share", `${100 * share}%`)
    const round = empty ? null : frames[this.index].round
    const total = status?.rounds ? ` of ${integer(status.rounds)}` : ""
    const { hovered } = this.view
    let text = round === null ? "no samples yet" : `round ${integer(round)}${total}`
    if (round !== null && hovered !== null && hovered !== round)
      text = `round ${integer(hovered)}, seen at ${integer(round)}`
    setText(this.text, text)
    this.range.setAttribute("aria-valuetext", text)
    const { ended } = this.view
    setText(this.live, ended ? "newest" : "live")
    this.live.setAttribute("aria-pressed", String(live))
    setText(this.playButton, this.playing ? "❚❚" : "▶")
    this.playButton.setAttribute("aria-label", this.playing ? "pause" : "play")
  }

  destroy() {
    clearInterval(this.playing)
  }
}
