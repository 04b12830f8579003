// @ts-check
// Lists that are sorted by round.

// The newest item at or before a round, in a list that is sorted by round; -1 if there is none.
/**
 * @param {{ round: number }[]} list
 * @param {number} round
 */
export function atOrBefore(list, round) {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle].round <= round) low = middle + 1
    else high = middle
  }
  return low - 1
}
