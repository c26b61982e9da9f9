import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Json, JsonObject } from '../../schemas/index.ts'
import { fieldsOfType, modelOfType } from '../kube/builtin/index.ts'
import { ownWords, structureWords } from '../kube/openapi/words/index.ts'
import { isJsonObject } from '../kube/schema/index.ts'
import { modelTexts } from '../serving/descriptions/model-texts.ts'
import { at } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

describe('what is said of fields', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const get = async (path: string) => (await ask(api, { path })).json
  /** Of all versions, by the names of the structures. */
  const structures = async () => {
    const index = members(at(await get('/openapi/v3'), 'paths'))
    const found = new Map<string, JsonObject>()
    for (const path of Object.keys(index)) {
      const schemas = members(at(await get(`/openapi/v3/${path}`), 'components', 'schemas'))
      for (const [name, schema] of Object.entries(schemas)) found.set(name, members(schema))
    }
    return found
  }

  it('is something, for every structure and every field of every kind that is served', async () => {
    const all = await structures()
    assert.ok(all.size > 300, `${all.size} structures`)
    assert.deepEqual(
      [...all].flatMap(([name, schema]) => silent(name, schema)),
      [],
    )
    const second = members(at(await get('/openapi/v2'), 'definitions'))
    assert.deepEqual(
      Object.entries(second).flatMap(([name, schema]) => silent(name, schema)),
      [],
    )
  })

  it('is of our own only where the client package says nothing, of fields that are served', async () => {
    const all = await structures()
    const documentation = modelTexts()
    const served = new Set([...all.keys()].map((name) => modelOfType(name)))
    for (const [model, words] of Object.entries(ownWords())) {
      assert.ok(served.has(model), model)
      const fields = new Map(fieldsOfType(model).map(({ name, code }) => [name, code]))
      for (const name of Object.keys(words)) {
        assert.ok(fields.has(name), `${model}.${name}`)
        // Some texts of fields of these codes are those of a type, which stand at the type.
        if (!/^[*%]?[xma]$/.test(fields.get(name) ?? ''))
          assert.equal(documentation(model)?.field(name), undefined, `${model}.${name}`)
      }
    }
    for (const name of Object.keys(structureWords())) assert.ok(all.has(name), name)
  })

  it('is whole sentences, and few', () => {
    const texts = [
      ...Object.values(ownWords()).flatMap((words) => Object.values(words)),
      ...Object.values(structureWords()),
    ]
    for (const text of texts) {
      assert.match(text, /^[^a-z\s].*\.$/)
      assert.ok(text.length < 330, text)
    }
  })
})

/** Places without a text: the schema itself, and whatever fields stand in it. */
function silent(place: string, value: Json): readonly string[] {
  const schema = members(value)
  const isSilent = !/\w/.test(String(schema['description'] ?? ''))
  return [...(isSilent ? [place] : []), ...silentWithin(place, schema)]
}

function silentWithin(place: string, { properties, items, additionalProperties }: JsonObject): readonly string[] {
  const fields = properties === undefined ? [] : Object.entries(members(properties))
  return [
    ...fields.flatMap(([field, each]) => silent(`${place}.${field}`, each)),
    ...[items, additionalProperties].filter(isJsonObject).flatMap((each) => silentWithin(place, each)),
  ]
}

function members(value: unknown): JsonObject {
  assert.ok(isJsonObject(value))
  return value
}
