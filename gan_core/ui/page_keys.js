// @ts-check
// Keys that every page has. Each presses what is on the page anyway, so that no key does what its button may not.

import { isTyping, targetOf } from "./keyboard.js"
import { KEPT, readLook, SIZES, showLook } from "./look.js"
import { mounting } from "./mounting.js"

/** @param {() => any} find */
function press(find) {
  const found = find()
  if (found && !found.disabled) found.click()
}

const testid = (/** @type {string} */ name) => () => document.querySelector(`[data-testid="${name}"]:not([disabled])`)
const labelled =
  (/** @type {string[]} */ ...labels) =>
  () =>
    [...document.querySelectorAll("button p")]
      .find((text) => labels.includes(text.textContent) && text.checkVisibility())
      ?.closest("button")

// The button of a paused run that plays the turn of one of its players, in the order of play.
const turnOf = (/** @type {number} */ place) => () =>
  [...document.querySelectorAll("button p")].filter((text) => / turn$/.test(text.textContent))[place]?.closest("button")

/** @param {number} by */
function turn(by) {
  /** @type {HTMLAnchorElement[]} */
  const links = Array.from(document.querySelectorAll('[data-testid="stTopNavLink"]'))
  const here = links.findIndex((link) => new URL(link.href).pathname === location.pathname)
  if (links.length) links[(here + by + links.length) % links.length].click()
}

// Streamlit writes a picture's caption below it and leaves the picture itself without a name.
/** @param {any} changes */
function nameAdded(changes) {
  for (const { addedNodes } of changes)
    for (const node of addedNodes)
      if (node instanceof HTMLImageElement) nameImage(node)
      else if (node instanceof HTMLElement) node.querySelectorAll("img").forEach(nameImage)
}

/** @param {any} image */
function nameImage(image) {
  if (!(image instanceof HTMLImageElement) || image.hasAttribute("alt")) return
  const frame = image.closest('[data-testid="stImage"]')
  const caption = frame?.querySelector('[data-testid="stImageCaption"]')
  if (frame) image.alt = caption ? caption.textContent : ""
}

let choosing = false

// What is chosen on a page belongs to its one entry in the browser's history, so that Back leaves the page.
function chooseInPlace() {
  if (choosing) return
  choosing = true
  const push = history.pushState.bind(history)
  history.pushState = (state, title, url) =>
    url != null && new URL(url, location.href).pathname === location.pathname
      ? history.replaceState(state, title, url)
      : push(state, title, url)
}

class PageKeys {
  /**
   * @param {HTMLElement} parent
   * @param {any} data
   */
  constructor(parent, data) {
    this.look = readLook()
    this.help = document.createElement("dialog")
    this.help.className = "gk-help"
    this.help.setAttribute("aria-label", "Keys")
    const title = document.createElement("h2")
    title.textContent = "Keys"
    const list = document.createElement("dl")
    for (const [key, text] of data.keys) {
      const term = document.createElement("dt")
      const does = document.createElement("dd")
      term.textContent = key
      does.textContent = text
      list.append(term, does)
    }
    const close = document.createElement("button")
    close.type = "button"
    close.textContent = "Close"
    close.onclick = () => this.help.close()
    this.help.append(title, list, close)
    this.opener = document.createElement("button")
    this.opener.type = "button"
    this.opener.className = "gk-open"
    this.opener.textContent = "?"
    this.opener.title = "Keys [?]"
    this.opener.setAttribute("aria-label", "Keys")
    this.opener.onclick = () => this.help.showModal()
    parent.append(this.help, this.opener)
    chooseInPlace()
    this.down = (/** @type {KeyboardEvent} */ event) => this.take(event)
    document.addEventListener("keydown", this.down)
    this.naming = new MutationObserver(nameAdded)
    this.naming.observe(document.body, { childList: true, subtree: true })
    document.querySelectorAll("img").forEach(nameImage)
    showLook(this.look)
  }

  /** @param {KeyboardEvent} event */
  take(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    if (event.key === "?" && this.help.open) return this.help.close()
    if (isTyping(targetOf(event)) || this.help.open) return
    const does = {
      "?": () => this.help.showModal(),
      "+": () => this.resize(1),
      "-": () => this.resize(-1),
      h: () => this.change({ contrast: !this.look.contrast }),
      "[": () => turn(-1),
      "]": () => turn(1),
      ",": () => press(testid("previous")),
      ".": () => press(testid("next")),
      l: () => press(testid("live")),
      p: () => press(labelled("Pause", "Resume")),
      m: () => press(labelled("Sample now")),
      n: () => press(testid("class-notes")),
      q: () => press(testid("poll-full")),
      1: () => press(turnOf(0)),
      2: () => press(turnOf(1)),
      3: () => press(labelled("Round")),
    }[event.key]
    if (!does) return
    event.preventDefault()
    does()
  }

  /** @param {number} by */
  resize(by) {
    this.change({ size: Math.max(0, Math.min(SIZES.length - 1, this.look.size + by)) })
  }

  /** @param {Record<string, any>} to */
  change(to) {
    Object.assign(this.look, to)
    sessionStorage.setItem(KEPT, JSON.stringify(this.look))
    showLook(this.look)
  }

  destroy() {
    document.removeEventListener("keydown", this.down)
    this.naming.disconnect()
    this.help.remove()
    this.opener.remove()
  }
}

export default mounting(({ data, parentElement }) => new PageKeys(parentElement, data))
