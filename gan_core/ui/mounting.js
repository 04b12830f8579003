// @ts-check
// What a component shows at its place in a page, from Streamlit's first call for the place until the place is gone.

/**
 * What Streamlit hands over with each call.
 * @typedef {object} Component
 * @property {any} data
 * @property {HTMLElement} parentElement The place.
 * @property {(name: string, value: any) => void} setTriggerValue
 * @property {(name: string, value: any) => void} setStateValue
 */

/**
 * The function that Streamlit calls, again after each rerun that brings other data. What `make` made for a place stays there,
 * and each later call is told to `update`; where it does not `fit` what is told now, another takes its place.
 *
 * Streamlit calls while an earlier call still waits for scripts, and then runs the cleanup of the earlier one after both have
 * drawn. Only the last call for a place takes away what is there.
 *
 * @template {{ destroy: () => void }} Shown
 * @param {(component: Component) => Shown} make
 * @param {(shown: Shown, component: Component) => void} [update]
 * @param {(shown: Shown, component: Component) => boolean} [fits]
 */
export function mounting(make, update = () => {}, fits = () => true) {
  /** @type {WeakMap<HTMLElement, { shown: Shown }>} */
  const calls = new WeakMap()
  /** @param {Component} component */
  return (component) => {
    const place = component.parentElement
    let before = calls.get(place)
    if (before && !fits(before.shown, component)) {
      before.shown.destroy()
      before = undefined
    }
    const call = { shown: before ? before.shown : make(component) }
    calls.set(place, call)
    if (before) update(call.shown, component)
    return () => {
      if (calls.get(place) !== call) return
      calls.delete(place)
      call.shown.destroy()
    }
  }
}
