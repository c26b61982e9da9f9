import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEVICES, type Kubernetes } from '../../hub/cloud/kubernetes/index.ts'
import { encodeFrame } from '../../hub/link/index.ts'
import type { Fleet } from '../../runtime/process/testing/fleet.ts'
import { eventually } from '../../runtime/process/testing/run.ts'
import { row } from '../print.ts'
import { echoRate } from './echo.ts'
import { PATIENCE_MS, ratePerSecond, within } from './figures.ts'
import { joinLight } from './join.ts'
import { nextValue, want } from './latency.ts'
import { startLightEdge } from './light-edge.ts'
import { desiredPatch, deviceAt } from './manifests.ts'
import { apply, PROBES, type Stage, untilQuiet } from './stage.ts'
import { undoLater } from './undo.ts'

const AT_ONCE = 16
const ROUND_MS = 5000
const LIGHT = 'light'
const REGISTERS = [
  { name: 'wanted', cycleMs: 1000 },
  { name: 'level', cycleMs: 1000 },
]

/** Changes from the API to an edge, 16 at once, beside what the API and the socket allow by themselves in the same run. */
export async function measureChanges(stage: Stage): Promise<void> {
  const { fleet, kubernetes, probes } = stage
  await untilQuiet(fleet)
  const changes = await openLight(stage)
  const bytes = await frameBytes(kubernetes, changes.names[0] ?? '')
  const echo = await echoRate(bytes, AT_ONCE, ROUND_MS / 2)
  const patches = await ratePerSecond(AT_ONCE, ROUND_MS, (lane) => patch(kubernetes, `nobody-${lane}`))
  const arrived = await ratePerSecond(AT_ONCE, ROUND_MS, async (lane) => {
    const name = changes.names[lane] ?? ''
    const stored = changes.stored(name)
    await Promise.all([patch(kubernetes, name), within(`${name} arrives at the edge`, PATIENCE_MS, stored)])
  })
  await untilQuiet(fleet)
  const written = await ratePerSecond(AT_ONCE, ROUND_MS, async (lane) => {
    const probe = probes[lane]
    if (!probe) throw new Error(`there is no probe ${lane}`)
    await want(kubernetes, probe, nextValue())
  })
  const beside = (rate: number) =>
    `${(rate / echo).toFixed(3)} of the echo, ${(rate / patches).toFixed(2)} of the patches`
  row(`echo of ${bytes} bytes, mutual TLS, ${AT_ONCE} at once`, `${echo.toFixed(0)}/s`)
  row(`patches alone, of devices of no node`, `${patches.toFixed(0)}/s`, `${(patches / echo).toFixed(3)} of the echo`)
  row('API to edge (EdgeHub and MetaManager, no disk)', `${arrived.toFixed(0)}/s`, beside(arrived))
  row('API to register (a whole edge, Modbus)', `${written.toFixed(0)}/s`, beside(written))
}

async function patch(kubernetes: Kubernetes, name: string): Promise<void> {
  await kubernetes.patch(DEVICES, { namespace: PROBES, name }, desiredPatch(0, nextValue()), { type: 'json' })
}

/** The size of the frame that a change makes: the Device in its envelope. */
async function frameBytes(kubernetes: Kubernetes, name: string): Promise<number> {
  const device = await kubernetes.get(DEVICES, { namespace: PROBES, name })
  const header = { msg_id: crypto.randomUUID(), timestamp: Date.now() }
  const route = {
    source: 'edgecontroller',
    group: 'resource',
    operation: 'update',
    resource: `${PROBES}/device/${name}`,
  }
  return Buffer.byteLength(encodeFrame({ header, route, content: JSON.parse(JSON.stringify(device)) }))
}

/** An edge in this process with 16 devices, and as many devices of no node. */
async function openLight({ fleet, kubernetes }: Stage) {
  const names = Array.from({ length: AT_ONCE }, (_, index) => `light-${index}`)
  const waiting = new Map<string, () => void>()
  const seen = new Set<string>()
  const edge = await startLightEdge({
    nodeName: LIGHT,
    server: new URL(fleet.cloud.endpoints.cloudhub ?? '').host,
    identity: await identityFor(fleet, LIGHT),
    onConnected: () => undefined,
    onStored: (resource) => {
      const name = resource.split('/')[2] ?? ''
      seen.add(name)
      waiting.get(name)?.()
    },
  })
  undoLater(() => edge.stop())
  const at = (name: string, node: string) =>
    deviceAt({ namespace: PROBES, name, node, port: 1, unitId: 1, registers: REGISTERS })
  const nobodys = names.map((_, index) => at(`nobody-${index}`, ''))
  await apply(kubernetes, [...names.map((name) => at(name, LIGHT)), ...nobodys])
  await eventually('the edge has its devices', async () => (names.every((name) => seen.has(name)) ? true : undefined))
  await untilQuiet(fleet)
  const stored = (name: string) => new Promise<void>((resolve) => waiting.set(name, resolve))
  return { names, stored }
}

async function identityFor(fleet: Fleet, node: string) {
  const created = await fleet.cloud.skerry('token', 'create', '--node', node)
  if (created.code !== 0) throw new Error(created.stderr)
  const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  try {
    const certificates = new URL(fleet.cloud.endpoints.certificates ?? '').host
    return await joinLight(node, { certificates, token: created.stdout, folder })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
