import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StreamServerOptions } from '../../hub/cloud/index.ts'
import { testAuthority } from '../../platform/certificates/testing/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { kubeletAuthorities } from './kubelet-authorities.ts'

const stream: StreamServerOptions = {
  ...{ host: '127.0.0.1', port: 0, perCaller: 1, altogether: 1 },
  nodes: { by: 'ports', address: '127.0.0.1' },
}
const ownCa = () => 'own'

test('the stream endpoint is checked by the CA of the cloud half, other kubelets by none', async () => {
  const at = await kubeletAuthorities(undefined, { stream, ownCa })
  assert.deepEqual([at('127.0.0.1'), at('192.0.2.7')], ['own', undefined])
})

test('nobody is believed at the stream endpoint before the CA is open', async () => {
  const at = await kubeletAuthorities(undefined, { stream, ownCa: () => undefined })
  assert.throws(() => at('127.0.0.1'), { code: 'PROCESS_KUBELETS_NOT_YET' })
  assert.equal(at('192.0.2.7'), undefined)
})

test('an authority that is named checks all other kubelets, and the stream endpoint where that shows files', async () => {
  const file = join(temporaryFolder('skerry-authorities-'), 'ca.crt')
  const { certificatePem } = await testAuthority()
  await writeFile(file, certificatePem)
  const own = await kubeletAuthorities(file, { stream, ownCa })
  assert.deepEqual([own('127.0.0.1'), own('192.0.2.7')], ['own', certificatePem])
  const serving = { certificate: 'a', key: 'b' }
  const files = await kubeletAuthorities(file, { stream: { ...stream, serving }, ownCa })
  assert.equal(files('127.0.0.1'), certificatePem)
  for (const none of [undefined, { ...stream, nodes: { by: 'packet-filter', port: 10_351 } as const }])
    assert.equal((await kubeletAuthorities(file, { stream: none, ownCa }))('127.0.0.1'), certificatePem)
})

test('a file without a certificate is refused with its name', async () => {
  const folder = temporaryFolder('skerry-authorities-')
  const file = join(folder, 'ca.crt')
  const wrong = { code: 'PROCESS_KUBELETS_CONFIG', fields: { pointer: '/kubernetes/kubeletCa', file } }
  await assert.rejects(kubeletAuthorities(file, { stream, ownCa }), wrong)
  await writeFile(file, 'no PEM')
  await assert.rejects(kubeletAuthorities(file, { stream, ownCa }), wrong)
})
