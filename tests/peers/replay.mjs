// Replays a trace through the server: `node replay.mjs`, with a JSON line on standard input
// {document, trace, pause, seats: [{url, origin, session}, … for the two writers and for one who joins afterwards]}.
//
// Prints {"moment": "half"} at a quiet moment and, with `pause`, waits for another line, which means that the server was away
// (the tabs stay open), and until both tabs are back. Ends with {"moment": "end", "results": [{text, pending} of both writers and of one who joins afterwards]}.

import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { quietMoment, readTrace } from './trace.mjs'
import { Typist } from './typist.mjs'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const say = value => process.stdout.write(JSON.stringify(value) + '\n')
const order = JSON.parse((await lines.next()).value)
const trace = readTrace(order.trace)
const half = quietMoment(trace)

// Where both insert at the same place the lower client id comes first, and the trace wants agent 0 first.
const docs = [new Y.Doc(), new Y.Doc()].sort((a, b) => a.clientID - b.clientID)
const writers = docs.map((doc, agent) => new Typist({ ...order.seats[agent], document: order.document }, doc))
const partOf = (agent, part) => trace.txns.filter(txn => txn.agent === agent && txn.index < half === (part === 'first'))

async function write(agent, part) {
  const [me, other] = [writers[agent], writers[1 - agent]]
  for (const txn of partOf(agent, part)) {
    const needed = txn.past[1 - agent]
    if (needed > me.seen) {
      other.release(needed)
      await me.sees(other, needed)
    }
    me.type(txn)
  }
}

const both = act => Promise.all([0, 1].map(act))

await both(agent => writers[agent].synced())
await both(agent => write(agent, 'first'))
await both(agent => writers[agent].release(writers[agent].written.length))
say({ moment: 'half' })
if (order.pause) {
  await lines.next()
  // A tab that is not back yet would send all it wrote meanwhile with its sync, too early for the other one.
  await both(agent => writers[agent].synced(2))
}
await both(agent => write(agent, 'second'))
await both(agent => writers[agent].release(writers[agent].written.length))
await both(agent => writers[agent].sees(writers[1 - agent], writers[1 - agent].written.length))

const late = new Typist({ ...order.seats[2], document: order.document })
await late.synced()
say({ moment: 'end', results: [...writers, late].map(typist => typist.result()) })
for (const typist of [...writers, late]) typist.leave()
process.exit()
