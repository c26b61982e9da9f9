import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import { judgeAnswer } from './answer.ts'
import type { Heard } from './client.ts'
import { deviceConfig } from './config.ts'
import { Message } from './message.ts'
import { Presence } from './presence.ts'
import { readingOf } from './reading.ts'
import { Subscriptions } from './subscriptions.ts'
import { visitorConfig } from './visitor.ts'

function message(payload: string) {
  return new Message('t', new TextEncoder().encode(payload), false, 1)
}

function visitor(config: JsonObject) {
  const parsed = visitorConfig.parse({ topic: 't', ...config })
  return parsed.ok ? parsed.value : assert.fail(JSON.stringify(parsed.issues))
}

const DEEP = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
/** What no message of a good device holds, at each place where something is looked for. */
const HOSTILE = [
  DEEP,
  '{"toString":1,"valueOf":1}',
  '{"toJSON":{"toString":null}}',
  '{"__proto__":{"a":1},"constructor":null}',
  '[null,[null]]',
  '12345678901234567890123456789012345678901234567890',
  `1${'0'.repeat(400)}`,
  `"${'x'.repeat(100_000)}"`,
]

test('no message makes anything throw, whatever stands where a value, a time, an id or a word should be', () => {
  const device = deviceConfig.parse({ availability: { topic: 'a', pointer: '/x' } })
  const presence = new Presence(device.ok ? device.value : assert.fail(), () => undefined)
  const value = visitor({ pointer: '/x', time: '/x', match: { a: 'b' } })
  const ack = { by: 'answer', topic: 'r', correlation: '/x', pointer: '/x', errorPointer: '/x', ok: ['OK'] }
  const { ack: correlated } = visitor({ commandTopic: 'c', commandPayload: '{id}', ack })
  const { correlation: _none, ...plain } = correlated ?? assert.fail()
  const take = (text: string) => {
    for (const payload of [`{"x":${text}}`, text]) {
      const heard = message(payload)
      for (const type of ['STRING', 'INT', 'BOOLEAN'] as const) {
        readingOf(heard, type, value)
        readingOf(heard, type, visitor({ pointer: '/x' }))
      }
      assert.equal(judgeAnswer(heard, '7', correlated ?? assert.fail()), undefined)
      judgeAnswer(heard, '7', plain)
      presence.take(heard)
    }
  }
  for (const text of HOSTILE) take(text)
  fc.assert(fc.property(fc.json(), (text) => take(text === '7' || text === '"7"' ? '8' : text)))
})

test('what is nested too deeply to be text says so, and is found below all the same', () => {
  const outcome = readingOf(message(`{"x":${DEEP}}`), 'STRING', visitor({ pointer: '/x' }))
  assert.match(outcome?.ok === false ? outcome.error.message : '', /nested too deeply/)
  const below = readingOf(message(`{"x":${DEEP},"y":5}`), 'INT', visitor({ pointer: '/y' }))
  assert.equal(below?.ok && below.value.value, 5)
})

test('of a kept session no more is held than fits, and what is lost is told', async () => {
  const log = memoryLogger()
  const { client, subscribed } = deafClient()
  const subscriptions = new Subscriptions({ now: () => 0, log, keepsEarly: true })
  subscriptions.attach(client)
  const large = new Uint8Array(1_000_000)
  for (let index = 0; index < 30; index++) {
    subscriptions.hear({ message: new Message('t', large, false, index), correlation: undefined })
  }
  const heard: Heard[] = []
  subscriptions.listen('t', 1, (each) => void heard.push(each))
  await subscribed
  assert.equal(heard.length, 16)
  assert.deepEqual(heard.map(({ message }) => message.receivedAt).slice(0, 2), [0, 1])
  assert.deepEqual(log.messages('warn'), ['The MQTT broker had kept more messages than are held'])
})

function deafClient() {
  const { promise: subscribed, resolve } = Promise.withResolvers<void>()
  const client = {
    id: 'c',
    isDeaf: true,
    gone: new AbortController().signal,
    publish: async () => undefined,
    subscribe: async (filters: readonly string[]) => {
      setImmediate(resolve)
      return filters.map(() => true)
    },
    unsubscribe: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
  return { client, subscribed }
}
