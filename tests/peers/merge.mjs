// What a trace must end with, found without a network: `node merge.mjs trace.json` prints the text as JSON.
// One Yjs document per person; each gets from the other exactly what a transaction's author had seen.

import * as Y from 'yjs'
import { applyPatches, readTrace } from './trace.mjs'

const trace = readTrace(process.argv[2])
const people = [0, 1].map(id => {
  const doc = new Y.Doc()
  doc.clientID = id + 1
  const person = { doc, text: doc.getText('trace'), updates: [], seen: 0 }
  doc.on('update', (update, origin) => origin === 'other' || person.updates.push(update))
  return person
})

function showUntil(person, other, count) {
  for (; person.seen < count; person.seen++) Y.applyUpdate(person.doc, other.updates[person.seen], 'other')
}

for (const txn of trace.txns) {
  const [person, other] = txn.agent === 0 ? people : people.toReversed()
  showUntil(person, other, txn.past[1 - txn.agent])
  applyPatches(person.text, txn)
}
const [first, second] = people
showUntil(first, second, second.updates.length)
showUntil(second, first, first.updates.length)
if (first.text.toString() !== second.text.toString()) throw new Error('the two documents differ')
console.log(JSON.stringify(first.text.toString()))
