import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import { containerOf, FACTS } from '../testing/pods.ts'
import { environmentOf } from './environment.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const CONFIG_MAPS: Readonly<Record<string, JsonObject>> = {
  app: { data: { colour: 'red', '1st': 'one', 'not a name=': 'x' }, binaryData: { picture: base64('x') } },
}
const SECRETS: Readonly<Record<string, JsonObject>> = {
  key: { data: { password: base64('s€cret'), colour: base64('blue') } },
  binary: { data: { store: base64('a\0b') } },
}

async function environment(fields: JsonObject, given?: ReadonlyMap<string, string>) {
  const asked: string[] = []
  const objects = {
    configMap: async (namespace: string, name: string) => {
      asked.push(`${namespace}/configmap/${name}`)
      if (name === 'far') throw new Error('the cloud is away')
      return CONFIG_MAPS[name]
    },
    secret: async (namespace: string, name: string) => {
      asked.push(`${namespace}/secret/${name}`)
      return SECRETS[name]
    },
  }
  const { pod, container } = containerOf(fields)
  const signal = new AbortController().signal
  return {
    values: await environmentOf({ pod, container, facts: FACTS, objects, signal, ...(given ? { given } : {}) }),
    asked,
  }
}

async function obstacle(fields: JsonObject): Promise<string> {
  try {
    await environment(fields)
  } catch (error) {
    assert.ok(error instanceof ObstacleError)
    assert.equal(error.waiting.reason, 'CreateContainerConfigError')
    return error.waiting.message
  }
  throw new assert.AssertionError({ message: 'there was an environment' })
}

const from = (valueFrom: JsonObject): JsonObject => ({ env: [{ name: 'X', valueFrom }] })

test('plain values may use those before them, and whatever came from configmaps and secrets', async () => {
  const { values } = await environment({
    envFrom: [{ prefix: 'C_', configMapRef: { name: 'app' } }],
    env: [
      { name: 'A', value: '$(C_colour) $(B) $$(C_colour)' },
      { name: 'B', value: '$(A)!' },
      { name: 'C_colour', value: 'green' },
      { name: 'EMPTY' },
    ],
  })
  assert.deepEqual(Object.fromEntries(values), {
    C_colour: 'green',
    C_1st: 'one',
    A: 'red $(B) $(C_colour)',
    B: 'red $(B) $(C_colour)!',
    EMPTY: '',
  })
})

test('of two with the same key the later one counts, and what cannot be a name is left out', async () => {
  const { values, asked } = await environment({
    envFrom: [
      { configMapRef: { name: 'app' } },
      { secretRef: { name: 'key' } },
      { prefix: 'S_', secretRef: { name: 'key' } },
    ],
  })
  assert.deepEqual(
    [...values],
    [
      ['colour', 'blue'],
      ['1st', 'one'],
      ['password', 's€cret'],
      ['S_password', 's€cret'],
      ['S_colour', 'blue'],
    ],
  )
  assert.deepEqual(asked, ['shop/configmap/app', 'shop/secret/key'])
})

test('a variable is told a field, a resource, or a key', async () => {
  const { values } = await environment({
    resources: { limits: { cpu: '1500m' } },
    env: [
      { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'app', key: 'colour' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'key', key: 'password' } } },
      { name: 'URL', value: 'http://:$(PASSWORD)@$(IP)' },
    ],
  })
  assert.deepEqual(Object.fromEntries(values), {
    NODE: 'till-7',
    IP: '10.88.0.2',
    CPU: '2',
    COLOUR: 'red',
    PASSWORD: 's€cret',
    URL: 'http://:s€cret@10.88.0.2',
  })
})

test('what is optional and not there sets nothing', async () => {
  const { values } = await environment({
    envFrom: [{ configMapRef: { name: 'none', optional: true } }, { secretRef: { name: 'none', optional: true } }],
    env: [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional: true } } },
      { name: 'B', valueFrom: { configMapKeyRef: { name: 'app', key: 'none', optional: true } } },
      { name: 'C', valueFrom: { secretKeyRef: { name: 'key', key: 'none', optional: true } } },
      { name: 'D', value: '$(A)' },
    ],
  })
  assert.deepEqual([...values], [['D', '$(A)']])
})

test('what is missing is told in the words of Kubernetes', async () => {
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    [from({ configMapKeyRef: { name: 'none', key: 'k' } }), 'configmap "none" not found'],
    [from({ configMapKeyRef: { name: 'app', key: 'k' } }), "couldn't find key k in ConfigMap shop/app"],
    [from({ configMapKeyRef: { name: 'app', key: 'picture' } }), "couldn't find key picture in ConfigMap shop/app"],
    [from({ secretKeyRef: { name: 'key', key: 'k' } }), "couldn't find key k in Secret shop/key"],
    [from({ configMapKeyRef: { name: 'far', key: 'k' } }), 'configmap "far" cannot be had now: the cloud is away'],
    [from({ fieldRef: { fieldPath: 'spec.x' } }), 'environment variable X: spec.x cannot be told to containers'],
    [from({ secretKeyRef: { name: 'binary', key: 'store' } }), 'the value of environment variable X has a NUL byte'],
    [{ env: [{ name: 'a=b', value: 'c' }] }, '"a=b" cannot be the name of an environment variable'],
  ]
  for (const [fields, message] of cases) assert.equal(await obstacle(fields), message)
})

test('an optional configmap that nobody can tell of now is waited for: the container must not start without it', async () => {
  assert.match(await obstacle({ envFrom: [{ configMapRef: { name: 'far', optional: true } }] }), /cannot be had now/)
})

test('work that is ended is not an obstacle', async () => {
  const { pod, container } = containerOf({ envFrom: [{ secretRef: { name: 'key' } }] })
  const ended = AbortSignal.abort(new Error('ended'))
  const objects = {
    configMap: () => Promise.reject(ended.reason),
    secret: () => Promise.reject(ended.reason),
  }
  await assert.rejects(environmentOf({ pod, container, facts: FACTS, objects, signal: ended }), { message: 'ended' })
})

test('what a container is given beside its own can be named in it, and is not repeated', async () => {
  const given = new Map([
    ['KUBERNETES_SERVICE_HOST', '10.0.0.1'],
    ['COLOUR', 'red'],
  ])
  const env = [
    { name: 'COLOUR', value: 'blue' },
    { name: 'API', value: 'https://$(KUBERNETES_SERVICE_HOST)/$(COLOUR)' },
  ]
  const { values } = await environment({ env }, given)
  assert.deepEqual(Object.fromEntries(values), { COLOUR: 'blue', API: 'https://10.0.0.1/blue' })
})
