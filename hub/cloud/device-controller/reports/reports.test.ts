import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Twin } from '../../../../schemas/index.ts'
import { toJson, twinRoute, twinSync } from '../../../edge/twins/twin-frames.ts'
import { applySync } from '../views/twin-view.ts'
import { parseReport } from './reports.ts'

const NAMES = ['speed', '__proto__', 'constructor', 'toString']

test('a twin comes to the cloud with every property, whatever its name', () => {
  const sync = twinSync(twinWith(NAMES), [], true, { eventId: 'e', now: 9 })
  const report = parseReport(twinRoute('default/pump-1').resource, toJson(sync))
  assert.ok(report?.kind === 'twin')
  const view = applySync(new Map(), report.sync)
  assert.deepEqual([...view.keys()], NAMES)
  for (const [name, { reported }] of view) {
    assert.deepEqual([reported?.value, reported?.metadata?.['quality']], [`of ${name}`, 'uncertain'])
  }
})

test('what an edge leaves out of its extras is not taken from elsewhere', () => {
  const { skerry, ...sync } = twinSync(twinWith(NAMES), [], true, { eventId: 'e', now: 9 })
  assert.ok(skerry)
  const report = parseReport(
    twinRoute('default/pump-1').resource,
    toJson({ ...sync, skerry: { ...skerry, properties: {} } }),
  )
  assert.ok(report?.kind === 'twin')
  for (const { reported } of applySync(new Map(), report.sync).values()) {
    assert.deepEqual(reported?.metadata, { timestamp: '7', type: 'string' })
  }
})

function twinWith(names: readonly string[]): Twin {
  const properties = names.map((name) => {
    const version = { cloud: 1, edge: 1 }
    const reported = { value: `of ${name}`, timestamp: 7, sourceTime: 6, quality: 'uncertain' as const, version }
    return [name, { type: 'string', declared: true, optional: false, writable: false, reported }] as const
  })
  return {
    ...{ id: 'default/pump-1', uid: 'uid-pump-1', description: '', generation: 1, state: 'online', revision: 1 },
    properties: Object.fromEntries(properties),
  }
}
