// The choice of a measure over seeds, while a comparison trains.

import "./page.js"

import assert from "node:assert/strict"
import { test } from "node:test"

Object.assign(globalThis, {
  getComputedStyle: window.getComputedStyle.bind(window),
  ResizeObserver: window.ResizeObserver,
})

const { default: show } = await import("../../gan_core/ui/live/seeds.js")

const told = (names, stamp = "as it was") => ({
  stamp,
  measured: names.map((name) => ({ name, title: name.toUpperCase() })),
  measures: {},
  arrays: [],
  looks: [],
  axes: [],
  bands: [],
  most: 0.99,
  view: { metric: "fid", smooth: 0 },
  defaults: {},
})

const offered = (parentElement) => [...parentElement.querySelectorAll(".gs-measure option")].map((one) => one.value)

test("a measure that comes while the chart is shown can be chosen, and the choice stays", () => {
  const parentElement = document.createElement("div")
  const call = (data) => show({ parentElement, data, setStateValue() {} })
  call(told(["fid"]))
  call(told(["fid"]))
  const select = parentElement.querySelector(".gs-measure")
  assert.deepEqual(offered(parentElement), ["fid"])
  call(told(["coverage", "fid"]))
  assert.deepEqual([offered(parentElement), select.value], [["coverage", "fid"], "fid"])
  const first = select.querySelector("option")
  call(told(["coverage", "fid"], "drawn anew"))
  assert.ok(select.querySelector("option") === first) // a list that is open is not made anew
})
