import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, StructuralSchema } from '../resource.ts'
import { rootSchema } from '../schema/object-meta.ts'
import { applyConfiguration } from './apply.ts'
import { compareObjects, isUnchanged } from './compare.ts'
import { fieldSetOf } from './extract.ts'
import { difference, EMPTY, intersection, pathsOf, sameSet, union } from './field-set.ts'
import { fromFieldsV1, toFieldsV1 } from './fields-v1.ts'
import { encodeManagers, type Managers, managersOf } from './managers.ts'
import { mergeObjects } from './merge.ts'
import { conflictText } from './take-fields.ts'
import { trackUpdate } from './track-update.ts'
import type { Convert } from './versions.ts'

const text: StructuralSchema = { type: 'string' }
const item: StructuralSchema = { type: 'object', properties: { name: text, value: text } }
const body: StructuralSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        labels: { type: 'object', additionalProperties: text },
        tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
        items: { type: 'array', items: item, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
        args: { type: 'array', items: text },
      },
    },
  },
}
const schema = rootSchema(body)
const V1 = 'example.org/v1'
const convert: Convert = (object, apiVersion) =>
  Promise.resolve(apiVersion === 'example.org/v0' ? undefined : { schema, object: { ...object, apiVersion } })

const widget = (spec: JsonObject): ApiObject => ({ apiVersion: V1, kind: 'Widget', metadata: { name: 'w' }, spec })
const nothing: ApiObject = { apiVersion: V1, kind: 'Widget', metadata: {} }
const at = (second: number) => `2026-01-01T00:00:0${second}Z`

interface State {
  readonly object: ApiObject
  readonly managers: Managers
}

const start: State = { object: nothing, managers: new Map() }

async function apply({ object, managers }: State, name: string, spec: JsonObject, force = false, second = 1) {
  return await applyConfiguration({
    live: { schema, object },
    config: widget(spec),
    apiVersion: V1,
    managers,
    writer: { name, subresource: '', time: at(second) },
    force,
    excluded: EMPTY,
    convert,
  })
}

async function update({ object, managers }: State, name: string, spec: JsonObject, second = 2): Promise<State> {
  const after = widget(spec)
  const change = { before: { schema, object }, after, apiVersion: V1, convert, excluded: EMPTY }
  const writer = { name, subresource: '', time: at(second) }
  return { object: after, managers: await trackUpdate(change, managers, writer) }
}

const fieldsOf = ({ managers }: { readonly managers: Managers }, name: string) =>
  encodeManagers(managers)?.find((entry) => entry['manager'] === name)?.['fieldsV1']

