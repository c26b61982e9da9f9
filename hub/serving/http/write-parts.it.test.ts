import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { nextTurn, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { writeParts } from './write-parts.ts'

const PART = 'x'.repeat(64 * 1024)

function* endless(made: { parts: number }): Generator<string> {
  for (;;) {
    made.parts++
    yield PART
  }
}

/** A server that answers with these parts, and what its client gets. */
async function serve(t: TestContext, parts: Iterator<string>) {
  const clock = new FakeClock()
  const state = { slow: 0 }
  const leaving = new AbortController()
  const written = Promise.withResolvers<ServerResponse>()
  const server = createServer((_, response) => {
    const answer = { code: 200, type: 'application/json', text: '' }
    const options = { signal: leaving.signal, clock, onSlow: () => void state.slow++ }
    response.on('close', () => leaving.abort())
    writeParts(response, answer, parts, options).then(() => written.resolve(response), written.reject)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.closeAllConnections())
  t.after(() => void server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const asking = get({ host: '127.0.0.1', port: address.port, agent: false })
  asking.on('error', () => undefined)
  const [response]: IncomingMessage[] = await once(asking, 'response')
  assert.ok(response)
  return { clock, state, response, written: written.promise }
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return text
}

describe('an answer in parts', () => {
  it('reaches who reads it whole, and says how long it is where it is short', async (t) => {
    const many = Array.from({ length: 40 }, (_, index) => `${index}${PART}`)
    const long = await serve(t, many.values())
    assert.equal(long.response.headers['content-length'], undefined)
    assert.equal(await textOf(long.response), many.join(''))
    assert.equal((await long.written).writableFinished, true)
    const short = await serve(t, ['{}\n'].values())
    assert.equal(short.response.headers['content-length'], '3')
    assert.equal(await textOf(short.response), '{}\n')
    const none = await serve(t, [].values())
    assert.equal(await textOf(none.response), '')
  })

  it('is not made before its client reads, who is cut off where he reads nothing', async (t) => {
    const made = { parts: 0 }
    const { clock, state, response, written } = await serve(t, endless(made))
    response.on('error', () => undefined)
    response.pause()
    // Whatever the sockets between them hold: then it waits.
    while (clock.waiting === 0) await nextTurn()
    await clock.advance(seconds(59))
    assert.equal(state.slow, 0)
    while (state.slow === 0) {
      await nextTurn()
      await clock.advance(seconds(1))
    }
    assert.equal((await written).destroyed, true)
    assert.equal(state.slow, 1)
    assert.ok(made.parts < 1_000, `${made.parts} parts were made`)
    assert.equal(clock.waiting, 0)
  })

  it('ends where its client leaves', async (t) => {
    const made = { parts: 0 }
    const { state, response, written } = await serve(t, endless(made))
    response.on('error', () => undefined)
    await once(response, 'data')
    response.destroy()
    await written
    assert.equal(state.slow, 0)
  })
})
