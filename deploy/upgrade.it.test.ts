import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { type KubectlOptions, kubectl } from '../hub/apiserver/testing/kubectl.ts'
import { type ServedApi, serveTestApi } from '../hub/apiserver/testing/serve.ts'
import { needs } from '../tools/testing/needs.ts'
import { objectsOf } from './testing/render.ts'

const FIRST = join(import.meta.dirname, 'testing/first-definitions.yaml')
const PRESENT = join(import.meta.dirname, 'manifests/10-crds.yaml')
const PUMP = join(import.meta.dirname, '../samples/pump')
const KINDS = 'devices,devicemodels,devicestatuses,objectsyncs,clusterobjectsyncs,rules,ruleendpoints'
const IDENTITIES =
  'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.resourceVersion} {.metadata.generation} {.spec}{"\\n"}{end}'
const OTHERS = `
apiVersion: reliablesyncs.kubeedge.io/v1alpha1
kind: ObjectSync
metadata: {name: gateway-1.1, namespace: default}
spec: {objectAPIVersion: devices.kubeedge.io/v1beta1, objectKind: device, objectName: pump-1}
---
apiVersion: rules.kubeedge.io/v1
kind: RuleEndpoint
metadata: {name: bus, namespace: default}
spec: {ruleEndpointType: eventbus, properties: {}}
---
apiVersion: devices.kubeedge.io/v1beta1
kind: DeviceStatus
metadata: {name: pump-1, namespace: default}
spec: {}
status: {lastOnlineTime: "2026-01-01T00:00:00Z", state: online}
`

describe('definitions are upgraded', { skip: needs('kubectl') }, () => {
  let api: ServedApi
  const releases: (() => Promise<void>)[] = []

  before(async () => {
    api = await serveTestApi({ after: (release) => void releases.push(release) })
  })

  after(async () => {
    for (const release of releases) await release()
  })

  const done = async (args: readonly string[], options: KubectlOptions = {}) => {
    const ran = await kubectl(api, args, options)
    assert.equal(ran.code, 0, ran.err)
    return ran.out
  }
  const apply = (file: string) => done(['apply', '--server-side', '--validate=strict', '-f', file])
  const objects = () => done(['get', KINDS, '-A', '-o', IDENTITIES])

  it('from the first ones to the present ones, and no object changes', async () => {
    await done(['apply', '--validate=strict', '-f', FIRST])
    await done(['wait', '--for=condition=Established', '-f', FIRST, '--timeout=20s'])
    await done(['apply', '--validate=strict', '-f', join(PUMP, 'model.yaml'), '-f', join(PUMP, 'device.yaml')])
    await done(['apply', '--validate=strict', '-f', '-'], { input: OTHERS })
    const before = await objects()
    assert.equal(before.trim().split('\n').length, 5)
    await done(['apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', PRESENT])
    assert.equal(await objects(), before)
    const kept = await done(['get', 'devicestatus', 'pump-1', '-o', 'jsonpath={.status.state}'])
    assert.equal(kept, 'online')
  })

  it('and what is new in them is there at once', async () => {
    const status = { conditions: [], intents: [] }
    const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
    await done(['patch', 'device', 'pump-1', ...patch])
    assert.equal(await done(['get', 'device', 'pump-1', '-o', 'jsonpath={.status.intents}']), '[]')
  })

  it('and a conversion that the product has registered stays through the next upgrade', async () => {
    const name = 'customresourcedefinition/devices.devices.kubeedge.io'
    const webhook = { clientConfig: { url: 'https://127.0.0.1:9443/convert' }, conversionReviewVersions: ['v1'] }
    const patch = JSON.stringify({ spec: { conversion: { strategy: 'Webhook', webhook } } })
    await done(['patch', name, '--field-manager=skerry', '--type=merge', '-p', patch])
    await apply(PRESENT)
    assert.equal(await done(['get', name, '-o', 'jsonpath={.spec.conversion.strategy}']), 'Webhook')
    await done(['patch', name, '--type=merge', '-p', '{"spec":{"conversion":{"strategy":"None","webhook":null}}}'])
  })

  it('and back to the first ones: every object is still there', async () => {
    const identity = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split(' ').slice(0, 2))
    const before = await objects()
    await done(['apply', '--server-side', '--force-conflicts', '--validate=strict', '-f', FIRST])
    assert.deepEqual(identity(await objects()), identity(before))
    await apply(PRESENT)
    assert.equal(await objects(), before)
  })

  it('but never to ones that do not know the version in which objects are stored', async () => {
    for (const definition of objectsOf(readFileSync(PRESENT, 'utf8'))) {
      const { spec, metadata } = Object(definition)
      const [version] = spec.versions.filter(({ storage }: { storage: boolean }) => storage)
      const versions = [{ ...version, name: 'v9' }]
      const input = JSON.stringify({ ...Object(definition), spec: { ...spec, versions } })
      const ran = await kubectl(api, ['apply', '--server-side', '--force-conflicts', '-f', '-'], { input })
      assert.equal(ran.code, 1, metadata.name)
      assert.match(ran.err, /status\.storedVersions\[0\]: Invalid value: "v1[a-z0-9]*"/)
    }
  })
})

