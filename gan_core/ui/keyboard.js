// @ts-check
// What every component that hears keys wherever the focus is must know: whether somebody is typing.

const TYPING =
  "input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true], [role=textbox], [role=combobox]"

export const targetOf = (/** @type {Event} */ event) => (event.target instanceof Element ? event.target : document.body)

export const isTyping = (/** @type {Element} */ target) =>
  Boolean(target.closest(TYPING) || target.closest("[role=dialog]"))
