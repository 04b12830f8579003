// @ts-check
// Inlined in the document of each page (first_page.py): what is to happen before anything is drawn.
//
// A page is seen once it is drawn whole, with its widgets loaded and its runs heard; sooner where it says that it takes long.

import { readLook, showLook } from "./look.js"

const LONG = 4000 // milliseconds after which a page that says that it works is seen
const PATIENCE = 20000 // and any page, as it is
const COMING = "gk-coming"
const MISSING = "[data-testid=stSkeleton], .gs-root:not([data-begun]), [class*=st-key-film-]:not(:has(.gf-root))"
const SAYS_SO = "[data-testid=stSpinner]"

function seenOnceWhole() {
  const root = document.documentElement
  const drawn = () => Number(getComputedStyle(root).getPropertyValue("--drawn")) > 0
  const whole = () => drawn() && !document.querySelector(`.stMain :is(${MISSING})`)
  root.classList.add(COMING)
  let settled = 0 // frames since the last part came
  const look = () => {
    const now = performance.now()
    settled = whole() ? settled + 1 : 0
    if (settled >= 3 || (now > LONG && document.querySelector(SAYS_SO))) seen()
    else if (root.classList.contains(COMING)) setTimeout(() => requestAnimationFrame(look), 25)
  }
  const seen = () => root.classList.remove(COMING)
  setTimeout(seen, PATIENCE) // whatever goes wrong with looking
  look()
}

showLook(readLook())
seenOnceWhole()
