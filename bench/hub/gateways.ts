import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEVICE_MODELS, LEASES } from '../../hub/cloud/kubernetes/index.ts'
import type { Fleet } from '../../runtime/process/testing/fleet.ts'
import { row, wait } from '../print.ts'
import { cpuSeconds, residentMb } from '../running-edge.ts'
import { deviceAt, modelOf } from './manifests.ts'
import { apply, child, openCloud, untilQuiet } from './stage.ts'
import { undoLater } from './undo.ts'

const GATEWAYS = 500
const ALONE_MS = 10_000
const WINDOW_MS = 20_000
/** For machines that are slow; what is measured is printed. */
const JOIN_WITHIN_MS = 300_000
const BACK_WITHIN_MS = 180_000
/** Asking costs the gateways more than a keepalive does. */
const LOOK_EVERY_MS = 200
/** A Lease that was renewed longer ago is that of a lost node. */
const LEASE_MS = 40_000
const REGISTERS = [{ name: 'wanted', cycleMs: 1000 }]

interface State {
  readonly joined: number
  readonly answered: number
  readonly connects: number
  readonly stored: number
  readonly failure: string
}

/** 500 gateways with a device each: what they cost the cloud half, which serves the Kubernetes API itself, and how they come back. */
export async function measureGateways(): Promise<void> {
  const { fleet, kubernetes } = await openCloud()
  await kubernetes.create(DEVICE_MODELS, 'default', modelOf('default', ['wanted']))
  const names = Array.from({ length: GATEWAYS }, (_, index) => `gateway-${index}`)
  const device = (node: string) =>
    deviceAt({ namespace: 'default', name: `of-${node}`, node, port: 1, unitId: 1, registers: REGISTERS })
  await apply(kubernetes, names.map(device))
  await untilQuiet(fleet)
  // What the making of the devices left in memory is no part of the comparison.
  await fleet.cloud.end('SIGTERM')
  await fleet.cloud.start()
  const alone = await usage(await pidOf(fleet), ALONE_MS)
  const begin = performance.now()
  const gateways = await openGateways(fleet)
  await until(gateways, (state) => state.joined === GATEWAYS && state.answered === GATEWAYS, JOIN_WITHIN_MS)
  const joined = (performance.now() - begin) / 1000
  const each = `${(GATEWAYS / joined).toFixed(1)} a second`
  row(`${GATEWAYS} gateways: keys, certificates, connections`, `${joined.toFixed(2)} s`, each)
  await untilQuiet(fleet)
  const before = await ask(gateways)
  if (before.stored < GATEWAYS) throw new Error(`only ${before.stored} objects came to ${GATEWAYS} gateways`)
  const served = await usage(await pidOf(fleet), WINDOW_MS)
  await checkLeases(kubernetes)
  showUsage(alone, served)
  await restart(fleet, gateways, 'SIGTERM')
  await untilQuiet(fleet)
  await restart(fleet, gateways, 'SIGKILL')
  await untilQuiet(fleet)
  const again = await usage(await pidOf(fleet), ALONE_MS)
  row('memory when all have come back to a new process', `${again.residentMb.toFixed(0)} MB`)
  const after = await ask(gateways)
  row('objects sent again after both restarts', `${after.stored - before.stored} of ${before.stored}`)
}

async function openGateways(fleet: Fleet): Promise<ChildProcess> {
  const created = await fleet.cloud.skerry('token', 'create')
  if (created.code !== 0) throw new Error(created.stderr)
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  undoLater(() => rm(folder, { recursive: true, force: true }))
  const gateways = child('gateways-peer.ts')
  await once(gateways, 'message')
  const { cloudhub = '', certificates = '' } = fleet.cloud.endpoints
  gateways.send({
    ...{ count: GATEWAYS, token: created.stdout.trim(), folder },
    ...{ server: new URL(cloudhub).host, certificates: new URL(certificates).host },
  })
  return gateways
}

async function ask(gateways: ChildProcess): Promise<State> {
  gateways.send('how are you?')
  const [state] = await once(gateways, 'message')
  if (state.failure !== '') throw new Error(`the gateways failed: ${state.failure}`)
  return state
}

async function until(gateways: ChildProcess, isTrue: (state: State) => boolean, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    const state = await ask(gateways)
    if (isTrue(state)) return
    if (performance.now() > end) throw new Error(`the gateways are ${JSON.stringify(state)} after ${withinMs} ms`)
    await wait(LOOK_EVERY_MS)
  }
}

async function restart(fleet: Fleet, gateways: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { connects } = await ask(gateways)
  const begin = performance.now()
  await fleet.cloud.end(signal)
  const ended = secondsSince(begin)
  await fleet.cloud.start()
  const ready = performance.now()
  const started = secondsSince(begin)
  const isBack = (state: State) => state.connects >= connects + GATEWAYS && state.answered === GATEWAYS
  await until(gateways, isBack, BACK_WITHIN_MS)
  const name = signal === 'SIGTERM' ? 'SIGTERM' : 'kill -9'
  row(
    `all ${GATEWAYS} back after ${name} and a start`,
    `${secondsSince(ready)} s after it was ready`,
    `ended at ${ended} s, ready at ${started} s, all back at ${secondsSince(begin)} s`,
  )
}

interface Usage {
  readonly residentMb: number
  /** Of a core. */
  readonly cpu: number
}

async function usage(pid: number, milliseconds: number): Promise<Usage> {
  const [cpu, begin] = [await cpuSeconds(pid), performance.now()]
  await wait(milliseconds)
  const spent = (await cpuSeconds(pid)) - cpu
  return { residentMb: await residentMb(pid), cpu: (spent * 1000) / (performance.now() - begin) }
}

function showUsage(alone: Usage, served: Usage): void {
  const memory = `${alone.residentMb.toFixed(0)} MB without, ${served.residentMb.toFixed(0)} MB with them`
  const kilobytes = ((served.residentMb - alone.residentMb) * 1000) / GATEWAYS
  row('memory of the cloud half with its API', `${kilobytes.toFixed(0)} kB per gateway`, memory)
  const percent = (cpu: number) => `${(cpu * 100).toFixed(1)} %`
  const each = ((served.cpu - alone.cpu) * 100) / GATEWAYS
  const cpu = `${percent(alone.cpu)} of a core without, ${percent(served.cpu)} with them`
  row('processor of the cloud half with its API', `${each.toFixed(4)} % of a core per gateway`, cpu)
}

/** Each gateway renews its Lease, or there was nothing to measure. */
async function checkLeases(kubernetes: Awaited<ReturnType<typeof openCloud>>['kubernetes']): Promise<void> {
  const { items } = await kubernetes.list(LEASES, { namespace: 'kube-node-lease' })
  const fresh = items.filter(({ spec }) => Date.now() - Date.parse(String(spec?.['renewTime'])) < LEASE_MS)
  if (fresh.length !== GATEWAYS) throw new Error(`${fresh.length} of ${GATEWAYS} gateways renew their Leases`)
}

async function pidOf(fleet: Fleet): Promise<number> {
  const { pid } = await fleet.cloud.status()
  if (typeof pid !== 'number') throw new Error('skerry status does not tell the process of the cloud')
  return pid
}

function secondsSince(begin: number): string {
  return ((performance.now() - begin) / 1000).toFixed(2)
}
