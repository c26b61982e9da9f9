import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../schemas/index.ts'
import { containerOf, podOf } from '../testing/pods.ts'
import { cpuQuota, cpuShares, linuxResources, pageSize } from './resources.ts'

const GI = 1 << 30
const NODE = { memoryBytes: 8 * GI }
const resourcesOf = (resources: JsonObject, spec: JsonObject = {}) => {
  const { pod, container } = containerOf({ resources }, spec)
  return linuxResources({ pod, container, ...NODE })
}

test('amounts become what the kernel understands', () => {
  const limits = { cpu: '1500m', memory: '1.5Gi' }
  assert.deepEqual(resourcesOf({ requests: { cpu: '250m', memory: '4Gi' }, limits }), {
    ...{ cpuShares: 256, cpuPeriod: 100_000, cpuQuota: 150_000, oomScoreAdj: 500 },
    memoryLimitInBytes: 1_610_612_736,
  })
  assert.deepEqual(resourcesOf({}), { cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 0, oomScoreAdj: 1000 })
  assert.equal(resourcesOf({ limits: { cpu: '2' } }).cpuShares, 2048, 'a limit alone is what is asked for')
  assert.equal(resourcesOf({ requests: { cpu: '0' }, limits: { cpu: '2' } }).cpuShares, 2)
})

test('processors are counted as a kubelet counts them', () => {
  const shares = [0, 1, 2, 10, 100, 333, 1000, 300_000].map(cpuShares)
  assert.deepEqual(shares, [2, 2, 2, 10, 102, 340, 1024, 262_144])
  assert.deepEqual([0, 1, 9, 10, 11, 500, 2000].map(cpuQuota), [0, 1000, 1000, 1000, 1100, 50_000, 200_000])
})

test('more processors never mean less of them, and never what the kernel refuses', () => {
  const amount = fc.integer({ min: 0, max: 1_000_000 })
  fc.assert(
    fc.property(amount, amount, (one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)]
      assert.ok(cpuShares(less) <= cpuShares(more))
      assert.ok(cpuShares(less) >= 2 && cpuShares(more) <= 262_144)
      if (less > 0) assert.ok(cpuQuota(less) >= 1000 && cpuQuota(less) <= cpuQuota(more))
    }),
  )
})

test('the kernel ends first who takes more than it asked for', () => {
  const full = { cpu: '1', memory: '1Gi' }
  const cases: readonly (readonly [string, JsonObject, number])[] = [
    ['guaranteed', { requests: full, limits: full }, -997],
    ['nothing asked', {}, 1000],
    ['processors asked', { requests: { cpu: '1' } }, 999],
    ['an eighth', { requests: { memory: '1Gi' } }, 875],
    ['a little', { requests: { memory: '1Mi' } }, 999],
    ['more than there is', { requests: { memory: '100Gi' } }, 3],
  ]
  for (const [what, resources, score] of cases) assert.equal(resourcesOf(resources).oomScoreAdj, score, what)
  assert.equal(resourcesOf({}, { priorityClassName: 'system-node-critical' }).oomScoreAdj, -997)
})

test('a burstable container is between the others, whatever it asks for', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 1n << 45n }), (memory) => {
      const { oomScoreAdj = 0 } = resourcesOf({ requests: { memory: String(memory) } })
      assert.ok(oomScoreAdj >= 3 && oomScoreAdj <= 999)
    }),
  )
})

test('a sidecar is ended no sooner than any of the containers that it serves', () => {
  const sidecar = (memory: string) => {
    const pod = podOf({
      initContainers: [{ name: 'proxy', image: 'a', restartPolicy: 'Always', resources: { requests: { memory } } }],
      containers: ['4Gi', '2Gi'].map((of, at) => ({
        name: `c${at}`,
        image: 'a',
        resources: { requests: { memory: of } },
      })),
    })
    const [container] = pod.spec.initContainers
    assert.ok(container)
    return linuxResources({ pod, container, ...NODE }).oomScoreAdj
  }
  assert.equal(sidecar('1Mi'), 750)
  assert.equal(sidecar('6Gi'), 250)
})

test('huge pages that a container does not ask for are forbidden to it', () => {
  const { pod, container } = containerOf({ resources: { limits: { 'hugepages-2Mi': '6Mi' } } })
  const { hugepageLimits } = linuxResources({ pod, container, ...NODE, hugepageSizes: ['2MB', '1GB'] })
  assert.deepEqual(hugepageLimits, [
    { pageSize: '2MB', limit: 6_291_456 },
    { pageSize: '1GB', limit: 0 },
  ])
  assert.deepEqual([1n << 16n, 1n << 21n, 1n << 30n, 1n << 34n].map(pageSize), ['64KB', '2MB', '1GB', '16GB'])
})
