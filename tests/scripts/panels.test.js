// Panels: their title, what they say without data, a measure beside real data, and when they take no room.

import "./page.js"

import assert from "node:assert/strict"
import { test } from "node:test"

const { PANELS } = await import("../../gan_core/ui/live/kinds.js")
const { Store } = await import("../../gan_core/ui/live/store.js")

function viewOf(told, shown = null) {
  const store = new Store()
  store.apply({ full: true, cursor: 0, ...told })
  return { store, root: { dataset: {} }, data: { beside: [] }, shown, round: Infinity }
}

const PRECISION = { column: "precision", label: "Precision", help: "", lead: true, format: "" }
const JUDGED = { better: "higher", way: "higher is better", slack: [0.1, 0] }

function numbers(told, shown = null) {
  const spec = { slot: "n", kind: "numbers", title: "Numbers", numbers: [{ ...PRECISION, ...JUDGED }] }
  const panel = new PANELS.numbers(viewOf(told, shown), spec)
  panel.draw()
  return (selector) => panel.element.querySelector(selector)?.textContent ?? ""
}

for (const [value, mark] of [
  [0.85, "✓"],
  [0.5, "✗"],
])
  test(`a precision of ${value} beside real data of 0.9 is marked ${mark}`, () => {
    const text = numbers(
      {
        status: { state: "running" },
        tracks: { diagnostics: { precision: { x: [0, 20, 40], y: [0.1, value, 0.2] } } },
        reference: { floors: { precision: 0.9 } },
      },
      30,
    )
    assert.equal(text(".gs-tile .gs-number"), String(value))
    assert.equal(text(".gs-tile .gs-mark"), mark)
    assert.equal(text(".gs-tile .gs-floor"), "real data 0.9, higher is better")
    assert.equal(text(".gs-aside"), "round 30")
    assert.equal(text(".gs-wait"), "")
  })

test("a panel without anything to show says why", () => {
  const said = (status) => numbers({ status })(".gs-wait")
  assert.equal(said(null), "connecting…")
  assert.equal(said({ state: "queued", place: 2 }), "queued, 2nd in line")
  assert.equal(said({ state: "running", preparing: "a judge" }), "preparing…")
  assert.equal(said({ state: "running" }), "waiting for the first round…")
  assert.equal(said({ state: "failed" }), "nothing was recorded")
})

test("every kind of panel begins with its title and its slot", () => {
  assert.equal(Object.keys(PANELS).length, 10)
  for (const [kind, Kind] of Object.entries(PANELS)) {
    const spec = {
      slot: `s-${kind}`,
      kind,
      title: `T ${kind}`,
      numbers: [],
      rankings: [],
      traces: [],
      figure: { data: [], layout: {} },
    }
    const { element } = new Kind(viewOf({}), spec)
    assert.equal(element.dataset.testid, `s-${kind}`)
    assert.equal(element.querySelector(".gs-title").textContent, `T ${kind}`)
  }
})

// Before anything is shown: a panel that takes no room is never in sight, and would not be asked again.
test("a panel of pictures is absent where its run makes none", () => {
  const absent = (state, parts) => {
    const frames = parts.map((name, round) => ({ round, parts: { [name]: { file: "x.png" } } }))
    return new PANELS.sheet(viewOf({ status: { state }, frames }), {
      slot: "s",
      kind: "sheet",
      title: "Sheet",
      part: "manifold",
    }).absent
  }
  assert.equal(absent("running", []), false)
  assert.equal(absent("running", ["grid"]), false)
  assert.equal(absent("running", ["grid", "grid"]), true)
  assert.equal(absent("finished", ["grid"]), true)
  assert.equal(absent("finished", ["grid", "manifold"]), false)
})

test("a chart finds its traces by their roles, wherever they stand", () => {
  const figure = { data: [{ meta: "real" }, { meta: "another" }, { meta: "generated" }], layout: {} }
  const view = viewOf({ reference: { class_names: ["a", "b"], real_share: [0.5, 0.5, 0] } }, 0)
  Object.assign(view, {
    part: () => ({ round: 0, value: { counts: [3, 1, 0], n: 4 } }),
    colours: { fake: "#D55E00", unsure: "#8A8F98" },
  })
  const panel = new PANELS.histogram(view, { slot: "h", kind: "histogram", title: "Classes", figure })
  const changed = []
  panel.chart.data = figure.data
  panel.chart.layout = { yaxis: { range: [0, 1] } }
  panel.Plotly = { relayout() {}, restyle: (_chart, change, places) => changed.push([places, Object.keys(change)]) }
  panel.ready = true
  panel.draw()
  assert.deepEqual(changed, [
    [[2], ["x", "marker.color"]],
    [[0], ["x", "y", "error_y.array", "error_y.arrayminus", "visible"]],
    [[2], ["y", "customdata"]],
  ])
})
