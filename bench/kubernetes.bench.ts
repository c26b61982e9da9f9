import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubernetesStore } from '../hub/apiserver/index.ts'
import { silentLogger as log } from '../platform/log/index.ts'
import { openStore } from '../platform/store/index.ts'
import { systemClock as clock } from '../platform/time/index.ts'
import { forEach, ratePerSecond, share, within } from './hub/figures.ts'
import { undoAll, undoAtSignals, undoLater } from './hub/undo.ts'
import { DEVICES, deviceText, MAPS, MODEL_TEXT, MODELS, mapText } from './kubernetes/objects.ts'
import { type Peer, startPeer } from './kubernetes/peer.ts'
import { measureScale } from './kubernetes/scale.ts'
import { median, row } from './print.ts'

/**
 * The embedded API as a process of its own, beside what bounds it on this machine in the same run: commits of SQLite for writes,
 * HTTPS on the loopback for reads. Arguments: how many devices, 10,000 unless it is said otherwise; or `scale` for 50,000 devices
 * and nothing else.
 */
const COUNT = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 10_000)
const MANY = 50_000
const AT_ONCE = 32
const ROUND_MS = 2_000
const ROUNDS = 3
const WATCHERS = 200
const CHANGES = 50
const PATIENCE_MS = 60_000

undoAtSignals()
const begin = performance.now()
const folder = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
undoLater(() => rm(folder, { recursive: true, force: true }))
try {
  if (!process.argv.includes('scale')) await measureRequests()
  const large = await mkdtemp(join(tmpdir(), 'skerry-bench-'))
  undoLater(() => rm(large, { recursive: true, force: true }))
  process.stdout.write('\n')
  await measureScale(large, MANY)
} finally {
  await undoAll()
}
process.stdout.write(`\nmeasured in ${((performance.now() - begin) / 1000).toFixed(0)} s\n`)

async function measureRequests(): Promise<void> {
  const empty = await startPeer('api-peer.ts', folder)
  const atRest = await empty.memory()
  const made = performance.now()
  await empty.ask('POST', MODELS, MODEL_TEXT)
  await forEach(
    Array.from({ length: COUNT }, (_, index) => index),
    AT_ONCE,
    (index) => empty.ask('POST', DEVICES, deviceText(index)),
  )
  row(`create ${COUNT} devices, ${AT_ONCE} at once`, perSecond((COUNT * 1000) / (performance.now() - made)))
  await measureWrites(empty)
  await measureGets(empty)
  await measureLists(empty)
  await measureFanOut(empty)
  const full = await empty.memory()
  row('resident at rest without objects', `${atRest.rss.toFixed(0)} MB`)
  row(
    `resident with ${COUNT} devices, after all of the above`,
    `${full.rss.toFixed(0)} MB`,
    `heap ${(((full.heapUsed - atRest.heapUsed) * 1024) / COUNT).toFixed(1)} KiB a device`,
  )
  await empty.stop()
  const again = await startPeer('api-peer.ts', folder)
  const bytes = (await stat(join(folder, 'kubernetes.db'))).size
  row(
    `start with ${COUNT} devices`,
    `${again.startMs.toFixed(0)} ms`,
    `empty: ${empty.startMs.toFixed(0)} ms; database ${(bytes / 1024 / 1024).toFixed(0)} MiB`,
  )
  const cold = await again.memory()
  row('resident after that start', `${cold.rss.toFixed(0)} MB`)
  await again.stop()
}

/** Against the same rows, written to the same disk through the same store without an API before it. */
async function measureWrites(api: Peer): Promise<void> {
  const store = await openStore(join(folder, 'limit.db'), [kubernetesStore], { clock, log })
  undoLater(async () => await store[Symbol.asyncDispose]())
  for (let lane = 0; lane < AT_ONCE; lane++) await api.ask('POST', MAPS, mapText(`lane-${lane}`, '0'))
  let count = 0
  for (const atOnce of [1, AT_ONCE]) {
    const rates: number[] = []
    const limits: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      rates.push(
        await ratePerSecond(atOnce, ROUND_MS / ROUNDS, async (lane) => {
          await api.ask('PUT', `${MAPS}/lane-${lane}`, mapText(`lane-${lane}`, String(++count)))
        }),
      )
      limits.push(
        await ratePerSecond(atOnce, ROUND_MS / ROUNDS, async (lane) => {
          const body = mapText(`lane-${lane}`, String(++count)).padEnd(400)
          await store.write([{ statement: 'kubernetes.put', parameters: [`/x lane-${lane}`, '/x', count, body] }])
        }),
      )
    }
    against(`durable updates, ${atOnce} at once`, median(rates), 'SQLite commits', median(limits))
  }
}

