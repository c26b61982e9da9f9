import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { type TestContext, test } from 'node:test'
import { ms } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { wholeBody } from './whole-body.ts'

/** A caller whose body is sent piece by piece, and what becomes of it. */
async function begin(t: TestContext, most = 1000) {
  const clock = new FakeClock()
  const server = createServer()
  const arrived = Promise.withResolvers<void>()
  let onPiece: () => void = () => undefined
  const heard = () =>
    new Promise<void>((resolve) => {
      onPiece = resolve
    })
  const body = once(server, 'request').then(async ([request]) => {
    request.on('data', () => onPiece())
    arrived.resolve()
    return await wholeBody(request, most, { clock, signal: new AbortController().signal })
  })
  body.catch(() => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const call = httpRequest({ host: '127.0.0.1', port, method: 'POST', agent: false })
  call.on('error', () => undefined)
  t.after(() => {
    call.destroy()
    server.close()
  })
  call.flushHeaders()
  await arrived.promise
  return { clock, body, call, heard }
}

test('a caller that lets its body wait is told so after a while, and holds nothing longer', async (t) => {
  const { clock, body, call } = await begin(t)
  call.write('begun')
  await clock.advance(ms(14_000))
  await clock.advance(ms(15_001))
  await assert.rejects(body, /the body does not come/)
})

test('a body that goes on coming is waited for', async (t) => {
  const { clock, body, call, heard } = await begin(t)
  for (let piece = 0; piece < 5; piece++) {
    const next = heard()
    call.write('x')
    await next
    await clock.advance(ms(14_000))
  }
  call.end('!')
  assert.equal((await body).toString(), 'xxxxx!')
})
