import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { silentLogger } from '../../log/logger.ts'
import { bothBrokers } from './both.ts'
import { connectClient, prepareMosquitto, startBroker, startExternal, until } from './testing/index.ts'

test('with both brokers clients of either are heard and hear the edge, and one that is away holds nobody up', {
  skip: needs('mosquitto'),
  timeout: 60_000,
}, async (t) => {
  const outer = await prepareMosquitto(t)
  const { broker: inner } = await startBroker(t, { anonymous: 'full' })
  const external = await startExternal(t, outer)
  const bus = bothBrokers(inner.eventBus, external.eventBus, silentLogger)
  const handling = bus.handle('ask/+', ({ topic, payload }) => bus.publish(`answer/${topic.slice(4)}`, payload))
  const view = bus.view('twins', {
    *messages(filter) {
      if (filter === '#' || filter.startsWith('twins/')) yield { topic: 'twins/a/b', payload: '1' }
    },
  })

  const heard: string[] = []
  const join = async (name: string, port: number) => {
    const client = await connectClient(t, { port })
    client.on('message', (topic, payload) => heard.push(`${name} ${topic} ${payload}`))
    for (const filter of ['answer/#', 'twins/#']) await client.subscribeAsync(filter, { qos: 1 })
    return client
  }
  const near = await join('near', inner.port)
  // The external one is not there yet.
  await near.publishAsync('ask/1', 'x', { qos: 1 })
  await until(() => heard.includes('near answer/1 x'))
  assert.ok(external.pending()?.startsWith('the MQTT broker at '))

  await outer.start()
  await external.up()
  await outer.logged(/'twins\/a\/b'/)
  const far = await join('far', outer.port)
  await until(() => heard.includes('far twins/a/b 1') && heard.includes('near twins/a/b 1'))
  heard.length = 0
  await far.publishAsync('ask/2', 'y', { qos: 1 })
  await until(() => heard.includes('far answer/2 y') && heard.includes('near answer/2 y'))
  assert.ok(bus.isWatched('answer/2') && view.isWatched('twins/a/b'))
  view.show('twins/a/b', '2')
  await until(() => heard.includes('far twins/a/b 2') && heard.includes('near twins/a/b 2'))
  assert.equal(heard.length, 4)
  handling[Symbol.dispose]()
  await outer.logged(/Sending UNSUBACK to hub-client-sub/)
})