describe('an apply', () => {
  it('owns what it says, and removes what it says no more', async () => {
    const first = await apply(start, 'a', {
      replicas: 1,
      labels: { x: '1', y: '2' },
      items: [{ name: 'i', value: '1' }],
    })
    const second = await apply(first, 'a', { labels: { x: '1' } })
    assert.deepEqual(second.object['spec'], { labels: { x: '1' } })
    assert.deepEqual(fieldsOf(second, 'a'), { 'f:spec': { 'f:labels': { 'f:x': {} } } })
  })

  it('leaves what another manager says too, and its own fields of an item that both have', async () => {
    const first = await apply(start, 'a', { replicas: 1, items: [{ name: 'i', value: '1' }] })
    const second = await apply(first, 'b', { replicas: 1, items: [{ name: 'i' }, { name: 'j' }] })
    const third = await apply(second, 'a', {})
    assert.deepEqual(third.object['spec'], { replicas: 1, items: [{ name: 'i' }, { name: 'j' }] })
    assert.deepEqual(fieldsOf(third, 'a'), { 'f:spec': {} })
  })

  it('is in conflict with whoever set a field to another value, and takes it by force', async () => {
    const made = await update(start, 'kubectl-create', { replicas: 1, args: ['x'] })
    const refused = await apply(made, 'a', { replicas: 2 })
    assert.equal(
      conflictText(refused.conflicts),
      'Apply failed with 1 conflict: conflict with "kubectl-create" using example.org/v1: .spec.replicas',
    )
    const forced = await apply(made, 'a', { replicas: 2 }, true)
    assert.deepEqual(forced.object['spec'], { replicas: 2, args: ['x'] })
    assert.deepEqual(fieldsOf(forced, 'kubectl-create'), { 'f:spec': { '.': {}, 'f:args': {} } })
  })

  it('names all conflicts by manager', async () => {
    const first = await apply(start, 'a', { replicas: 1, labels: { x: '1' } })
    const second = await apply(first, 'b', { tags: ['t'], args: ['1'] })
    const refused = await apply(second, 'c', { replicas: 2, labels: { x: '2' }, args: ['2'] })
    assert.equal(
      conflictText(refused.conflicts),
      'Apply failed with 3 conflicts: conflicts with "a":\n- .spec.replicas\n- .spec.labels.x\nconflicts with "b":\n- .spec.args',
    )
  })

  it('of the same value shares the field', async () => {
    const first = await apply(start, 'a', { replicas: 1 })
    const second = await apply(first, 'b', { replicas: 1 })
    assert.equal(second.object, first.object)
    assert.equal(second.conflicts.length, 0)
    assert.deepEqual(fieldsOf(second, 'b'), { 'f:spec': { 'f:replicas': {} } })
  })

  it('takes over by kubectl what client-side apply set and nobody changed since', async () => {
    const last = JSON.stringify(widget({ replicas: 1, args: ['x'] }))
    const annotated = (spec: JsonObject): ApiObject => ({
      ...widget(spec),
      metadata: { name: 'w', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': last } },
    })
    const made = await update(start, 'kubectl-client-side-apply', { replicas: 1, args: ['x'] })
    const live = { ...made, object: annotated({ replicas: 1, args: ['x'] }) }
    const taken = await apply(live, 'kubectl', { replicas: 2 })
    assert.deepEqual(taken.conflicts, [])
    assert.deepEqual(taken.object['spec'], { replicas: 2, args: ['x'] })
    assert.equal((await apply(live, 'other', { replicas: 2 })).conflicts.length, 1)
    const changed = { ...made, object: annotated({ replicas: 5, args: ['x'] }) }
    assert.equal((await apply(changed, 'kubectl', { replicas: 2 })).conflicts.length, 1)
  })

  it('removes labels of the metadata, and leaves the rest of it', async () => {
    const labelled = (labels: JsonObject) => ({ ...widget({}), metadata: { name: 'w', labels } })
    const to = (state: State, config: ApiObject) =>
      applyConfiguration({
        ...{ live: { schema, object: state.object }, config, apiVersion: V1, managers: state.managers },
        ...{ writer: { name: 'a', subresource: '', time: at(1) }, force: false, excluded: EMPTY, convert },
      })
    const made = await to(start, labelled({ l: '1' }))
    const lived = { ...made, object: { ...made.object, metadata: { ...made.object.metadata, uid: 'u' } } }
    assert.deepEqual((await to(lived, widget({}))).object.metadata, { name: 'w', uid: 'u' })
  })

  it('forgets managers of versions that are gone', async () => {
    const old = { name: 'old', operation: 'Apply', apiVersion: 'example.org/v0', subresource: '', time: at(0) } as const
    const managers = managersOf({ ...old, fields: fromFieldsV1({ 'f:spec': { 'f:replicas': {} } }) })
    const applied = await apply({ object: widget({ replicas: 1 }), managers }, 'a', { replicas: 2 })
    assert.deepEqual(
      [...applied.managers.values()].map(({ name }) => name),
      ['a'],
    )
  })
})

describe('an update', () => {
  it('owns what it changes, and what it removes is nobody’s', async () => {
    const made = await apply(start, 'a', { replicas: 1, labels: { x: '1', y: '1' } })
    const next = await update(made, 'b', { replicas: 1, labels: { x: '2' } })
    assert.deepEqual(fieldsOf(next, 'a'), { 'f:spec': { 'f:replicas': {} } })
    assert.deepEqual(fieldsOf(next, 'b'), { 'f:spec': { 'f:labels': { 'f:x': {} } } })
  })

  it('that changes nothing leaves all managers as they are', async () => {
    const made = await update(start, 'a', { replicas: 1 })
    assert.equal((await update(made, 'b', { replicas: 1 })).managers, made.managers)
  })

  it('of the same manager adds to what it owns', async () => {
    const made = await update(start, 'a', { replicas: 1 }, 1)
    const next = await update(made, 'a', { replicas: 1, args: ['x'] }, 2)
    assert.deepEqual(encodeManagers(next.managers), [
      {
        manager: 'a',
        operation: 'Update',
        apiVersion: V1,
        time: at(2),
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { '.': {}, 'f:args': {}, 'f:replicas': {} } },
      },
    ])
  })

  it('beyond ten managers makes the oldest ones one', async () => {
    let state = start
    for (let index = 0; index < 13; index++) {
      const labels = Object.fromEntries(Array.from({ length: index + 1 }, (_, each) => [`l${each}`, 'x']))
      state = await update(state, `m${String(index).padStart(2, '0')}`, { labels })
    }
    const entries = encodeManagers(state.managers) ?? []
    assert.equal(entries.length, 10)
    assert.deepEqual(fieldsOf(state, 'ancient-changes'), {
      'f:spec': { '.': {}, 'f:labels': { '.': {}, 'f:l0': {}, 'f:l1': {}, 'f:l2': {}, 'f:l3': {} } },
    })
  })
})

