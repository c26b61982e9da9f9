import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { test } from 'node:test'
import { createMetrics } from '../health/index.ts'
import type { Store } from './index.ts'
import { aFolder, openAt } from './testing/file-of-test.ts'

const MEGABYTE = 1024 * 1024
const KEYS = 250

test('a file does not grow with churn, its log stays bounded, and what was deleted is given back to the disk', async (t) => {
  const { file } = aFolder()
  const metrics = createMetrics()
  const store = await openAt(t, file, { durability: 'normal', shrinks: true, metrics })
  await fill(store, 8)
  const first = (await stat(file)).size
  // Ten times what it holds.
  for (let byte = 9; byte < 20; byte++) await fill(store, byte)
  const churned = (await stat(file)).size
  assert.ok(churned < first * 1.5, `${churned} after ${first}`)
  assert.ok((await stat(`${file}-wal`)).size < 40 * MEGABYTE)
  const text = await metrics.text()
  const told = Number(/skerry_store_bytes\{store="skerry.db"\} (\S+)/.exec(text)?.[1])
  assert.ok(told >= churned, `${told} of ${churned}`)

  await Promise.all(Array.from({ length: KEYS }, (_, key) => put(store, key, new Uint8Array(1))))
  for (let count = 0; count < 200; count++) await put(store, 0, new Uint8Array([count]))
  await store[Symbol.asyncDispose]()
  assert.ok((await stat(file)).size < first / 2, `${(await stat(file)).size} of ${first}`)
})

async function fill(store: Store, byte: number): Promise<void> {
  await Promise.all(Array.from({ length: KEYS }, (_, key) => put(store, key, new Uint8Array(65_536).fill(byte))))
}

function put(store: Store, key: number, bytes: Uint8Array): Promise<void> {
  return store.write([{ statement: 'pairs.putBytes', parameters: [`key-${key}`, bytes] }])
}
