import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fingerprint, parseCertificate } from '../../../platform/certificates/index.ts'
import { testAuthority } from '../../../platform/certificates/testing/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { minutes, seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { startEndpoint } from '../testing/certificate-endpoint.ts'
import { countingRandom } from '../testing/edge-bench.ts'
import { identityFiles } from './identity-files.ts'
import { joinNode } from './join-node.ts'
import { createRotationModule } from './rotation.ts'
import { parseJoinToken } from './token.ts'

/** A node that has joined, whose clock stands there by so much after the end of its certificate. */
async function ahead(t: TestContext, pastEnd: number) {
  const authority = await testAuthority()
  const endpoint = await startEndpoint(t, authority)
  const directory = temporaryFolder('skerry-clock-')
  const files = identityFiles(directory)
  const token = parseJoinToken(`${fingerprint(authority.certificateDer)}.h.e30.s`)
  const node = { address: endpoint.address, nodeName: 'edge-1', files }
  const { certificate } = await joinNode({ ...node, token, clock: systemClock })
  const clock = new FakeClock(parseCertificate(certificate).notAfter.getTime() + pastEnd)
  const log = memoryLogger()
  let rotations = 0
  const rotation = createRotationModule({
    ...node,
    clock,
    log,
    random: countingRandom(),
    onRotated: () => {
      rotations++
    },
  })
  return { rotation, clock, log, endpoint, rotations: () => rotations }
}

const YEAR_MS = 365 * 86_400_000

test('a clock that is years ahead costs one renewal an hour, not one for each connection, and the log says to set it', async (t) => {
  const { rotation, clock, log, endpoint, rotations } = await ahead(t, 3 * YEAR_MS)
  const asked = () => endpoint.calls.filter(({ path }) => path === '/edge.crt').length
  const first = await rotation.identity()
  for (let dial = 0; dial < 5; dial++) assert.equal((await rotation.identity()).certificate, first.certificate)
  assert.deepEqual([asked(), rotations()], [2, 1], 'the join and one renewal')
  assert.ok(log.messages('warn').some((message) => /set the clock/.test(message)))
  await clock.advance(minutes(61))
  assert.notEqual((await rotation.identity()).certificate, first.certificate)
  assert.equal(asked(), 3)
})

test('the background renewal rests as well after a certificate that is old as it comes', async (t) => {
  const { rotation, clock, log, rotations } = await ahead(t, YEAR_MS)
  const onCrash = (error: unknown) => log.error('crashed', { error })
  const scope = createScope('rotation', { clock: systemClock, log, deadline: seconds(5), onCrash })
  await rotation.start(scope)
  while (rotations() === 0) await new Promise((resolve) => setImmediate(resolve))
  // What follows a renewal at once would have begun by then.
  for (let turn = 0; turn < 20; turn++) await rotation.identity()
  await clock.advance(minutes(50))
  for (let turn = 0; turn < 20; turn++) await rotation.identity()
  assert.equal(rotations(), 1)
  const closing = scope.close(seconds(5))
  await clock.advance(seconds(1))
  await closing
})

test('a clock that is behind the certificate of the cloud is told so, and nothing secret is sent', async (t) => {
  const authority = await testAuthority()
  const endpoint = await startEndpoint(t, authority, { host: 'localhost', validIn: 0.5 })
  const directory = temporaryFolder('skerry-clock-')
  const token = parseJoinToken(`${fingerprint(authority.certificateDer)}.h.e30.s`)
  const node = { address: endpoint.address, nodeName: 'edge-1', files: identityFiles(directory) }
  await assert.rejects(joinNode({ ...node, token, clock: systemClock }), {
    code: 'HUB_CLOCK_BEHIND',
    message: /set the clock/,
  })
  assert.deepEqual(
    endpoint.calls.map(({ path }) => path),
    ['/ca.crt'],
  )
})