async function measureGets(api: Peer): Promise<void> {
  const size = await api.ask('GET', `${DEVICES}/device-1`)
  const echo = await startPeer('echo-peer.ts', String(size))
  for (const atOnce of [1, AT_ONCE]) {
    const rates: number[] = []
    const limits: number[] = []
    // Connections are made before anything is measured.
    await ratePerSecond(
      atOnce,
      200,
      async () => void (await Promise.all([api.ask('GET', '/version'), echo.ask('GET', '/')])),
    )
    for (let round = 0; round < ROUNDS; round++) {
      const one = async (lane: number) => void (await api.ask('GET', `${DEVICES}/device-${lane % COUNT}`))
      rates.push(await ratePerSecond(atOnce, ROUND_MS / ROUNDS, one))
      limits.push(await ratePerSecond(atOnce, ROUND_MS / ROUNDS, async () => void (await echo.ask('GET', '/'))))
    }
    against(`gets of ${size} bytes, ${atOnce} at once`, median(rates), 'HTTPS echo', median(limits))
  }
  await echo.stop()
}

async function measureLists(api: Peer): Promise<void> {
  const queries: readonly (readonly [what: string, query: string])[] = [
    ['list all devices', ''],
    ['list all devices as a table, as kubectl does', 'table'],
    ['list a page of 500', '?limit=500'],
    ['list by a label: a tenth', '?labelSelector=line%3Dline-3'],
    ['list by a field: one', '?fieldSelector=metadata.name%3Ddevice-3'],
  ]
  for (const [what, query] of queries) {
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < 5; round++) {
      const from = performance.now()
      bytes = query === 'table' ? await tableOf(api) : await api.ask('GET', DEVICES + query)
      times.push(performance.now() - from)
    }
    const limit = await transferMs(bytes)
    const own = median(times)
    row(
      what,
      `${own.toFixed(0)} ms`,
      `${(own / limit).toFixed(1)} of HTTPS with ${bytes} bytes (${limit.toFixed(1)} ms)`,
    )
  }
}

async function tableOf(api: Peer): Promise<number> {
  return await api.ask('GET', DEVICES, undefined, 'application/json;as=Table;v=v1;g=meta.k8s.io')
}

/** How long the same bytes take over HTTPS, when nothing has to be made. */
async function transferMs(bytes: number): Promise<number> {
  const echo = await startPeer('echo-peer.ts', String(bytes))
  const times: number[] = []
  for (let round = 0; round < 4; round++) {
    const from = performance.now()
    await echo.ask('GET', '/')
    times.push(performance.now() - from)
  }
  await echo.stop()
  return median(times.slice(1))
}

/** Each change goes to all watchers: from the request until the last of them has it. */
async function measureFanOut(api: Peer): Promise<void> {
  const seen = new Map<string, { left: number; readonly all: PromiseWithResolvers<void> }>()
  const state = { events: 0 }
  for (let index = 0; index < WATCHERS; index++) {
    const stream = await api.open(`${MAPS}?watch=1&fieldSelector=metadata.name%3Dfan-out`)
    undoLater(async () => void stream.destroy())
    stream.setEncoding('utf8')
    let rest = ''
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        state.events++
        const change = seen.get(/"value":"([^"]*)"/.exec(line)?.[1] ?? '')
        if (change && --change.left === 0) change.all.resolve()
      }
    })
    stream.on('error', () => undefined)
  }
  const change = async (method: string, path: string, value: string) => {
    const all = Promise.withResolvers<void>()
    seen.set(value, { left: WATCHERS, all })
    const from = performance.now()
    await api.ask(method, path, mapText('fan-out', value))
    await within('all watchers see a change', PATIENCE_MS, all.promise)
    return performance.now() - from
  }
  await change('POST', MAPS, 'first')
  const times: number[] = []
  for (let count = 0; count < CHANGES; count++) times.push(await change('PUT', `${MAPS}/fan-out`, `${count}`))
  const ordered = times.toSorted((a, b) => a - b)
  row(
    `a change until the last of ${WATCHERS} watchers has it`,
    `p50 ${share(ordered, 0.5).toFixed(1)} p99 ${share(ordered, 0.99).toFixed(1)} ms`,
    `${((WATCHERS * CHANGES * 1000) / times.reduce((sum, each) => sum + each, 0)).toFixed(0)} events/s`,
  )
}

function against(what: string, rate: number, limitName: string, limit: number): void {
  row(what, perSecond(rate), `${(rate / limit).toFixed(2)} of ${limitName} (${perSecond(limit)})`)
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')}/s`
}
