import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { automaticPorts, fixedPorts, freePort, type UpPorts } from './ports.ts'

const none: UpPorts = {
  apiserver: 0,
  cloudhub: 0,
  certificates: 0,
  stream: 0,
  tunnel: 0,
  router: 0,
  mqtt: 0,
  mqttWebsocket: 0,
  http: 0,
  metricsCloud: 0,
  metricsEdge: 0,
  servicebus: 0,
  metaserver: 0,
  pump: 0,
  opcua: 0,
}

async function taken() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())) }
}

describe('ports of skerry up', () => {
  it('refuses a taken port by its number, what it is for and the way out', async () => {
    await using other = await taken()
    await assert.rejects(fixedPorts({ ...none, mqtt: other.port }), (error: Error) => {
      assert.match(error.message, new RegExp(`${other.port}.*MQTT broker.*--ports auto`))
      return true
    })
  })

  it('gives every 0 a port of its own', async () => {
    const ports = await fixedPorts({ ...none, apiserver: await freePort() })
    assert.equal(new Set(Object.values(ports)).size, Object.keys(ports).length)
    assert.ok(Object.values(ports).every((port) => port > 0))
  })

  it('remembers automatic ports, and replaces those that are taken meanwhile', async () => {
    const directory = temporaryFolder('skerry-ports-')
    const first = await automaticPorts(directory)
    assert.deepEqual(await automaticPorts(directory), first)
    const server = createServer().listen(first.mqtt, '127.0.0.1')
    await once(server, 'listening')
    const third = await automaticPorts(directory)
    server.close()
    assert.notEqual(third.mqtt, first.mqtt)
    assert.equal(third.apiserver, first.apiserver)
  })
})
