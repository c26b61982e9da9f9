import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { patchSpeed, registerOf, untilDeviceField, waitSynced } from '../testing/pump.ts'
import { eventually } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

describe('backup and restore', { skip: needs('kubectl', 'mbpoll') }, () => {
  let directory: string
  let up: RunningUp

  before(async () => {
    directory = temporaryDirectory()
    up = await startUp(directory)
    await untilDeviceField(up, '{.status.state}', 'online')
  })

  after(() => up.stop())

  const untilRegister = (value: number) =>
    eventually(`the register holds ${value}`, async () => ((await registerOf(up)) === value ? true : undefined), 60_000)

  it('an API that was lost comes back as it was, and its gateways and devices go on with it', async () => {
    const file = join(directory, 'api.backup')
    assert.equal((await patchSpeed(up, '700')).code, 0)
    await untilRegister(700)
    await waitSynced(up)
    assert.equal((await up.kubectl('create', 'configmap', 'earlier')).code, 0)

    let isMade = false
    const making = up.skerry('backup', file).finally(() => {
      isMade = true
    })
    for (let count = 0; !isMade; count++) assert.equal((await up.kubectl('create', 'configmap', `m${count}`)).code, 0)
    const made = await making
    assert.equal(made.code, 0, made.stderr)

    assert.equal((await patchSpeed(up, '900')).code, 0)
    await untilRegister(900)
    const running = await up.skerry('restore', file, '--force')
    assert.match(running.stderr, /Another process uses this data directory/)
    assert.equal((await up.skerry('stop', 'cloud')).code, 0)
    for (const each of ['kubernetes.db', 'kubernetes.db-wal', 'kubernetes.db-shm', 'pki', 'kubeconfig']) {
      await rm(join(directory, 'cloud', each), { recursive: true, force: true })
    }
    const restored = await up.skerry('restore', file)
    assert.equal(restored.code, 0, restored.stderr)
    assert.equal((await up.skerry('start', 'cloud')).code, 0)

    await eventually(
      'the API answers again',
      async () => ((await up.kubectl('get', 'configmap', 'earlier')).code === 0 ? true : undefined),
      60_000,
    )
    assert.equal(await untilDeviceField(up, '{.spec.properties[0].desired.value}', '700'), '700')
    await untilRegister(700)
    await untilDeviceField(up, '{.status.state}', 'online', 60_000)
    await waitSynced(up)
    assert.equal((await patchSpeed(up, '1000')).code, 0)
    await untilRegister(1000)
  })
})
