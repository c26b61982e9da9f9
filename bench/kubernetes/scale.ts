import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { share } from '../hub/figures.ts'
import { row } from '../print.ts'
import { type Peer, startPeer } from './peer.ts'
import { DEVICES, DOOMED, devicesIn, FLEET, nodeOf, PODS, seedFleet } from './scale/fleet.ts'
import { type Reading, type ReadResult, readElsewhere } from './scale/reader.ts'

const PAGE = 500
const DOOMED_DEVICES = 10_000
const BUDGET_MS = 90_000
const PATIENCE_MS = 40_000
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

/** What 50,000 objects do to an API, beside HTTPS with the same bytes and what is asked of a few objects. */
export async function measureScale(folder: string, devices: number): Promise<void> {
  const begin = performance.now()
  const empty = await startPeer('api-peer.ts', folder)
  await empty.stop()
  await seedFleet(folder, { devices, doomed: DOOMED_DEVICES })
  const api = await startPeer('api-peer.ts', folder)
  row(
    `start with ${devices} devices and ${PODS} pods`,
    `${api.startMs.toFixed(0)} ms`,
    `empty: ${empty.startMs.toFixed(0)} ms`,
  )
  const cold = await api.memory()
  row(
    'resident after that start',
    `${cold.rss.toFixed(0)} MB`,
    `heap ${((cold.heapUsed * 1024) / devices).toFixed(1)} KiB a device`,
  )
  await measureSmall(api)
  await measureWhole(api)
  await whileWriting(api, () => measurePages(api, 'pages of 500 while devices are written', devices))
  await measureInitialEvents(api, devices)
  const warm = await api.memory()
  row(
    'resident after all of that',
    `${warm.rss.toFixed(0)} MB`,
    `heap ${((warm.heapUsed * 1024) / devices).toFixed(1)} KiB a device`,
  )
  // A machine that is slow up to here would take too long for the rest.
  if (performance.now() - begin < BUDGET_MS) await measureRemoval(api)
  if (performance.now() - begin < BUDGET_MS) await measureKubectl(api, folder)
  await api.stop()
}

async function measureSmall(api: Peer): Promise<void> {
  const queries: readonly (readonly [what: string, path: string])[] = [
    ['get of one', `${devicesIn(FLEET)}/device-20000`],
    ['list by metadata.name in a namespace', `${devicesIn(FLEET)}?fieldSelector=metadata.name%3Ddevice-30000`],
    ['list by metadata.name in all namespaces', `${DEVICES}?fieldSelector=metadata.name%3Ddevice-30000`],
    ['list of one namespace of 102', devicesIn('plant-7')],
    ['page of 500', `${DEVICES}?limit=${PAGE}`],
    [`pods of a node, of ${PODS}`, `/api/v1/pods?fieldSelector=spec.nodeName%3D${nodeOf(7)}`],
    ['list by a label that nothing has', `${DEVICES}?labelSelector=line%3Dnone`],
    ['list by a label: a tenth', `${DEVICES}?labelSelector=line%3Dline-3`],
  ]
  for (const [what, path] of queries) {
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < 5; round++) {
      const from = performance.now()
      bytes = await api.ask('GET', path)
      times.push(performance.now() - from)
    }
    const ordered = times.toSorted((a, b) => a - b)
    row(what, `p50 ${share(ordered, 0.5).toFixed(1)} first ${times[0]?.toFixed(1)} ms`, `${bytes} bytes`)
  }
}

async function measureWhole(api: Peer): Promise<void> {
  await probe(api, 'small requests at rest', async () => await new Promise((resolve) => setTimeout(resolve, 1000)))
  for (const [what, accept] of [
    ['list of all', 'application/json'],
    ['as a table', TABLE],
  ] as const) {
    const peak = await peakOf(api)
    let result: ReadResult | undefined
    await probe(api, `small requests during: ${what}`, async () => {
      result = await readElsewhere(reading(api, { path: DEVICES, accept }))
    })
    if (!result) continue
    const echo = await startPeer('echo-peer.ts', String(result.bytes))
    const limit = await readElsewhere(reading(echo, { path: '/' }))
    await echo.stop()
    row(
      what,
      `${result.ms.toFixed(0)} ms, first ${result.firstMs.toFixed(0)}`,
      `${(result.ms / limit.ms).toFixed(1)} of HTTPS with ${result.bytes} bytes (${limit.ms.toFixed(0)} ms); peak +${await peak()} MB`,
    )
  }
}

