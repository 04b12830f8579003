// A document without a browser, for modules that make elements. What draws into it is tested in Chromium.

import { Window } from "happy-dom"

const window = new Window({ url: "http://localhost:8501/watch" })

for (const name of ["document", "location", "history", "Element", "Node", "CustomEvent"])
  globalThis[name] = window[name]
globalThis.window = window
