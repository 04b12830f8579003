// @ts-check
// The round that is looked at, as it stands in the address of the page.

export function roundInAddress() {
  const round = Number.parseInt(new URL(location.href).searchParams.get("round") || "", 10)
  return Number.isFinite(round) && round >= 0 ? round : null
}

/** @param {number | null} round Null for the newest, which is not in the address. */
export function noteRound(round) {
  const url = new URL(location.href)
  if (round === null) url.searchParams.delete("round")
  else url.searchParams.set("round", String(round))
  if (url.href !== location.href) history.replaceState(history.state, "", url)
}
