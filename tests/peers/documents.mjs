// Stock Yjs documents for a test that carries their updates itself: `node documents.mjs`. One order a line on standard input,
// one answer a line; bytes are base64. `client` names the document; what it writes itself is answered as a list of updates.

import { createInterface } from 'node:readline'
import * as Y from 'yjs'

const ROOT = 'typed'
const documents = new Map()
let updates = []

const base64 = bytes => Buffer.from(bytes).toString('base64')
const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))
const written = () => updates.splice(0).map(base64)

const orders = {
  forget: () => documents.clear(),
  make: (_, { client }) => {
    const doc = new Y.Doc()
    doc.clientID = client
    doc.on('update', (update, origin) => origin === 'network' || updates.push(update))
    documents.set(client, doc)
  },
  insert: (doc, { at, text }) => (doc.getText(ROOT).insert(at, text), written()),
  delete: (doc, { at, length }) => (doc.getText(ROOT).delete(at, length), written()),
  apply: (doc, { update }) => Y.applyUpdate(doc, bytes(update), 'network'),
  state: doc => base64(Y.encodeStateVector(doc)),
  update: (doc, { since }) => base64(Y.encodeStateAsUpdate(doc, bytes(since))),
  text: doc => doc.getText(ROOT).toString(),
}

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line)
  const answer = orders[order.order](documents.get(order.client), order)
  process.stdout.write(JSON.stringify(answer ?? null) + '\n')
}
