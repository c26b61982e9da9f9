import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodesLines, roadLines } from './links-text.ts'
import { parseStatusReport, type RoadReport, type StatusReport } from './report.ts'
import { statusText } from './text.ts'

const NOW = 1_786_017_600_000
const MINUTE = 60_000

const ROAD: RoadReport = {
  cloud: 'cloud.example.com:10000',
  connected: true,
  since: NOW - 5 * MINUTE,
  detail: 'connected',
  peer: 'skerry',
  lastReceipt: NOW - 3000,
  requests: 0,
  twinsWaiting: 2,
  podsWaiting: 0,
  userMessages: { waiting: 1, bytes: 2048, kept: 2, oldestAge: 240_000, dropped: { full: 3, old: 0 } },
  objects: { count: 12, bytes: 3 * 1024 ** 2 },
  refused: {},
}

test('a connected edge says to whom since when, what waits and what was dropped', () => {
  assert.deepEqual(roadLines(ROAD, NOW), [
    '  cloud                connected to the cloud half at cloud.example.com:10000 for 5 min; last receipt 3 s ago',
    '  waiting              2 devices, 1 message of clients (2.0 KiB, the oldest for 4 min), 0 pods, 0 requests',
    '  kept                 2 messages of clients, until targets of rules have them',
    '  dropped              3 (full)',
    '  from the cloud       12 objects on disk (3.0 MiB)',
  ])
  const original = roadLines({ ...ROAD, peer: 'kubeedge', refused: { 'too-large': 1 } }, NOW)
  assert.match(original[0] ?? '', /connected to a KubeEdge cloud at/)
  assert.match(original[4] ?? '', /refused +1 \(too-large\)/)
})

test('the tunnel is shown with its streams, or why it is not open; a node without one here is marked', () => {
  const tunnel = { server: 'cloud.example.com:10004', connected: true, detail: 'connected', streams: 1 }
  const last = (lines: readonly string[]) => lines.at(-1) ?? ''
  assert.match(last(roadLines({ ...ROAD, tunnel }, NOW)), /^ {2}tunnel +open to cloud\.example\.com:10004; 1 stream$/)
  const closed = { connected: false, detail: 'the cloud has no tunnel server', streams: 0 }
  assert.match(
    last(roadLines({ ...ROAD, tunnel: closed }, NOW)),
    /not open to the cloud: the cloud has no tunnel server$/,
  )
  const node = { node: 'a', peer: 'skerry' as const, connectedAt: NOW, waiting: 0, dropped: 0 }
  const [, row = '', other = ''] = nodesLines(
    {
      connected: [
        { ...node, tunnel: false },
        { ...node, node: 'b', tunnel: true },
      ],
      dropped: {},
    },
    NOW,
  )
  assert.match(row, /; no tunnel here$/)
  assert.doesNotMatch(other, /tunnel/)
})

const offline: readonly (readonly [detail: string, advice: RegExp])[] = [
  ['connect ECONNREFUSED 127.0.0.1:10000', /is skerry cloud running/],
  ['getaddrinfo ENOTFOUND cloud.example.com', /check cloud\.server/],
  ['Unexpected server response: 503', /cloudhub\.nodeLimit/],
  ['the node was deleted', /skerry node allow NAME/],
  ['certificate has expired', /skerry join/],
  ['certificate is not yet valid', /set it \(timedatectl\)/],
  ['HTTP 503: the Node was just deleted: try again in a moment', /\. It tries again by itself$/],
  ['HTTP 403: the node was revoked: join again (skerry join --force)', /\(skerry join --force\)$/],
  ['replaced by a newer session of the node', /a name of its own/],
  ['no answer within 10000 ms', /tries again by itself/],
]
for (const [detail, advice] of offline) {
  test(`an edge without its cloud (${detail}) says in one line since when, why and what to do`, () => {
    const [first = ''] = roadLines({ ...ROAD, connected: false, detail }, NOW)
    assert.match(first, /not connected to cloud\.example\.com:10000 for 5 min: /)
    assert.ok(first.includes(detail))
    assert.match(first, advice)
  })
}

test('a cloud half lists its nodes, those with the most to do first, and no more than fit', () => {
  const node = (name: string, waiting: number) => ({
    node: name,
    peer: 'skerry' as const,
    connectedAt: NOW - MINUTE,
    waiting,
    dropped: 0,
  })
  const lines = nodesLines(
    {
      connected: [
        node('a', 0),
        { ...node('b', 7), waitingSince: NOW - 90_000, acknowledgedAt: NOW - 1000, dropped: 4 },
      ],
      dropped: { 'notices-full': 4 },
    },
    NOW,
  )
  assert.deepEqual(lines, [
    '  nodes                2 connected',
    '    b: for 60 s; 7 objects waiting, the oldest for 90 s; last receipt 1 s ago; 4 dropped',
    '    a: for 60 s; 0 objects waiting; no receipt yet',
    '  dropped              4 (notices-full)',
  ])
  const many = nodesLines({ connected: Array.from({ length: 30 }, (_, at) => node(`n${at}`, 0)), dropped: {} }, NOW)
  assert.ok(many.includes('    and 10 more; -o json lists all'))
  assert.match(nodesLines({ connected: [], dropped: {} }, NOW)[0] ?? '', /none is connected/)
})

test('a process that does not serve says what to do', () => {
  const report: StatusReport = {
    version: '0.1.0',
    processes: [
      { name: 'cloud', state: 'stopped', sinceMs: NOW - 5000, modules: [] },
      { name: 'edge', state: 'silent', sinceMs: NOW - 5000, pid: 12, log: '/x/edge.log', modules: [] },
      { name: 'pump', state: 'ready', sinceMs: NOW - 5000, log: '/x/pump.log', modules: [] },
    ],
  }
  const text = statusText(report, NOW)
  assert.match(text, /cloud: stopped for 5 s\n {2}start it with: skerry start cloud/)
  assert.match(text, /is process 12 stopped \(SIGSTOP\)[^\n]*\n {2}log: \/x\/edge\.log/)
  assert.ok(!text.includes('pump.log'))
})

test('the report of another version is told so', () => {
  assert.throws(() => parseStatusReport({ version: 1 }), /another version/)
})
