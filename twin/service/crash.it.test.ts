import assert from 'node:assert/strict'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { MqttClient } from 'mqtt'
import { silentLogger } from '../../platform/log/index.ts'
import { openStore } from '../../platform/store/index.ts'
import { systemClock as clock } from '../../platform/time/index.ts'
import type { Twin } from '../../schemas/index.ts'
import { needsSmallDisk, smallDisk } from '../../tools/testing/small-disk.ts'
import { LAMP, type Message } from '../testing/edge.ts'
import { spawnEdge, temporaryFile } from '../testing/spawned-edge.ts'
import { loadTwins, twinStoreDomain } from './twin-store.ts'

const skip = needsSmallDisk()
const UPDATE = `${LAMP}/twin/update`
const STATE = `${LAMP}/state/update`

test('kill -9 at any moment: nothing that a result or a receipt spoke of is lost', { timeout: 60_000 }, async (t) => {
  const file = temporaryFile()
  let value = 0
  for (let round = 0; round < 4; round++) {
    const edge = await spawnEdge(t, [process.execPath, file])
    const before = await twinIn(file)
    const client = await edge.connect()
    const moment = 1 + Math.floor(Math.random() * 600)
    let highest = 0
    let changes = 0
    const acknowledged = (isResult: boolean, sent: number | undefined) => {
      highest = Math.max(highest, sent ?? 0)
      if (isResult) changes++
      if (changes === moment) edge.kill()
    }
    client.on('message', (topic, payload) => {
      const { event_id } = parse(payload)
      acknowledged(true, topic.startsWith(UPDATE) ? Number(event_id) : undefined)
    })
    await client.subscribeAsync([`${UPDATE}/result`, `${STATE}/result`], { qos: 1 })
    for (let i = 0; i < 500; i++) {
      const sent = ++value
      client.publish(UPDATE, report(sent), { qos: 1 }, (error) => error ?? acknowledged(false, sent))
      client.publish(STATE, state(i % 2 ? 'online' : 'offline'), { qos: 1 }, () => undefined)
    }
    await edge.closed
    const kept = await twinIn(file)
    const reported = Number(kept?.properties['brightness']?.reported?.value ?? 0)
    assert.ok(reported >= highest, `killed after ${moment}: kept ${reported}, acknowledged ${highest}`)
    const revisions = (kept?.revision ?? 0) - (before?.revision ?? 0)
    assert.ok(revisions >= changes, `killed after ${moment}: ${revisions} changes on disk, ${changes} acknowledged`)
  }
})

test('a full disk: 500 on the result topic of the client, then on by itself', { skip, timeout: 60_000 }, async (t) => {
  const disk = await smallDisk(t, '2m')
  const edge = await spawnEdge(t, disk.on(process.execPath, join(disk.path, 'edge.db')))
  const client = await edge.connect()
  const ask = await asking(client)
  let value = 0
  let highest = 0
  /** One update and one state until both end as wanted; true where the outcome is a success. */
  const both = async (isWanted: (ok: boolean) => boolean) => {
    while (true) {
      const sent = ++value
      const [update, change] = await Promise.all([
        ask(UPDATE, report(sent)),
        ask(STATE, state(sent % 2 ? 'online' : 'offline')),
      ])
      const codes = [update.code, change.code]
      for (const code of codes) assert.ok(code === undefined || code === 500, `code ${code}`)
      if (update.code === undefined) highest = sent
      if (codes.every((code) => isWanted(code === undefined))) return { update, change }
    }
  }
  await both((ok) => ok)
  for (let round = 0; round < 2; round++) {
    await disk.fill()
    const { update } = await both((ok) => !ok)
    assert.match(JSON.stringify(update), /disk/i, 'the client is told why')
    await disk.free()
    await both((ok) => ok)
  }
  edge.kill()
  await edge.closed
  const kept = await twinIn(join(disk.outside, 'edge.db'))
  assert.ok(Number(kept?.properties['brightness']?.reported?.value) >= highest)
})

function report(value: number): string {
  return JSON.stringify({ event_id: String(value), twin: { brightness: { actual: { value: String(value) } } } })
}

function state(value: string): string {
  return JSON.stringify({ event_id: 's', state: value })
}

/** Publishes and gives the result. Results of one topic come in the order of the requests; those of states bear ids of their own. */
async function asking(client: MqttClient) {
  const waiting = new Map<string, ((answer: Message) => void)[]>()
  client.on('message', (topic, payload) => waiting.get(topic)?.shift()?.(parse(payload)))
  await client.subscribeAsync([`${UPDATE}/result`, `${STATE}/result`], { qos: 1 })
  return async (topic: string, payload: string): Promise<Message> => {
    const { promise, resolve } = Promise.withResolvers<Message>()
    const result = `${topic}/result`
    waiting.set(result, [...(waiting.get(result) ?? []), resolve])
    await client.publishAsync(topic, payload, { qos: 1 })
    return promise
  }
}

/** Of a copy, so that a process that runs on the file is not disturbed. */
async function twinIn(file: string): Promise<Twin | undefined> {
  const copy = temporaryFile()
  await copyFile(file, copy)
  await copyFile(`${file}-wal`, `${copy}-wal`)
  await using store = await openStore(copy, [twinStoreDomain], { clock, log: silentLogger })
  const twins = await loadTwins(store, (id) => assert.fail(`${id} cannot be read`))
  return twins[0]
}

function parse(payload: Uint8Array): Message {
  return JSON.parse(Buffer.from(payload).toString())
}
