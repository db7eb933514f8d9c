// Traces of people typing at the same time: how to read one, and how to apply a transaction to a Y.Text.
//
// A file is {kind: "concurrent", endContent, numAgents: 2, txns: [{parents: [index…], agent, patches}]}. Patches are
// [position, deleted, inserted], positions in Unicode code points of the text as its author saw it: after all that the
// parents reach, and after the patches before it.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** The trace, each transaction with `past`: how many transactions of agents 0 and 1 its author had seen. */
export function readTrace(path) {
  const bytes = readFileSync(path)
  const trace = JSON.parse(path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
  if (trace.kind !== 'concurrent' || trace.numAgents !== 2) throw new Error('not a concurrent trace of two people')
  const astral = trace.txns.some(({ patches }) => patches.some(([, , inserted]) => /[\u{10000}-\u{10ffff}]/u.test(inserted)))
  const reached = []
  for (const [index, txn] of trace.txns.entries()) {
    txn.index = index
    txn.astral = astral
    txn.past = [0, 1].map(agent => Math.max(0, ...txn.parents.map(parent => reached[parent][agent])))
    reached.push(txn.past.with(txn.agent, txn.past[txn.agent] + 1))
  }
  return trace
}

/** The index nearest to the middle where everybody had seen everything: all that comes later builds on all before. */
export function quietMoment(trace) {
  const seenByLater = []
  let least = [Infinity, Infinity]
  for (const { index, past } of trace.txns.toReversed()) {
    least = least.map((count, agent) => Math.min(count, past[agent]))
    seenByLater[index] = least
  }
  const written = [0, 0]
  const quiet = []
  for (const { index, agent } of trace.txns) {
    if (written.every((count, other) => seenByLater[index][other] >= count)) quiet.push(index)
    written[agent] += 1
  }
  const middle = trace.txns.length / 2
  return quiet.reduce((best, index) => (Math.abs(index - middle) < Math.abs(best - middle) ? index : best))
}

export function applyPatches(text, txn) {
  text.doc.transact(() => {
    for (const [position, deleted, inserted] of txn.patches) {
      const [start, end] = txn.astral ? unitOffsets(text, position, position + deleted) : [position, position + deleted]
      if (end > start) text.delete(start, end - start)
      if (inserted) text.insert(start, inserted)
    }
  })
}

/** Yjs counts UTF-16 units. Converting costs a look at the whole text, so only traces that need it pay. */
function unitOffsets(text, ...points) {
  const characters = [...text.toString()]
  return points.map(point => characters.slice(0, point).join('').length)
}
