import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { listen } from '../../../platform/http/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { Fleet } from '../testing/fleet.ts'

test('the embedded API gives what it asks of nodes to the stream endpoint of its cloud half, and to no other program there', {
  skip: needs('kubectl'),
}, async () => {
  await using fleet = await Fleet.start()
  const authority = await testAuthority()
  const { cert, key } = await testIdentity(authority, { commonName: 'kubelet', organizations: [] }, ['serverAuth'])
  const heard: string[] = []
  const impostor = createServer({ cert, key }, ({ url = '' }, response) => {
    heard.push(url)
    response.end('of an impostor\n')
  })
  await listen(impostor, { host: '127.0.0.1', port: 0 })
  try {
    const address = impostor.address()
    const refused = await logsAt(fleet, 'impostor', typeof address === 'object' && address ? address.port : 0)
    assert.match(refused, /failed to verify certificate: x509/)
    assert.deepEqual(heard, [])
    const served = await logsAt(fleet, 'none', Number(new URL(fleet.cloud.endpoints.stream ?? '').port))
    // It knows no such pod of a node that has no tunnel; that it says so is what is wanted.
    assert.doesNotMatch(served, /x509|connection refused|timeout/)
  } finally {
    impostor.close()
    impostor.closeAllConnections()
    await once(impostor, 'close')
  }
})

/** What kubectl says of the logs of a pod on a node whose kubelet is at that port. */
async function logsAt(fleet: Fleet, node: string, port: number): Promise<string> {
  await fleet.apply(
    { apiVersion: 'v1', kind: 'Node', metadata: { name: node } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: node },
      spec: { nodeName: node, containers: [{ name: 'main', image: 'busybox' }] },
    },
  )
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  }
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
  assert.equal((await fleet.kubectl(['patch', 'node', node, ...patch])).code, 0)
  const ran = await fleet.kubectl(['logs', node])
  assert.notEqual(ran.code, 0)
  return ran.stderr
}
