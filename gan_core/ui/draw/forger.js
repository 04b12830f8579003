// The forger's test: what D says of the drawing, beside samples of G and real pictures, and where G's loss would push its pixels.

const BINS = 24
const REAL = "#009E73"
const GENERATED = "#D55E00"

class Forger {
  constructor(page) {
    this.page = page
    this.side = new Side(page, "rf", () => page.changed())
    this.name = el("h3", { class: "gd-name" })
    this.given = new Picture("the drawing as D sees it", "gd-input")
    this.push = new Picture("the push on its pixels", "gd-input")
    this.opinion = el("p", { class: "gd-opinion", "data-testid": "opinion" })
    this.chart = el("div")
    const of = (colour, name) => el("span", {}, el("i", { style: `background:${colour}` }), name)
    this.legend = el("p", { class: "gl-legend" }, of(REAL, "real, held out"), of(GENERATED, "samples of G"))
    this.fakes = el("div", { class: "gl-row" })
    this.reals = el("div", { class: "gl-row" })
    this.asked = el("div")
    this.hint = el("p", { class: "gl-hint" })
    const named = (name, picture) => el("div", {}, el("span", { class: "gl-name" }, name), picture.element)
    this.element = el("section", { class: "gd-card gd-wide" }, this.name, this.side.element, this.asked, el("div", { class: "gd-pair" }, named("the drawing as D sees it", this.given), named("the push on its pixels", this.push), el("div", { class: "gd-verdict" }, this.opinion, this.legend, this.chart)), this.hint, el("div", { class: "gd-both" }, el("div", { class: "gl-line" }, el("span", { class: "gl-name" }, "samples of G"), this.fakes), el("div", { class: "gl-line" }, el("span", { class: "gl-name" }, "real, held out"), this.reals)))
  }

  open(run) {
    setText(this.name, run.name)
    if (run.run !== this.side.run) this.lined = this.line = null
    this.side.open(run)
  }

  ask() {
    const { side, page } = this
    if (!side.about?.judges || side.round === undefined) return
    side.tell()
    this.askClass()
    this.lineUp()
    if (page.canvas.isEmpty) return
    const y = page.choice.y === "" ? {} : { y: Number(page.choice.y) }
    let source
    const now = () => {
      source = page.canvas.source
      return page.given(side.about)
    }
    side.link.ask("forge", { do: "forge", round: side.round, ...y, now }, async (answer) => {
      const sheet = await sheetOf(answer, page.gap)
      this.given.show(answer, sheet, 0, null, readingOf(answer.cells[0]))
      this.push.element.hidden = answer.columns < 2
      if (answer.columns > 1) this.push.show(answer, sheet, 1, null, `largest ${number(answer.largest)}`)
      this.said = answer
      this.tell()
      if (!page.first.side.run) page.showGiven(answer, sheet, source)
    })
  }

  // Of a game with classes D is told one: what the classifier reads, unless the visitor says which digit it was to be.
  askClass() {
    const { about } = this.side
    if (!about.conditional || this.asked.firstChild) return
    const options = [["", "as the classifier reads it"], ...about.classes.map((name, index) => [String(index), name])]
    this.asked.replaceChildren(select("class that D is told", options, this.page.choice.y, (y) => this.page.choice.set({ y })).element)
  }

  lineUp() {
    const { side, page } = this
    const wanted = `${side.run} ${side.round}`
    if (this.lined === wanted) return
    this.lined = wanted
    side.link.ask("line", { do: "line", round: side.round }, async (answer) => {
      if (this.lined !== wanted) return
      this.line = answer
      const sheet = await sheetOf(answer, page.gap)
      const groups = ["fake", "real"].filter((name) => answer[name])
      groups.forEach((name, group) => {
        const pictures = answer[name].slice(0, answer.columns).map((opinion, index) => {
          const picture = new Picture(`${name === "fake" ? "sample" : "real picture"} ${index + 1}`, "small")
          picture.show(answer, sheet, group * answer.columns + index, null, this.unit(opinion))
          return picture.element
        })
        ;(name === "fake" ? this.fakes : this.reals).replaceChildren(...pictures)
      })
      this.tell()
    })
  }

  get isProbability() {
    return this.side.about.unit === "probability"
  }

  unit(opinion) {
    return this.isProbability ? number(opinion, "percent") : number(opinion)
  }

  tell() {
    const { said, line } = this
    const { about } = this.side
    if (said) {
      const told = said.class === undefined ? "" : `, told that it is a ${said.class}`
      const more = this.isProbability ? `real with probability ${number(said.opinion, "percent")}` : `a score of ${number(said.opinion)}`
      setText(this.opinion, `D says: ${more}${told}.`)
    }
    if (!line) return
    this.chart.replaceChildren(opinionChart(line, said?.opinion, (value) => this.unit(value), this.isProbability))
    const below = (name) => (said && line[name] ? number(line[name].filter((one) => one <= said.opinion).length / line[name].length, "percent") : "–")
    const what = about.unit === "probability" ? "more probable" : "higher"
    setText(this.hint, said ? `D finds the drawing at least as ${what === "higher" ? "high" : "probable"} as ${below("fake")} of ${integer(line.n)} samples of G and ${below("real")} of as many real held-out pictures. ${said.columns > 1 ? "In the push white would lighten a pixel and black darken it, so that D takes the drawing for real sooner; grey is none." : "Where a game has classes no push is defined."}` : "")
  }
}

// Two histograms on one axis, samples below and real ones above it, and the mark of the drawing.
function opinionChart({ fake = [], real }, opinion, unit, isProbability) {
  const NS = "http://www.w3.org/2000/svg"
  const all = [...fake, ...real, ...(opinion === undefined ? [] : [opinion])]
  let [low, high] = isProbability ? [0, 1] : [Math.min(...all), Math.max(...all)]
  if (high - low < 1e-9) [low, high] = [low - 1, high + 1]
  const counts = (values) => {
    const bins = new Array(BINS).fill(0)
    for (const value of values) bins[Math.min(BINS - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * BINS)))]++
    return bins
  }
  const [above, below] = [counts(real), counts(fake)]
  const tallest = Math.max(1, ...above, ...below)
  const make = (tag, attributes, text) => {
    const node = document.createElementNS(NS, tag)
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
    if (text) node.textContent = text
    return node
  }
  const mark = opinion === undefined ? "" : `; the drawing ${unit(opinion)}`
  const svg = make("svg", { viewBox: "0 0 360 132", class: "gd-opinions", role: "img", "aria-label": `What D says of ${real.length} real pictures and ${fake.length} samples${mark}` })
  const wide = 340 / BINS
  above.forEach((count, index) => svg.append(make("rect", { x: 10 + index * wide, width: wide - 1, y: 61 - (count / tallest) * 44, height: (count / tallest) * 44, fill: REAL })))
  below.forEach((count, index) => svg.append(make("rect", { x: 10 + index * wide, width: wide - 1, y: 63, height: (count / tallest) * 44, fill: GENERATED })))
  svg.append(make("text", { x: 10, y: 124, class: "gd-axis" }, unit(low)), make("text", { x: 350, y: 124, class: "gd-axis", "text-anchor": "end" }, unit(high)))
  if (opinion !== undefined) {
    const x = 10 + 340 * Math.min(1, Math.max(0, (opinion - low) / (high - low)))
    svg.append(make("line", { x1: x, x2: x, y1: 15, y2: 110, class: "gd-mark" }), make("text", { x: Math.min(325, Math.max(35, x)), y: 11, class: "gd-axis gd-strong", "text-anchor": "middle" }, "drawing"))
  }
  return svg
}