describe('the present definitions', () => {
  const first = objectsOf(readFileSync(FIRST, 'utf8'))
  const present = new Map(objectsOf(readFileSync(PRESENT, 'utf8')).map((each) => [Object(each).metadata.name, each]))

  for (const definition of first) {
    const { metadata, spec } = Object(definition)
    it(`of ${metadata.name} take all that the first one took`, () => {
      const now = Object(present.get(metadata.name)).spec
      assert.deepEqual(
        [now.group, now.scope, now.names.kind, now.names.plural],
        [spec.group, spec.scope, spec.names.kind, spec.names.plural],
      )
      for (const version of spec.versions) {
        const same = now.versions.find(({ name }: { name: string }) => name === version.name)
        assert.ok(same, `${version.name} is gone`)
        assert.deepEqual([same.served, same.storage], [version.served, version.storage], version.name)
        assert.deepEqual(losses(version.schema.openAPIV3Schema, same.schema.openAPIV3Schema, ''), [], version.name)
      }
    })
  }

  it('are compared in a way that finds what is lost', () => {
    const before = parse(
      '{type: object, properties: {a: {type: string, enum: [x]}, b: {type: object, properties: {c: {type: integer}}}}}',
    )
    const after = parse(
      '{type: object, required: [b], properties: {a: {type: string, enum: []}, b: {type: object, properties: {c: {type: string}}}}}',
    )
    assert.deepEqual(losses(before, after, ''), ['required b', '/a takes no "x"', '/b/c is of another type'])
    assert.deepEqual(losses(before, parse('{type: object, properties: {a: {type: string}}}'), ''), ['/b is gone'])
  })
})

/** What the one schema takes and the other does not, as far as types, enumerations and required fields tell. */
function losses(before: unknown, after: unknown, path: string): readonly string[] {
  const [old, now] = [Object(before), Object(after)]
  if (old.type !== now.type) return [`${path} is of another type`]
  const required = (now.required ?? []).filter((name: string) => !(old.required ?? []).includes(name))
  const values =
    now.enum === undefined ? [] : (old.enum ?? ['anything']).filter((each: unknown) => !now.enum.includes(each))
  const isOpen = now['x-kubernetes-preserve-unknown-fields'] === true
  return [
    ...required.map((name: string) => `required ${name}`),
    ...values.map((each: unknown) => `${path} takes no ${JSON.stringify(each)}`),
    ...Object.entries(old.properties ?? {}).flatMap(([name, each]) => {
      const next = now.properties?.[name]
      if (next === undefined) return isOpen ? [] : [`${path}/${name} is gone`]
      return losses(each, next, `${path}/${name}`)
    }),
    ...(old.items === undefined ? [] : losses(old.items, now.items, `${path}/*`)),
  ]
}
