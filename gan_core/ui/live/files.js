// The artefacts that frames name: each is fetched once, and the newest are kept.

const FILES_KEPT = 60

class Files {
  constructor(addressOf) {
    this.addressOf = addressOf
    this.asked = new Map() // the promise of each
    this.contents = new Map() // of those that are here
  }

  // A picture, decoded, so that it changes without an empty moment in between; or what a JSON file holds.
  fetch(file) {
    if (!this.asked.has(file)) {
      if (this.asked.size >= FILES_KEPT) {
        const oldest = this.asked.keys().next().value
        this.asked.delete(oldest)
        this.contents.delete(oldest)
      }
      const content = (file.endsWith(".json") ? this.json(file) : this.picture(file)).then((found) => {
        this.contents.set(file, found)
        return found
      })
      content.catch(() => this.asked.delete(file))
      this.asked.set(file, content)
    }
    return this.asked.get(file)
  }

  async json(file) {
    const answer = await fetch(this.addressOf(file))
    if (!answer.ok) throw new Error(`${answer.status}`)
    return answer.json()
  }

  async picture(file) {
    const picture = new Image()
    picture.src = this.addressOf(file)
    await picture.decode()
    return picture
  }
}
