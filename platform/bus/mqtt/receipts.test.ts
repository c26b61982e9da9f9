import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { Client } from 'aedes'
import fc from 'fast-check'
import { Receipts } from './receipts.ts'

/** Only its identity counts here. */
function aClient(): Client
function aClient(): unknown {
  return new EventEmitter()
}

interface Plan {
  readonly isHandled: boolean
  readonly isAdmitted: boolean
  readonly fails: boolean
}

const plan = fc.record({ isHandled: fc.boolean(), isAdmitted: fc.boolean(), fails: fc.boolean() })

test('whatever takes how long, messages of a client are admitted and receive their receipts in their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 40 }), async (plans, picks) => {
      const receipts = new Receipts()
      const client = aClient()
      const open: (() => void)[] = []
      const admitted: number[] = []
      const done: (readonly [number, boolean])[] = []
      const pending = (fails: boolean) =>
        new Promise<void>((resolve, reject) => void open.push(fails ? () => reject(new Error('no')) : resolve))
      for (const [index, { isHandled, isAdmitted, fails }] of plans.entries()) {
        const admit = () => {
          admitted.push(index)
          return isAdmitted ? pending(false) : undefined
        }
        receipts.give(client, { handling: isHandled ? pending(fails) : undefined, admit }, (error) => {
          done.push([index, !error])
        })
      }
      for (const pick of [...picks, ...plans.flatMap(() => [0, 0])]) {
        open.splice(pick % Math.max(1, open.length), 1)[0]?.()
        await new Promise((resolve) => setImmediate(resolve))
      }
      const isTaken = ({ isHandled, fails }: Plan) => !(isHandled && fails)
      assert.deepEqual(
        done,
        [...plans.entries()].map(([index, each]) => [index, isTaken(each)]),
      )
      assert.deepEqual(
        admitted,
        [...plans.keys()].filter((index) => plans[index] && isTaken(plans[index])),
      )
    }),
    { numRuns: 60 },
  )
})

test('one client waits for no other', async () => {
  const receipts = new Receipts()
  const done: string[] = []
  receipts.give(aClient(), { handling: new Promise(() => undefined) }, () => done.push('slow'))
  receipts.give(aClient(), {}, () => done.push('fast'))
  receipts.give(null, { handling: Promise.resolve() }, () => done.push('nobody'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(done, ['fast', 'nobody'])
})
