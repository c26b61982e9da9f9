import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { podOf } from '../testing/pods.ts'
import { podDns } from './dns.ts'
import { parseResolverFile } from './host-dns.ts'

const HOST = { servers: ['192.168.1.1'], searches: ['lan'], options: ['timeout:2', 'rotate'] }
const CLUSTER = { servers: ['10.96.0.10'], domain: 'cluster.local' }
const OWN = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'lan']
const dns = (spec: JsonObject, cluster?: typeof CLUSTER) =>
  podDns({ pod: podOf(spec), host: HOST, ...(cluster ? { cluster } : {}) })

test('a pod asks its cluster first, and its node where it says so', () => {
  const ofCluster = { servers: ['10.96.0.10'], searches: OWN, options: ['ndots:5'] }
  const cases: readonly (readonly [JsonObject, object])[] = [
    [{}, ofCluster],
    [{ hostNetwork: true }, HOST],
    [{ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, ofCluster],
    [{ dnsPolicy: 'Default' }, HOST],
    [{ dnsPolicy: 'None' }, { servers: [], searches: [], options: [] }],
  ]
  for (const [spec, config] of cases) assert.deepEqual(dns(spec, CLUSTER), { config, warnings: [] })
})

test('a node without a cluster’s resolver gives its own, and says so', () => {
  const { config, warnings } = dns({})
  assert.deepEqual(config, HOST)
  assert.deepEqual(warnings, [
    {
      reason: 'MissingClusterDNS',
      message:
        'pod: "till_shop(u-1)". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
    },
  ])
  assert.deepEqual(dns({ dnsPolicy: 'Default' }).warnings, [])
})

test('what a pod says of its own is added, and of options its own count', () => {
  const dnsConfig = {
    nameservers: ['1.1.1.1', '192.168.1.1'],
    searches: ['shop.example', 'lan'],
    options: [{ name: 'timeout', value: '5' }, { name: 'edns0' }],
  }
  assert.deepEqual(dns({ dnsPolicy: 'Default', dnsConfig }).config, {
    servers: ['192.168.1.1', '1.1.1.1'],
    searches: ['lan', 'shop.example'],
    options: ['timeout:5', 'rotate', 'edns0'],
  })
})

test('no more than a resolver understands is given, and what is left out is told', () => {
  const numbers = Array.from({ length: 40 }, (_, at) => at)
  const nameservers = ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4']
  const many = dns({ dnsPolicy: 'None', dnsConfig: { nameservers, searches: numbers.map((at) => `s${at}`) } })
  assert.deepEqual(many.config.servers, nameservers.slice(0, 3))
  assert.deepEqual(
    many.config.searches,
    numbers.slice(0, 32).map((at) => `s${at}`),
  )
  assert.deepEqual(
    many.warnings.map(({ reason, message }) => [reason, message.slice(0, 70)]),
    [
      ['DNSConfigForming', 'Nameserver limits were exceeded, some nameservers have been omitted, t'],
      ['DNSConfigForming', 'Search Line limits were exceeded, some search paths have been omitted,'],
    ],
  )
  const wide = numbers.slice(0, 12).map((at) => `${at}${'x'.repeat(200)}`)
  const cut = dns({ dnsPolicy: 'None', dnsConfig: { searches: [...wide, 'y'.repeat(254)] } }).config.searches
  assert.deepEqual(cut, wide.slice(0, 10))
})

test('the resolver of a node is read as the C library reads it', () => {
  const text = `
# search no.example
; nor this
nameserver 192.168.1.1
nameserver	fd00::1   # trailing
nameserver
domain old.example
search lan. . shop.example
options ndots:1 timeout:2
options ndots:3
sortlist 130.155.160.0
`
  assert.deepEqual(parseResolverFile(text), {
    servers: ['192.168.1.1', 'fd00::1'],
    searches: ['lan', 'shop.example'],
    options: ['ndots:3', 'timeout:2'],
  })
})
