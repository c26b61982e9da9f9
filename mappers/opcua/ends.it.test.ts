import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DataType } from 'node-opcua-client'
import { describeError } from '../../platform/lifecycle/index.ts'
import { mapperFor } from './testing/client.ts'
import { HOST, nodeOf, type Plant, type PlantDoor, startPlant } from './testing/plant.ts'

let plant: Plant
before(async () => {
  plant = await startPlant()
})
after(() => plant.close())

/** Ends the test run where a process stays for ever. */
const LIMIT = { timeout: 60_000 }

async function endsAfter(harm: (door: PlantDoor) => void): Promise<void> {
  const door = await plant.door()
  plant.set('Level', DataType.Double, 1)
  const child = fork(join(import.meta.dirname, 'testing/watch-and-end.ts'), [door.url, nodeOf('Level')])
  try {
    assert.deepEqual((await once(child, 'message'))[0], 'watching')
    harm(door)
    child.send('end')
    assert.deepEqual(await once(child, 'exit'), [0, null])
  } finally {
    child.kill('SIGKILL')
    await door[Symbol.asyncDispose]()
  }
}

describe('a process whose connection was given back ends by itself', LIMIT, () => {
  it('from a server that answers', () => endsAfter(() => undefined))
  it('from a server that is silent', () => endsAfter((door) => door.silence()))
})

it('gives up a server that takes the link and says nothing, and closes the link', LIMIT, async (t) => {
  const links: Socket[] = []
  const mute = createServer((link) => links.push(link.on('error', () => undefined)))
  mute.listen(0, HOST)
  await once(mute, 'listening')
  t.after(() => mute.close())
  const address = mute.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { connect } = await mapperFor(t)
  const stop = new AbortController()
  const connecting = connect({ url: `opc.tcp://${HOST}:${port}`, securityMode: 'None' }, stop.signal)
  await once(mute, 'connection')
  const [link] = links
  assert.ok(link)
  const closed = once(link.resume(), 'close')
  stop.abort(new Error('the deadline'))
  await assert.rejects(connecting, /^Error: the deadline$/)
  await closed
})

it(
  'a server that closes the link at once is told in plain words, and so is one that nobody finds',
  LIMIT,
  async (t) => {
    const rude = createServer((link) => link.on('error', () => undefined).destroy())
    rude.listen(0, HOST)
    t.after(() => rude.close())
    await once(rude, 'listening')
    const address = rude.address()
    const url = `opc.tcp://${HOST}:${typeof address === 'object' ? address?.port : undefined}`
    const { connect } = await mapperFor(t)
    const reason = () => connect({ url, securityMode: 'None' }).then(() => 'connected', describeError)
    assert.equal(await reason(), `${url} took the link, but ended it before it was ready; is an OPC UA server there?`)
    rude.close()
    await once(rude, 'close')
    assert.equal(await reason(), `nobody listens at ${url} (ECONNREFUSED)`)
  },
)
