// What a component shows at its place stays there, whatever of Streamlit's calls is cleaned up late.

import "./page.js"

import assert from "node:assert/strict"
import { test } from "node:test"

const { mounting } = await import("../../gan_core/ui/mounting.js")

class Shown {
  constructor(data) {
    this.told = [data]
    this.destroyed = 0
  }
  destroy() {
    this.destroyed += 1
  }
}

function place() {
  const parentElement = {}
  const made = []
  const show = mounting(
    ({ data }) => made[made.push(new Shown(data)) - 1],
    (shown, { data }) => shown.told.push(data),
    (shown, { data }) => shown.told[0].run === data.run,
  )
  return { made, call: (data) => show({ parentElement, data }) }
}

test("a call that was overtaken takes nothing away that a later one has drawn", () => {
  const { made, call } = place()
  const overtaken = call({ run: 1 }) // both wait for the same script, and draw one after the other
  const last = call({ run: 1 })
  overtaken()
  assert.deepEqual([made.length, made[0].destroyed, made[0].told.length], [1, 0, 2])
  last()
  last()
  assert.equal(made[0].destroyed, 1)
})

test("a call that was overtaken before the next one draws leaves its place to it", () => {
  const { made, call } = place()
  call({ run: 1 })()
  assert.equal(made[0].destroyed, 1)
  call({ run: 1 })
  assert.deepEqual([made.length, made[1].destroyed], [2, 0])
})

test("what does not fit what is told now goes, and another comes", () => {
  const { made, call } = place()
  const first = call({ run: 1 })
  const second = call({ run: 2 })
  assert.deepEqual(
    made.map((shown) => [shown.destroyed, shown.told.length]),
    [
      [1, 1],
      [0, 1],
    ],
  )
  first()
  assert.deepEqual([made[0].destroyed, made[1].destroyed], [1, 0])
  second()
  assert.equal(made[1].destroyed, 1)
})
