// @ts-check
// The artefacts that frames name: each is fetched once, and the newest are kept.

const FILES_KEPT = 60

export class Files {
  /** @param {(file: string) => string} addressOf */
  constructor(addressOf) {
    this.addressOf = addressOf
    /** @type {Map<string, Promise<any>>} */
    this.asked = new Map()
    /** @type {Map<string, any>} Of those that are here. */
    this.contents = new Map()
  }

  // A picture, decoded, so that it changes without an empty moment in between; or what a JSON file holds.
  /** @param {string} file */
  fetch(file) {
    if (!this.asked.has(file)) {
      if (this.asked.size >= FILES_KEPT) {
        const [oldest] = this.asked.keys()
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

  /** @param {string} file */
  async json(file) {
    const answer = await fetch(this.addressOf(file))
    if (!answer.ok) throw new Error(`${answer.status}`)
    return answer.json()
  }

  /** @param {string} file */
  async picture(file) {
    const picture = new Image()
    picture.src = this.addressOf(file)
    await picture.decode()
    return picture
  }
}