async function probe(api: Peer, what: string, work: () => Promise<unknown>): Promise<void> {
  const times: number[] = []
  const state = { isOver: false }
  const asking = async () => {
    while (!state.isOver) {
      const from = performance.now()
      await api.ask('GET', `${devicesIn(FLEET)}/device-20000`)
      times.push(performance.now() - from)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const asked = asking()
  await work()
  state.isOver = true
  await asked
  const ordered = times.toSorted((a, b) => a - b)
  row(
    what,
    `p50 ${share(ordered, 0.5).toFixed(1)} p99 ${share(ordered, 0.99).toFixed(1)} most ${share(ordered, 1).toFixed(1)} ms`,
    `${times.length} requests`,
  )
}

async function measurePages(api: Peer, what: string, least: number): Promise<void> {
  const times: number[] = []
  const names = new Set<string>()
  let token = ''
  do {
    const from = performance.now()
    const text = await api.text(`${DEVICES}?limit=${PAGE}${token === '' ? '' : `&continue=${token}`}`)
    times.push(performance.now() - from)
    const page: Page = JSON.parse(text)
    for (const { metadata } of page.items) names.add(`${metadata.namespace}/${metadata.name}`)
    token = page.metadata.continue ?? ''
  } while (token !== '')
  if (names.size < least) throw new Error(`${what}: ${names.size} of ${least}`)
  const ordered = times.toSorted((a, b) => a - b)
  row(
    what,
    `${times.reduce((sum, each) => sum + each, 0).toFixed(0)} ms`,
    `a page p50 ${share(ordered, 0.5).toFixed(1)} p99 ${share(ordered, 0.99).toFixed(1)} ms`,
  )
}

async function whileWriting(api: Peer, work: () => Promise<void>): Promise<void> {
  const state = { isOver: false, count: 0 }
  const writing = async () => {
    while (!state.isOver) {
      const body = JSON.stringify({ metadata: { labels: { turn: String(++state.count) } } })
      await api.ask('PATCH', `${devicesIn(FLEET)}/device-${25_000 + (state.count % 1000)}`, body)
    }
  }
  const written = writing()
  await work()
  state.isOver = true
  await written
  row('writes meanwhile', `${state.count}`)
}

async function measureInitialEvents(api: Peer, devices: number): Promise<void> {
  const query = 'watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan'
  const path = `${DEVICES}?${query}`
  let result: ReadResult | undefined
  await probe(api, 'small requests during: initial events', async () => {
    result = await readElsewhere(reading(api, { path, until: INITIAL_EVENTS_END }))
  })
  if (result) row(`watch with ${devices} initial events`, `${result.ms.toFixed(0)} ms`, `${result.bytes} bytes`)
}

async function measureKubectl(api: Peer, folder: string): Promise<void> {
  const file = `${folder}/kubeconfig`
  const config = await readFile(file, 'utf8')
  await writeFile(file, config.replace(/server: .*/, `server: ${api.url}`))
  for (const args of [
    ['get', 'devices.devices.kubeedge.io', '-A'],
    ['get', 'devices.devices.kubeedge.io', '-n', 'plant-7'],
  ]) {
    const from = performance.now()
    const { stdout } = await promisify(execFile)('kubectl', ['--kubeconfig', file, ...args], { maxBuffer: 1e9 })
    row(
      `kubectl ${args.join(' ')}`,
      `${(performance.now() - from).toFixed(0)} ms`,
      `${stdout.split('\n').length} lines`,
    )
  }
}

async function measureRemoval(api: Peer): Promise<void> {
  const from = performance.now()
  let left = DOOMED_DEVICES
  await probe(api, 'small requests during: removal of a namespace', async () => {
    await api.ask('DELETE', `/api/v1/namespaces/${DOOMED}`)
    while (left > 0 && performance.now() - from < PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const page: Page = JSON.parse(await api.text(`${devicesIn(DOOMED)}?limit=1`))
      left = page.items.length + (page.metadata.remainingItemCount ?? 0)
    }
  })
  const ms = performance.now() - from
  const gone = DOOMED_DEVICES - left
  const what = `of a namespace ${gone} of ${DOOMED_DEVICES} devices are gone`
  row(what, `${ms.toFixed(0)} ms`, `${((gone * 1000) / ms).toFixed(0)}/s`)
}

interface Page {
  readonly items: readonly { readonly metadata: { readonly namespace: string; readonly name: string } }[]
  readonly metadata: { readonly continue?: string; readonly remainingItemCount?: number }
}

function reading({ url, identity }: Peer, more: Omit<Reading, 'url' | 'identity'>): Reading {
  return { url, identity, ...more }
}

/** Of the resident memory, from here until it is asked, MB. */
async function peakOf({ child }: Peer): Promise<() => Promise<string>> {
  const status = async (field: string) => {
    const text = await readFile(`/proc/${child.pid}/status`, 'utf8')
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) / 1024
  }
  await writeFile(`/proc/${child.pid}/clear_refs`, '5')
  const before = await status('VmRSS')
  return async () => ((await status('VmHWM')) - before).toFixed(0)
}
