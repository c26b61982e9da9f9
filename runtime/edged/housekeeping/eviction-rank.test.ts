import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { podOf } from '../testing/pods.ts'
import { type Candidate, evictionOrder } from './eviction-rank.ts'
import { type EvictionThresholds, shortagesOf } from './eviction-signals.ts'
import { shortageMessage } from './eviction-words.ts'

const MIB = 1024 ** 2

interface Facts {
  readonly uses?: number
  readonly asks?: string
  readonly priority?: number
  readonly onDisk?: number
}

function candidate(uid: string, { uses, asks, priority, onDisk = 0 }: Facts): Candidate {
  const requests: JsonObject = asks === undefined ? {} : { memory: asks, 'ephemeral-storage': asks }
  const spec = { containers: [{ name: 'app', image: 'a:1', resources: { requests } }] }
  const pod = podOf({ ...spec, ...(priority === undefined ? {} : { priority }) }, { uid })
  if (uses === undefined) return { pod, use: undefined }
  const containers = [{ name: 'app', memoryBytes: uses * MIB, layerBytes: 0, logBytes: 0 }]
  return { pod, use: { containers, volumes: [{ volume: 'work', bytes: onDisk * MIB }] } }
}

const CANDIDATES = [
  candidate('within', { uses: 190, asks: '200Mi' }),
  candidate('beyond', { uses: 210, asks: '200Mi' }),
  candidate('asks-nothing', { uses: 50 }),
  candidate('important', { uses: 900, priority: 10 }),
  candidate('within-but-least', { uses: 100, asks: '101Mi', priority: -5 }),
  candidate('unknown', { priority: 100 }),
  candidate('writes', { uses: 1, asks: '10Mi', onDisk: 500 }),
]

test('who uses more than it asked for goes first, then the least important, then the greediest', () => {
  const order = (resource: 'memory' | 'ephemeral-storage') =>
    evictionOrder(CANDIDATES, resource).map(({ pod }) => pod.uid)
  assert.deepEqual(order('memory'), [
    'unknown',
    'asks-nothing',
    'beyond',
    'important',
    'within-but-least',
    'writes',
    'within',
  ])
  assert.deepEqual(order('ephemeral-storage').slice(0, 2), ['unknown', 'writes'])
})

test('what is short is told with memory first, and with amounts as Kubernetes writes them', () => {
  const thresholds: EvictionThresholds = { memoryBytes: 100 * MIB, diskPercent: 10, inodePercent: 5 }
  const stocks = {
    'imagefs.inodesFree': { left: 4, all: 1000 },
    'nodefs.available': { left: 99 * MIB, all: 1000 * MIB },
    'memory.available': { left: 1_500_000, all: 1000 * MIB },
    'nodefs.inodesFree': { left: 51, all: 1000 },
  }
  const shortages = shortagesOf(stocks, thresholds)
  assert.deepEqual(
    shortages.map(({ signal, resource, least, left }) => `${signal} ${resource} ${least} ${left}`),
    [
      'memory.available memory 100Mi 1464Ki',
      'nodefs.available ephemeral-storage 100Mi 99Mi',
      'imagefs.inodesFree inodes 50 4',
    ],
  )
  const [, , inodes] = shortages
  const [first] = CANDIDATES
  assert.ok(inodes && first)
  assert.equal(
    shortageMessage(inodes, first),
    'The node was low on resource: inodes. Threshold quantity: 50, available: 4. ',
  )
})
