// The store: what came from the server, put together.

import assert from "node:assert/strict"
import { test } from "node:test"

import { ENDED } from "../../gan_core/ui/declared.js"
import { Store } from "../../gan_core/ui/live/store.js"

const snapshot = (cursor, parts = {}) => ({ full: true, cursor, ...parts })
const delta = (cursor, parts = {}) => ({ full: false, cursor, ...parts })

function stored(...messages) {
  const store = new Store()
  for (const message of messages) store.apply(message)
  return store
}

test("a delta follows the one before, or is old, or shows a gap", () => {
  const store = new Store()
  const messages = [snapshot(4), delta(5), delta(5), delta(3), delta(8), delta(6)]
  assert.deepEqual(
    messages.map((message) => store.apply(message)),
    ["new", "new", "old", "old", "gap", "new"],
  )
  assert.equal(store.cursor, 6)
})

test("curves grow by deltas and begin anew with a snapshot", () => {
  const first = snapshot(0, { tracks: { turns: { "D.loss": { x: [0, 1], y: [1.5, null] } } } })
  const more = delta(1, { tracks: { turns: { "D.loss": { x: [2], y: [1.25] }, "G.loss": { x: [2], y: [0.5] } } } })
  const store = stored(first, more)
  assert.deepEqual(store.tracks.turns["D.loss"], { x: [0, 1, 2], y: [1.5, null, 1.25] })
  assert.equal(store.longest, 3)
  const before = store.generation
  store.apply(snapshot(2, { tracks: { turns: { "D.loss": { x: [9], y: [1] } } } }))
  assert.deepEqual(store.tracks, { turns: { "D.loss": { x: [9], y: [1] } } })
  assert.ok(store.generation > before)
})

test("parts of a frame are put together in the order of rounds", () => {
  const frames = [
    { round: 5, parts: { grid: 1 } },
    { round: 2, parts: { grid: 2 } },
    { round: 5, parts: { push: 3 } },
  ]
  const store = stored(snapshot(0, { frames: frames.slice(0, 2) }), delta(1, { frames: frames.slice(2) }))
  assert.deepEqual(store.frames, [
    { round: 2, parts: { grid: 2 } },
    { round: 5, parts: { grid: 1, push: 3 } },
  ])
})

test("a part and a value are the newest at or before a round", () => {
  const store = stored(
    snapshot(0, {
      tracks: { t: { c: { x: [0, 4], y: [7, 8] } } },
      frames: [
        { round: 2, parts: { grid: "a", push: "p" } },
        { round: 6, parts: { grid: "b" } },
      ],
    }),
  )
  assert.equal(store.part("grid", 1), null)
  assert.equal(store.part("grid", 5).value, "a")
  assert.equal(store.part("push", 9).round, 2)
  assert.deepEqual(
    [store.valueAt("t", "c", 3), store.valueAt("t", "c", 4), store.valueAt("t", "none", 4)],
    [7, 8, null],
  )
})

test("an event counts once, and what is known of the data adds up", () => {
  const events = [
    { id: 1, kind: "started" },
    { id: 2, kind: "knob" },
  ]
  const store = stored(
    snapshot(0, { events, reference: { floors: { mmd2: 0.1 } } }),
    delta(1, { events: events.slice(1), reference: { class_names: ["0"] } }),
  )
  assert.deepEqual(store.events, events)
  assert.deepEqual(store.reference, { floors: { mmd2: 0.1 }, class_names: ["0"] })
})

test("a run has ended by its state", () => {
  const ended = (state) => stored(snapshot(0, { status: { state } })).ended
  for (const state of ["running", "paused", "queued"]) assert.equal(ended(state), false, state)
  for (const state of ENDED) assert.equal(ended(state), true, state)
})

test("a column is called by the run's own label, else by its name", () => {
  const store = stored(snapshot(0, { reference: { labels: { "D.loss": "loss of D" } } }))
  assert.equal(store.label("D.loss"), "loss of D")
  assert.equal(store.label("G.grad_norm"), "G grad norm")
})
