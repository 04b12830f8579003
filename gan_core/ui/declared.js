// @ts-check
// What Python has decided: written by declared.py, a test holds both to each other.

// States of a run that has ended.
export const ENDED = ["finished", "stopped", "failed", "diverged", "interrupted"]

// Kinds of events that have a line on curves.
export const MARKED_EVENTS = ["diverged", "knob", "paused", "resumed", "forked", "fork", "verdict"]

// Verdicts of a run about which little can be said yet.
export const BEGINNINGS = ["starting", "learning"]

// The view that leads others, as these call it.
export const LEAD = "lead"

// Of the values at either end, that do not decide the range of an axis.
export const CUT = 0.02

// Of that range, at either end.
export const CUT_MARGIN = 0.06

// Ticks of a logarithmic axis with fewer decades than this.
export const LOG_TICKS = [{"below": 0.7, "ticks": "D1"}, {"below": 3, "ticks": "D2"}]

// Powers of ten with a tick, on an axis of more decades.
export const MOST_DECADES = 6

// Of the real samples: below that no class is told from chance.
export const LEAST_REAL = 0.005

// Times as long may one axis of a plane be as the other, both drawn to one scale.
export const MOST_UNLIKE = 3

// Characters of a note to the teacher.
export const NOTE_LENGTH = 300

// Of real data, of what is generated, and of classes in turn.
export const COLOURS = {"real": "#009E73", "generated": "#D55E00", "unsure": "#8A8F98", "classes": ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1", "#8A8F98", "#B8860B", "#5B8C5A"]}
