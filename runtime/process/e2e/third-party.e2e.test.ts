import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { collect, eventually } from '../testing/run.ts'
import { type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

/** A mapper of others. While its `trigger` counts down, each start of it ends in the crime. */
const mapper = (protocol: string, crime = '') => `
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { configSchema, defineMapper, noConnection, readEach, Type } from 'skerry/mapper'
export default defineMapper({
  contract: 1,
  protocol: '${protocol}',
  deviceConfig: configSchema(Type.Object({ trigger: Type.String({ default: '' }) }, { additionalProperties: false })),
  visitorConfig: configSchema(Type.Object({ field: Type.String({ pattern: '^[a-z]+$' }) }, { additionalProperties: false })),
  connectionKey: ({ trigger }) => trigger,
  connect: noConnection,
  read: (_connection, visits, signal) => readEach(visits, signal, ({ device: { trigger } }) => {
    const left = existsSync(trigger) ? Number(readFileSync(trigger, 'utf8')) : 0
    if (left > 0) {
      writeFileSync(trigger, String(left - 1))
      ${crime}
    }
    return 42
  }),
})
`

const device = (name: string, protocol: string, trigger: string, field = 'level') => `
apiVersion: devices.kubeedge.io/v1beta1
kind: Device
metadata: { name: ${name}, namespace: default }
spec:
  deviceModelRef: { name: tank }
  nodeName: edge-1
  protocol: { protocolName: ${protocol}, configData: { trigger: "${trigger}" } }
  properties:
    - { name: level, collectCycle: 200, visitors: { protocolName: ${protocol}, configData: { field: ${field} } } }
---
`

const MODEL = `
apiVersion: devices.kubeedge.io/v1beta1
kind: DeviceModel
metadata: { name: tank, namespace: default }
spec:
  properties: [{ name: level, type: INT, accessMode: ReadOnly }]
---
`

const UP = `
mappers:
  use:
    - ./hangs.mjs
    - skerry-mapper-absent
    - ./loops.mjs
    - mapper: ./segfaults.mjs
      isolation: process
    - ./steady.mjs
`

const ONLINE = '{.status.conditions[?(@.type=="Online")]'

describe('mappers of others', { skip: needs('kubectl') }, () => {
  let folder: string
  let up: RunningUp
  const trigger = (name: string) => join(folder, `${name}.trigger`)

  before(async () => {
    folder = temporaryDirectory()
    await writeFile(join(folder, 'hangs.mjs'), 'await new Promise(() => setInterval(() => undefined, 1000))')
    await writeFile(join(folder, 'loops.mjs'), mapper('loops', 'for (;;);'))
    await writeFile(join(folder, 'segfaults.mjs'), mapper('segfaults', "process.kill(process.pid, 'SIGSEGV')"))
    await writeFile(join(folder, 'steady.mjs'), mapper('steady'))
    await writeFile(join(folder, 'up.yaml'), UP)
    await mkdir(join(folder, 'data'))
    up = await startUp(join(folder, 'data'), '--no-samples', '--config', join(folder, 'up.yaml'))
    const devices = ['loops', 'segfaults', 'steady'].map((name) => device(`a-${name}`, name, trigger(name)))
    await apply('devices.yaml', MODEL, ...devices)
  })

  after(() => up?.stop())

  async function apply(name: string, ...manifests: readonly string[]) {
    await writeFile(join(folder, name), manifests.join(''))
    const applied = await up.kubectl('apply', '-f', join(folder, name))
    assert.equal(applied.code, 0, applied.stderr)
    return applied
  }

  const online = async (name: string, field: string) =>
    (await up.kubectl('get', 'device', name, '-o', `jsonpath=${ONLINE}.${field}}`)).stdout

  /** What is said of a device from now on, a line for each change. */
  function watch(name: string) {
    const path = `jsonpath=${ONLINE}.status} ${ONLINE}.reason} ${ONLINE}.message}{"\\n"}`
    const env = { ...process.env, KUBECONFIG: up.endpoints.kubeconfig ?? '', HOME: folder }
    const child = spawn('kubectl', ['get', 'device', name, '--watch', '-o', path], { env })
    const output = collect(child)
    return { output, [Symbol.dispose]: () => void child.kill('SIGKILL') }
  }

  it('serve their devices, and skerry mapper list says which there are and which cannot be used', async () => {
    for (const name of ['loops', 'segfaults', 'steady']) {
      const ran = await up.kubectl('wait', '--for=condition=Online', `device/a-${name}`, '--timeout=25s')
      assert.equal(ran.code, 0, `${name}: ${ran.stderr}`)
    }
    const { stdout, code } = await up.skerry('mapper', 'list')
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^loops +1 +running +1 +worker +${folder}/loops\\.mjs$`, 'm'))
    assert.match(stdout, new RegExp(`^segfaults +1 +running +1 +process +${folder}/segfaults\\.mjs$`, 'm'))
    assert.match(stdout, /^- +- +broken +0 +worker +package skerry-mapper-absent .*it is in none of/m)
    assert.match(stdout, new RegExp(`^- +- +(loading|broken) +0 +worker +${folder}/hangs\\.mjs +.*load`, 'm'))
    assert.match(stdout, /^modbus \(.*\) +1 +idle/m)
    assert.doesNotMatch(stdout, /No edge runs/)
  })

  for (const [name, what, told] of [
    ['segfaults', 'breaks in native code', /The process of the mapper ended: it was ended by SIGSEGV/],
    ['loops', 'never gives its thread back', /The thread of the mapper ended: it showed no life and was ended/],
  ] as const) {
    it(`that ${what} is a condition and an Event, heals by itself, and disturbs nobody`, async () => {
      const pid = await up.pid('edge')
      const since = await online('a-steady', 'lastTransitionTime')
      using seen = watch(`a-${name}`)
      await seen.output.waitFor(/True Connected/)
      await writeFile(trigger(name), '2')
      const [line] = await seen.output.waitFor(/^Unknown MapperCrashed .*$/m, 40_000)
      assert.match(line, told)
      await seen.output.waitFor(/Unknown MapperCrashed[\s\S]*True Connected/, 60_000)
      const events = await eventually('the Event', async () => {
        const path = 'jsonpath={range .items[*]}{.involvedObject.name} {.type} {.message}{"\\n"}{end}'
        const { stdout } = await up.kubectl('get', 'events', '--field-selector', 'reason=MapperCrashed', '-o', path)
        return stdout.includes(`a-${name}`) ? stdout : undefined
      })
      assert.match(events, new RegExp(`^a-${name} Warning mapper ${name} crashed: `, 'm'))
      assert.match((await up.kubectl('describe', 'device', `a-${name}`)).stdout, /Warning +MapperCrashed/)
      assert.equal(await online('a-steady', 'lastTransitionTime'), since)
      assert.equal(await online('a-steady', 'status'), 'True')
      assert.equal(await up.pid('edge'), pid)
      assert.match((await up.skerry('mapper', 'list')).stdout, new RegExp(`^${name} .*crashed \\d times?$`, 'm'))
    })
  }

  it('have their configurations checked: what can never work is not accepted, with its place', async () => {
    const bad = await apply('bad.yaml', device('bad', 'steady', '', 'NOT/SO'))
    assert.match(bad.stdout, /bad created/)
    const waited = await up.kubectl('wait', '--for=condition=Accepted=false', 'device/bad', '--timeout=20s')
    assert.equal(waited.code, 0, waited.stderr)
    const path =
      'jsonpath={.status.conditions[?(@.type=="Accepted")].reason} {.status.conditions[?(@.type=="Accepted")].message}'
    const { stdout } = await up.kubectl('get', 'device', 'bad', '-o', path)
    assert.match(stdout, /^RefusedByEdge .*\/spec\/properties\/0\/visitors\/configData\/field/)
    await apply('bad.yaml', device('bad', 'steady', '', 'better'))
    const mended = await up.kubectl('wait', '--for=condition=Online', 'device/bad', '--timeout=20s')
    assert.equal(mended.code, 0, mended.stderr)
  })
})
