// Hocuspocus as its documentation starts it, with its SQLite extension. Arguments: port, database file.

import { SQLite } from '@hocuspocus/extension-sqlite'
import { Server } from '@hocuspocus/server'

const [port, database] = process.argv.slice(2)
const unmerged = process.env.BENCH_UNMERGED === '1'

const server = new Server({
  address: '127.0.0.1',
  port: Number(port),
  quiet: true,
  extensions: [new SQLite({ database })],
  ...(unmerged ? { flushDelay: false } : {}),
})
await server.listen()
