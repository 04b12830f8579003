// @ts-check
// Inlined in the document of each page (first_page.py): what is to happen before anything is drawn.
//
// A page is seen once it is drawn whole, with its widgets loaded and its runs heard; sooner where it says that it takes long.

import { readLook, showLook } from "./look.js"

const LONG = 4000 // milliseconds after which a page is seen that says that it works, or keeps room for what is on its way
const PATIENCE = 20000 // and any page, as it is
const COMING = "gk-coming"
const UNMOUNTED = "[class*=st-key-run-view-]:not(:has(.gs-root))" // its script is on its way
const MISSING = `[data-testid=stSkeleton], ${UNMOUNTED}, .gs-root:not([data-begun]), [class*=st-key-film-]:not(:has(.gf-root))`
const SAYS_SO = `[data-testid=stSpinner], ${UNMOUNTED}`
const FAILED = ".stMain [data-testid=stException]" // such a page never comes to its end

const timesDrawn = () => Number(getComputedStyle(document.documentElement).getPropertyValue("--drawn")) || 0

// ``before`` is how often a page of this session had been drawn when this one was asked for.
function seenOnceWhole(before = 0) {
  const root = document.documentElement
  const whole = () => timesDrawn() > before && !document.querySelector(`.stMain :is(${MISSING})`)
  const begun = performance.now()
  root.classList.add(COMING)
  let settled = 0 // frames since the last part came
  const look = () => {
    settled = whole() ? settled + 1 : 0
    if (
      settled >= 3 ||
      document.querySelector(FAILED) ||
      (performance.now() > begun + LONG && document.querySelector(SAYS_SO))
    )
      seen()
    else if (root.classList.contains(COMING)) setTimeout(() => requestAnimationFrame(look), 25)
  }
  const seen = () => {
    clearTimeout(patience)
    root.classList.remove(COMING)
    performance.measure(COMING, { start: begun }) // how long it was not seen, for whoever looks into a slow page
  }
  const patience = setTimeout(seen, PATIENCE) // whatever goes wrong with looking
  look()
}

// The same for a page that another one leads to.
function eachSeenOnceWhole() {
  const push = history.pushState.bind(history)
  history.pushState = (state, title, url) => {
    if (url != null && new URL(url, location.href).pathname !== location.pathname) seenOnceWhole(timesDrawn())
    push(state, title, url)
  }
}

showLook(readLook())
seenOnceWhole()
eachSeenOnceWhole()