const name = fc.constantFrom('a', 'b', 'c', 'd')
// Empty lists and maps say nothing of what was there.
const spec = fc
  .record(
    {
      replicas: fc.nat(3),
      labels: fc.dictionary(name, name, { minKeys: 1 }),
      tags: fc.uniqueArray(name, { minLength: 1 }),
      items: fc.uniqueArray(fc.record({ name, value: name }), { selector: (each) => each.name, minLength: 1 }),
      args: fc.array(name, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
  .map((value): JsonObject => ({ ...value }))

describe('laws', () => {
  it('a set is read as it was written, and set arithmetic is that of paths', () => {
    fc.assert(
      fc.property(spec, spec, (one, other) => {
        const [a, b] = [fieldSetOf(schema, widget(one)), fieldSetOf(schema, widget(other))]
        const read = fromFieldsV1(JSON.parse(JSON.stringify(toFieldsV1(a))))
        assert.ok(sameSet(a, read))
        const texts = (set: typeof a) => pathsOf(set).map((path) => path.join('/'))
        const [ta, tb] = [texts(a), texts(b)]
        assert.deepEqual(new Set(texts(union(a, b))), new Set([...ta, ...tb]))
        assert.deepEqual(
          texts(intersection(a, b)),
          ta.filter((each) => tb.includes(each)),
        )
        assert.deepEqual(
          texts(difference(a, b)),
          ta.filter((each) => !tb.includes(each)),
        )
      }),
    )
  })

  it('merging is idempotent, and leaves nothing of the configuration to be said', () => {
    fc.assert(
      fc.property(spec, spec, (live, applied) => {
        const once = mergeObjects(schema, widget(live), widget(applied))
        const twice = mergeObjects(schema, once, widget(applied))
        assert.ok(isUnchanged(compareObjects(schema, once, twice)))
        assert.deepEqual(difference(fieldSetOf(schema, widget(applied)), fieldSetOf(schema, once)), new Map())
      }),
    )
  })

  it('a comparison there and back is the same, the other way round', () => {
    fc.assert(
      fc.property(spec, spec, (one, other) => {
        const there = compareObjects(schema, widget(one), widget(other))
        const back = compareObjects(schema, widget(other), widget(one))
        assert.ok(sameSet(there.added, back.removed) && sameSet(there.removed, back.added))
        assert.ok(sameSet(there.modified, back.modified))
      }),
    )
  })

  it('a sole applier always has exactly what it applied last', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(spec, { minLength: 1, maxLength: 4 }), async (configs) => {
        let state: State = start
        for (const config of configs) state = await apply(state, 'a', config)
        const last = configs.at(-1) ?? {}
        const alone = await apply(start, 'a', last)
        assert.ok(sameSet(fieldSetOf(schema, state.object), fieldSetOf(schema, alone.object)))
        assert.ok(isUnchanged(compareObjects(schema, mergeObjects(schema, state.object, widget(last)), state.object)))
      }),
    )
  })

  it('who applies by force owns all it says; nobody owns what is not there', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, spec, fc.boolean()), { maxLength: 5 }), async (writes) => {
        let state: State = start
        for (const [who, wanted, isApply] of writes) {
          state = isApply ? await apply(state, who, wanted, true) : await update(state, who, wanted)
          const present = compareObjects(schema, {}, state.object).added
          for (const manager of state.managers.values()) {
            const gone = difference(manager.fields, union(present, fieldSetOf(schema, state.object)))
            assert.deepEqual(pathsOf(gone), [])
          }
        }
      }),
    )
  })
})
