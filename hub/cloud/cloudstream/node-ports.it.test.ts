import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { NodePorts, type PortRange } from './node-ports.ts'

const host = '127.0.0.1'

function setup(t: TestContext, range?: PortRange) {
  const came: { readonly node: string | undefined; readonly socket: Socket }[] = []
  const ports = new NodePorts({
    host,
    ...(range ? { range } : {}),
    onConnection(socket) {
      socket.on('error', () => undefined)
      came.push({ node: ports.nodeOf(socket.localPort), socket })
      socket.write('x')
    },
  })
  t.after(() => ports.closeAll())
  return { ports, came }
}

test('each node has a port of its own, and with the port its connections end', async (t) => {
  const { ports, came } = setup(t)
  const [one, two] = await Promise.all([ports.open('gateway-1'), ports.open('gateway-2'), ports.open('gateway-1')])
  assert.notEqual(one, two)
  const client = connect({ host, port: one })
  await once(client, 'data')
  assert.equal(came[0]?.node, 'gateway-1')
  client.on('error', () => undefined)
  ports.close('gateway-1')
  await once(client, 'close')
  assert.deepEqual([ports.size, ports.nodeOf(one), ports.portOf('gateway-2')], [1, undefined, two])
  assert.equal(await ports.open('gateway-1'), one, 'a node that comes back has its port again')
})

test('where a range is given, ports are of it; one that is taken is left out, and none left is told', async (t) => {
  const { ports: free } = setup(t)
  const [first, other] = [await free.open('a'), await free.open('b')]
  const { ports } = setup(t, { first: Math.min(first, other), last: Math.min(first, other) })
  await assert.rejects(ports.open('gateway-1'), { code: 'HUB_STREAM_PORTS_TAKEN' })
  free.close('a')
  free.close('b')
  assert.equal(await ports.open('gateway-1'), Math.min(first, other))
  await assert.rejects(ports.open('gateway-2'), { code: 'HUB_STREAM_PORTS_TAKEN' })
  ports.close('gateway-1')
  assert.equal(await ports.open('gateway-2'), Math.min(first, other))
})
