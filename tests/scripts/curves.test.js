// Curves as they are drawn: smoothed, in a range that few values do not decide, found by patterns, asked for again when long.

import "./page.js"

import assert from "node:assert/strict"
import { test } from "node:test"

const { matcher } = await import("../../gan_core/ui/live/curves.js")
const { sparkPath } = await import("../../gan_core/ui/live/numbers.js")
const { robustRange, smooth } = await import("../../gan_core/ui/live/scaling.js")
const { Store } = await import("../../gan_core/ui/live/store.js")
const { LiveView, MAX_POINTS } = await import("../../gan_core/ui/live/view.js")

test("a curve of one value stays at this value when it is smoothed", () => {
  for (const value of smooth([2, 2, NaN, 2], 0.9).filter(Number.isFinite)) assert.ok(Math.abs(value - 2) < 1e-12)
})

test("without a value far out all are shown", () => {
  const range = robustRange([[0, 1, 2, 3, 4, 5]])
  assert.equal(range.outside, 0)
  assert.ok(range.low < 0 && range.high > 5)
  assert.equal(robustRange([[NaN]]), null)
})

test("a pattern matches whole names, and its dot is a dot", () => {
  const loss = matcher("*.loss")
  assert.deepEqual(["D.loss", "D_A.loss", "D.losses", "Dxloss"].map(loss), [true, true, false, false])
})

test("a small curve has a gap where nothing was measured", () => {
  assert.equal(sparkPath({ x: [0, 1, 2, 3, 4], y: [0, 1, null, 1, 0] }), "M0.0,22.0L25.0,2.0M75.0,2.0L100.0,22.0")
  assert.equal(sparkPath({ x: [0, 1], y: [null, 2] }), "")
})

test("a curve that grows too long asks once for a downsampled one", () => {
  let asked = 0
  const connection = {
    ask: () => {
      asked += 1
    },
  }
  const view = { store: new Store(), others: [], drawSoon() {}, connection, longestAtSnapshot: 0 }
  const take = (cursor, from, count) => {
    const x = Array.from({ length: count }, (_, i) => from + i)
    const tracks = { turns: { c: { x, y: x.map(() => 0) } } }
    LiveView.prototype.take.call(view, { full: cursor === 0, cursor, tracks })
    return asked
  }
  assert.equal(take(0, 0, 10), 0)
  assert.equal(take(1, 10, MAX_POINTS - 10), 0)
  assert.equal(take(2, MAX_POINTS, 1), 1)
  assert.equal(take(3, MAX_POINTS + 1, 1), 1)
})
