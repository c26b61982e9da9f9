import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostsText } from './hosts-text.ts'

const ALIASES = [
  { ip: '10.1.2.3', hostnames: ['db', 'db.shop'] },
  { ip: 'fd00::1', hostnames: ['six'] },
]

test('a pod knows itself by all its addresses, and its aliases', () => {
  assert.equal(
    hostsText({
      ips: ['10.88.0.2', 'fd01::2'],
      names: ['till.shops.shop.svc.cluster.local', 'till'],
      aliases: ALIASES,
    }),
    `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
fe00::\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
10.88.0.2\ttill.shops.shop.svc.cluster.local\ttill
fd01::2\ttill.shops.shop.svc.cluster.local\ttill

# Entries added by HostAliases.
10.1.2.3\tdb\tdb.shop
fd00::1\tsix
`,
  )
})

test("on the network of the node its own file stands, and the pod's aliases after it", () => {
  const nodeText = '127.0.0.1 localhost\n10.0.0.7 till-7\n'
  assert.equal(
    hostsText({ ips: [], names: ['till'], aliases: ALIASES.slice(0, 1), nodeText }),
    '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n10.0.0.7 till-7\n\n' +
      '# Entries added by HostAliases.\n10.1.2.3\tdb\tdb.shop\n',
  )
})

test('an alias that would be more than one line is refused', () => {
  const text = (ip: string, name: string) => hostsText({ ips: [], names: [], aliases: [{ ip, hostnames: [name] }] })
  assert.throws(() => text('10.1.2.3', 'db\n10.0.0.1 bank'), /is no host name/)
  assert.throws(() => text('10.1.2.3 x', 'db'), /is no address/)
})
