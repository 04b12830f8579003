// What came from the server, put together. Knows nothing of the page.

class Store {
  constructor() {
    this.cursor = -1
    this.generation = 0 // grows with each snapshot: what was drawn before it is void
    this.status = null
    this.reference = {}
    this.clear()
  }

  clear() {
    this.tracks = {}
    this.frames = []
    this.events = []
    this.eventIds = new Set()
  }

  // "gap" if something was missed, "old" if it is known already, else "new".
  apply(message) {
    if (!message.full) {
      if (message.cursor <= this.cursor) return "old"
      if (message.cursor !== this.cursor + 1) return "gap"
    } else {
      this.clear()
      this.generation += 1
      this.reference = {}
    }
    if (message.reference) {
      // What a run is compared with becomes known bit by bit; what was drawn with less is drawn again.
      this.reference = { ...this.reference, ...message.reference }
      this.generation += 1
    }
    this.cursor = message.cursor
    if (message.status) this.status = message.status
    for (const [track, columns] of Object.entries(message.tracks || {})) {
      const known = (this.tracks[track] = this.tracks[track] || {})
      for (const [name, { x, y }] of Object.entries(columns)) {
        const column = (known[name] = known[name] || { x: [], y: [] })
        for (let i = 0; i < x.length; i++) {
          column.x.push(x[i])
          column.y.push(y[i])
        }
      }
    }
    for (const frame of message.frames || []) this.addFrame(frame)
    for (const event of message.events || []) {
      if (event.id !== undefined && this.eventIds.has(event.id)) continue
      this.eventIds.add(event.id)
      this.events.push(event)
    }
    return "new"
  }

  addFrame(frame) {
    const index = atOrBefore(this.frames, frame.round)
    const found = this.frames[index]
    if (found && found.round === frame.round) found.parts = { ...found.parts, ...frame.parts }
    else this.frames.splice(index + 1, 0, { round: frame.round, parts: { ...frame.parts } })
  }

  column(track, name) {
    return (this.tracks[track] || {})[name]
  }

  // The newest frame at or before a round that holds the part.
  part(name, round) {
    for (let i = atOrBefore(this.frames, round); i >= 0; i--) {
      if (this.frames[i].parts[name]) return { round: this.frames[i].round, value: this.frames[i].parts[name] }
    }
    return null
  }

  get longest() {
    let most = 0
    for (const columns of Object.values(this.tracks))
      for (const { x } of Object.values(columns)) most = Math.max(most, x.length)
    return most
  }

  get ended() {
    return this.status !== null && ENDED.includes(this.status.state)
  }

  // A value that belongs to a round: the newest at or before it.
  valueAt(track, name, round) {
    const column = this.column(track, name)
    if (!column) return null
    for (let i = column.x.length - 1; i >= 0; i--) if (column.x[i] <= round) return column.y[i]
    return null
  }

  label(column) {
    const labels = this.reference.labels || {}
    return labels[column] || column.replace(".", " ").replaceAll("_", " ")
  }
}
