import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { listen } from '../../../platform/http/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { toSocket } from './serve-socket.ts'

test('a stream goes to where the socket is by then, and ends at once while it is nowhere', async (t) => {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.end('served'))
  t.after(() => server.close())
  let path: string | undefined
  const serve = toSocket(() => path)

  const [early, cut] = duplexPair()
  cut.on('error', () => undefined)
  serve(cut)
  assert.equal(cut.destroyed, true)
  early.destroy()

  path = join(temporaryFolder(), 'other.sock')
  await listen(server, { path })
  const [mine, theirs] = duplexPair()
  serve(theirs)
  mine.end()
  assert.equal(await text(mine), 'served')
})
