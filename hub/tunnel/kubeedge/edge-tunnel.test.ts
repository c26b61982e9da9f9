import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { ms } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { EdgeTunnel } from './edge-tunnel.ts'

test('a stream on which no whole head comes ends after half a minute, one that asked goes on', async () => {
  const clock = new FakeClock()
  const wire = {
    write: (_message: Buffer, taken: () => void) => taken(),
    pause: () => undefined,
    resume: () => undefined,
  }
  const tunnel = new EdgeTunnel({ wire, clock, onBreach: assert.fail })
  const never = new AbortController().signal
  const asked = await tunnel.open('edged', never)
  asked.write('GET /containerLogs/a/b/c?follow=true HTTP/1.1\r\nhost: edge\r\n\r\n')
  await once(asked, 'readable')
  const silent = await tunnel.open('edged', never)
  const slow = await tunnel.open('edged', never)
  slow.write('GET /containerLogs/a/b/c HTTP/1.1\r\nhost: ed')
  const ends = Promise.all([silent, slow].map((stream) => once(stream.resume(), 'close')))
  await clock.advance(ms(29_000))
  assert.equal(tunnel.size, 3)
  await clock.advance(ms(1001))
  await ends
  assert.equal(tunnel.size, 1)
  assert.equal(asked.destroyed, false)
  tunnel.end('the test is over')
})
