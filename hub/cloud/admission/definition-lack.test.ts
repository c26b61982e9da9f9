import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crds } from '../../../schemas/crd/index.ts'
import { definitionLack } from './definition-lack.ts'

const NAME = 'devices.devices.kubeedge.io'

/** The definition of devices as one that drops what it does not know, with its text changed. */
function changed(change: (text: string) => string): unknown {
  const own = crds.find(({ metadata }) => metadata.name === NAME)
  const keeps = '"x-kubernetes-preserve-unknown-fields":'
  return JSON.parse(change(JSON.stringify(own?.spec).replaceAll(`${keeps}true`, `${keeps}false`)))
}

test('own definitions lack nothing, and neither do those that know more or keep what they do not know', () => {
  for (const { metadata, spec } of crds) assert.equal(definitionLack(metadata.name, spec), undefined)
  assert.equal(
    definitionLack(
      NAME,
      changed((text) => text.replaceAll('"properties":{', '"properties":{"more":{"type":"string"},')),
    ),
    undefined,
  )
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const version = {
    name: 'v1beta1',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema: open },
  }
  assert.equal(definitionLack(NAME, { versions: [version] }), undefined)
})

test('an older definition is told by what it lacks first: a version, the subresource, a field', () => {
  assert.equal(definitionLack(NAME, undefined), 'it does not serve v1beta1')
  assert.equal(
    definitionLack(NAME, { versions: [{ name: 'v1alpha2', served: true, storage: true }] }),
    'it does not serve v1beta1',
  )
  assert.equal(
    definitionLack(
      NAME,
      changed((text) => text.replaceAll('"subresources":{"status":{}}', '"subresources":{}')),
    ),
    'v1beta1 has no subresource status',
  )
  assert.equal(
    definitionLack(
      NAME,
      changed((text) => text.replaceAll('"conditions":', '"other":')),
    ),
    'v1beta1 has no .status.conditions',
  )
  assert.equal(
    definitionLack(
      NAME,
      changed((text) => text.replaceAll('"lastTransitionTime":', '"other":')),
    ),
    'v1beta1 has no .status.conditions[].lastTransitionTime',
  )
})
