import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { patchSpeed, registerOf, setDesired, untilDeviceField, waitSynced } from '../testing/pump.ts'
import { eventually } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

const PARTS = ['cloud', 'edge', 'pump', 'boiler', 'balance', 'plug'] as const

describe('outages', { skip: needs('kubectl', 'mbpoll') }, () => {
  let directory: string
  let up: RunningUp

  before(async () => {
    directory = temporaryDirectory()
    up = await startUp(directory)
    await untilDeviceField(up, '{.status.state}', 'online')
  })

  after(() => up.stop())

  const speedAtEdge = (value: string) => setDesired(up, 'targetSpeed', value)
  const untilRegister = (value: number) =>
    eventually(`the register holds ${value}`, async () => ((await registerOf(up)) === value ? true : undefined), 20_000)
  const kill = async (part: string) => process.kill(await up.pid(part), 'SIGKILL')

  it('kill -9 of the cloud half: it comes back with everything that was acknowledged', async () => {
    assert.equal((await patchSpeed(up, '700')).code, 0)
    await kill('cloud')
    await eventually(
      'the API answers again',
      async () => ((await up.kubectl('get', '--raw', '/readyz')).code === 0 ? true : undefined),
      30_000,
    )
    assert.equal(await untilDeviceField(up, '{.spec.properties[0].desired.value}', '700'), '700')
    await untilRegister(700)
    await waitSynced(up)
  })

  it('without the cloud the edge goes on, and the cloud learns of it afterwards', async () => {
    assert.equal((await up.skerry('stop', 'cloud')).code, 0)
    await speedAtEdge('800')
    await untilRegister(800)
    assert.equal((await up.skerry('start', 'cloud')).code, 0)
    await untilDeviceField(up, '{.status.twins[?(@.propertyName=="targetSpeed")].reported.value}', '800', 30_000)
    await untilDeviceField(up, '{.status.conditions[?(@.type=="Synced")].reason}', 'EdgeOverride', 30_000)
  })

  it('kill -9 of the edge half right after an acknowledged change: the change is still there', async () => {
    await speedAtEdge('1100')
    await kill('edge')
    await untilRegister(1100)
    await untilDeviceField(up, '{.status.twins[?(@.propertyName=="targetSpeed")].reported.value}', '1100', 30_000)
  })

  it('an edge that starts without the cloud serves its twins and drives the pump', async () => {
    assert.equal((await up.skerry('stop', 'cloud')).code, 0)
    await kill('edge')
    await eventually(
      'the edge is back',
      async () => ((await up.skerry('status')).code === 0 ? true : undefined),
      30_000,
    )
    await eventually('it takes a change', async () => {
      await speedAtEdge('650')
      return true
    })
    await untilRegister(650)
    assert.equal((await up.skerry('start', 'cloud')).code, 0)
    await untilDeviceField(up, '{.status.twins[?(@.propertyName=="targetSpeed")].reported.value}', '650', 30_000)
  })

  it('a change made in the cloud while the edge is away arrives when it is back', async () => {
    assert.equal((await up.skerry('stop', 'edge')).code, 0)
    assert.equal((await patchSpeed(up, '1234')).code, 0)
    assert.equal((await up.skerry('start', 'edge')).code, 0)
    await untilRegister(1234)
    await waitSynced(up)
  })

  it('kill -9 of the whole tree: the next start converges and has lost nothing', async () => {
    assert.equal((await patchSpeed(up, '555')).code, 0)
    const children = await Promise.all(PARTS.map((part) => up.pid(part)))
    for (const pid of [up.child.pid ?? 0, ...children]) process.kill(pid, 'SIGKILL')
    up = await startUp(directory)
    await untilRegister(555)
    await waitSynced(up)
    await untilDeviceField(up, '{.status.twins[?(@.propertyName=="targetSpeed")].reported.value}', '555')
  })

  it('kill -9 of the supervisor alone leaves no orphans', async () => {
    const children = await Promise.all(PARTS.map((part) => up.pid(part)))
    up.child.kill('SIGKILL')
    await eventually('its children ended', async () => (children.some(isAlive) ? undefined : true), 20_000)
    up = await startUp(directory)
    await untilRegister(555)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
