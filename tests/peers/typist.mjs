// One person's tab: a stock y-websocket client that types transactions of a trace.

import WebSocket from 'ws'
import * as Y from 'yjs'
import { WebsocketProvider } from 'y-websocket'
import { applyPatches } from './trace.mjs'

const PATIENCE = 30_000

export class Typist {
  /** `seat` is {url, origin, document, session}: the sockets' base address, the site, which document, the cookie. */
  constructor(seat, doc = new Y.Doc()) {
    this.doc = doc
    this.text = doc.getText('trace')
    this.written = [] // per transaction: how another document can tell that it has it
    this.carried = [] // update frames under way: the network has a latency here, which the trace prescribes
    this.released = 0 // transactions that the network has delivered to the server
    this.seen = 0 // transactions of the other person that this document covers
    this.syncs = 0
    this.wake = () => {}
    doc.on('afterTransaction', transaction => {
      if (transaction.local && transaction.origin === null) this.mark = markOf(transaction)
      this.wake()
    })
    const typist = this
    this.provider = new WebsocketProvider(`${seat.url}/ws/documents`, seat.document, doc, {
      disableBc: true,
      WebSocketPolyfill: class extends WebSocket {
        constructor(url, protocols) {
          super(url, protocols, { headers: { Cookie: `sessionid=${seat.session}`, Origin: seat.origin } })
        }

        send(frame, ...rest) {
          if (isUpdate(frame)) typist.carried.push({ number: typist.written.length, frame })
          else super.send(frame, ...rest)
        }

        deliver(frame) {
          super.send(frame)
        }
      },
    })
    this.provider.on('sync', synced => {
      if (synced) this.syncs++
      this.wake()
    })
    this.provider.on('closed', ({ code }) => this.fail(new Error(`the server closed for good with ${code}`)))
    this.provider.on('connection-error', ({ message }) => (this.lastError = message))
  }

  /** Resolves when the server's state has arrived for the `times`-th time: once after every connection. */
  async synced(times = 1) {
    await this.until(() => this.syncs >= times, `sync number ${times}`)
  }

  type(txn) {
    this.mark = { clock: Y.getState(this.doc.store, this.doc.clientID), deleted: [] }
    applyPatches(this.text, txn)
    this.written.push(this.mark)
    this.deliver()
  }

  /** Let the first `count` transactions reach the server, now or as soon as they are typed. */
  release(count) {
    this.released = Math.max(this.released, count)
    this.deliver()
  }

  deliver() {
    while (this.carried.length > 0 && this.carried[0].number < this.released) {
      const { frame } = this.carried.shift()
      const socket = this.provider.ws
      // What a lost connection did not take goes with the sync after it comes back.
      if (socket?.readyState === WebSocket.OPEN) socket.deliver(frame)
    }
  }

  /** Resolves when this document holds the other's first `count` transactions, and fails if it holds more. */
  async sees(other, count) {
    await this.until(() => {
      while (this.seen < count && this.seen < other.written.length && this.has(other, other.written[this.seen])) this.seen++
      return this.seen >= count
    }, `${count} transactions of the other`)
    const next = other.written[count]
    const before = count > 0 ? other.written[count - 1].clock : 0
    if (next && next.clock > before && Y.getState(this.doc.store, other.doc.clientID) > before) {
      throw new Error(`transaction ${count} of the other arrived before its time`)
    }
  }

  has(other, { clock, deleted }) {
    const { store } = this.doc
    return Y.getState(store, other.doc.clientID) >= clock && deleted.every(range => isDeleted(store, range))
  }

  async until(condition, what) {
    while (!condition()) {
      await new Promise((resolve, reject) => {
        const status = () => `wrote ${this.written.length}, sees ${this.seen}; last error: ${this.lastError ?? 'none'}`
        const timer = setTimeout(() => reject(new Error(`waited in vain for ${what} (${status()})`)), PATIENCE)
        const settle = end => value => {
          clearTimeout(timer)
          end(value)
        }
        this.wake = settle(resolve)
        this.fail = settle(reject)
      })
    }
  }

  fail(error) {
    throw error
  }

  /** The text, and whether anything waits for history that never came. */
  result() {
    const { pendingStructs, pendingDs } = this.doc.store
    return { text: this.text.toString(), pending: pendingStructs !== null || pendingDs !== null }
  }

  leave() {
    this.provider.destroy()
  }
}

const isUpdate = frame => frame[0] === 0 && frame[1] === 2

function markOf({ doc, deleteSet }) {
  const deleted = [...deleteSet.clients].flatMap(([client, items]) => items.map(({ clock, len }) => ({ client, clock, len })))
  return { clock: Y.getState(doc.store, doc.clientID), deleted }
}

function isDeleted(store, { client, clock, len }) {
  for (let at = clock; at < clock + len; ) {
    if (Y.getState(store, client) <= at) return false
    const item = Y.getItem(store, Y.createID(client, at))
    if (!item.deleted) return false
    at = item.id.clock + item.length
  }
  return true
}
