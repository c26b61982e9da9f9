import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { fieldErrorText } from '../schema/field-error.ts'
import { definitionsOfCrd, storageVersionOf } from './definitions.ts'
import { conflictingStatus, establishedStatus, nameConflict, prepareCrd } from './lifecycle.ts'
import { validateCrd } from './validate-crd.ts'

const FIRST = '2026-01-01T00:00:00Z'
const LATER = '2026-02-01T00:00:00Z'

test('a prepared definition has the names that follow from its kind', () => {
  const prepared = prepareCrd(crd())
  assert.deepEqual(validateCrd(prepared), [])
  const [definition] = definitionsOfCrd(prepared)
  assert.equal(definition?.singular, 'widget')
  assert.equal(definition?.listKind, 'WidgetList')
  assert.equal(definition?.namespaced, true)
  assert.equal(storageVersionOf(prepared), 'v1')
})

test('a version that is stored but not served is declared as such', () => {
  const versions = [version({ name: 'v2', storage: false }), version({ served: false })]
  const definitions = definitionsOfCrd(crd({ versions }))
  assert.deepEqual(
    definitions.map((each) => [each.version, each.served, each.storage]),
    [
      ['v2', true, false],
      ['v1', false, true],
    ],
  )
})

test('who asks for a deprecated version is told of a better one', () => {
  const old = version({ name: 'v1beta1', storage: false, deprecated: true })
  const worse = version({ name: 'v1alpha1', storage: false, deprecated: true, deprecationWarning: 'gone soon' })
  const warnings = (versions: readonly JsonObject[]) =>
    definitionsOfCrd(crd({ versions })).map((each) => each.deprecationWarning)
  assert.deepEqual(warnings([version(), old, worse]), [
    undefined,
    'example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget',
    'gone soon',
  ])
  assert.deepEqual(warnings([old]), ['example.com/v1beta1 Widget is deprecated'])
})

test('each fault of a definition is named', () => {
  const schema = 'spec.validation.openAPIV3Schema'
  const shown = (more: JsonObject) =>
    JSON.stringify([
      {
        ...{ Name: 'v1', Served: true, Storage: true, Deprecated: false, DeprecationWarning: null, Schema: null },
        ...{ Subresources: null, AdditionalPrinterColumns: null, SelectableFields: null, ...more },
      },
    ]).slice(1, -1)
  const cases: readonly (readonly [JsonObject, ...string[]])[] = [
    [{ group: 'flat' }, 'spec.group: Invalid value: "flat": should be a domain with at least one dot'],
    [{ scope: 'World' }, 'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"'],
    [
      { versions: [] },
      'spec.versions: Invalid value: []: must have exactly one version marked as storage version',
      'status.storedVersions: Invalid value: null: must have at least one stored version',
    ],
    [
      { versions: [version({ storage: false })] },
      `spec.versions: Invalid value: [${shown({ Storage: false })}]: must have exactly one version marked as storage version`,
      'status.storedVersions: Invalid value: null: must have at least one stored version',
    ],
    [
      { versions: [version(), version({ storage: false })] },
      `spec.versions: Invalid value: [${shown({})},${shown({ Storage: false })}]: must contain unique version names`,
    ],
    [{ versions: [version({ schema: {} })] }, 'spec.versions[0].schema.openAPIV3Schema: Required value'],
    [
      { versions: [withField({})] },
      `${schema}.properties[x].type: Required value: must not be empty for specified object fields`,
    ],
    [
      { versions: [withField({ type: 'date' })] },
      `${schema}.properties[x].type: Unsupported value: "date": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
    [{ versions: [withField({ type: 'array' })] }, `${schema}.properties[x].items: Required value: must be specified`],
    [
      { versions: [withField({ type: 'string', pattern: '(' })] },
      `${schema}.properties[x].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
    ],
    [
      { versions: [withField({ type: 'integer', default: 'x' })] },
      `${schema}.properties[x].default: Invalid value: "string":  in body must be of type integer: "string"`,
    ],
    [
      { versions: [withField({ type: 'object', properties: {}, additionalProperties: { type: 'string' } })] },
      `${schema}.properties[x].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
    ],
    [
      { versions: [withField({ type: 'string', 'x-kubernetes-validations': [{ rule: 'self' }] })] },
      `${schema}.properties[x].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: cel expression must evaluate to a bool`,
    ],
    [
      { versions: [withField({ type: 'object', anyOf: [{ description: 'x' }] })] },
      `${schema}.properties[x].anyOf[0].description: Forbidden: must be empty to be structural`,
    ],
    [
      { versions: [version({ additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: 'x' }] })] },
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "x": must be a simple json path starting with .',
    ],
    [
      { conversion: { strategy: 'Magic' } },
      'spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"',
    ],
    [
      converting(undefined),
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
    ],
    [converting({}), 'spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required'],
    [
      converting({ url: 'http://a/convert' }),
      `spec.conversion.webhookClientConfig.url: Invalid value: "http://a/convert": 'https' is the only allowed URL scheme`,
    ],
    [
      converting({ service: { name: 'a' } }),
      'spec.conversion.webhookClientConfig.service.namespace: Required value: service namespace is required',
    ],
    [
      converting({ url: 'https://a/convert', caBundle: 'eA==' }),
      'spec.conversion.webhookClientConfig.caBundle: Invalid value: "<CA bundle>": unable to load root certificates: no certificate found',
    ],
    [converting({ url: 'https://a/convert' }, []), 'spec.conversion.conversionReviewVersions: Required value'],
    [
      converting({ url: 'https://a/convert' }, ['v2']),
      'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1',
    ],
    [
      { conversion: { strategy: 'None', webhook: { conversionReviewVersions: ['v1'] } } },
      'spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook',
      'spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook',
    ],
    [
      { versions: [version({ deprecationWarning: 'x' })] },
      'spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions',
    ],
    [
      { versions: [version({ subresources: { scale: { specReplicasPath: '.status.n' } } })] },
      'spec.subresources.scale.specReplicasPath: Invalid value: ".status.n": should be a json path under .spec',
      'spec.subresources.scale.statusReplicasPath: Required value',
    ],
    [
      { versions: [version({ selectableFields: [{ jsonPath: '.spec.nosuch' }, { jsonPath: '.a[0]' }] })] },
      'spec.selectableFields[0].jsonPath: Invalid value: ".spec.nosuch": is an invalid path: does not refer to a valid field',
      'spec.selectableFields[1].jsonPath: Invalid value: ".a[0]": is an invalid path: array notation is not allowed',
    ],
    [
      { versions: [withField({ type: 'object', 'x-kubernetes-embedded-resource': true })] },
      `${schema}.properties[x].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
    ],
    [
      { versions: [withField({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' })] },
      `${schema}.properties[x].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
    ],
    [
      { versions: [withField({ type: 'object', anyOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }] })] },
      `${schema}.properties[x].anyOf[0].x-kubernetes-validations: Forbidden: must be empty to be structural`,
    ],
    [
      { versions: [withField({ type: 'object', properties: {}, default: { a: 1 } })] },
      `${schema}.properties[x].default: Invalid value: {"a":1}: must not have unknown fields`,
    ],
    [
      { preserveUnknownFields: true },
      'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    ],
  ]
  for (const [change, ...texts] of cases) {
    const changed = prepareCrd(crd(change))
    const named: ApiObject = { ...changed, metadata: { name: `widgets.${String(change['group'] ?? 'example.com')}` } }
    assert.deepEqual(validateCrd(named).map(fieldErrorText), texts)
  }
})

function converting(clientConfig: JsonObject | undefined, conversionReviewVersions: readonly string[] = ['v1']) {
  const webhook = { ...(clientConfig && { clientConfig }), conversionReviewVersions }
  return { conversion: { strategy: 'Webhook', webhook } }
}

test('a conversion by a webhook is in order', () => {
  assert.deepEqual(validateCrd(prepareCrd(crd(converting({ url: 'https://127.0.0.1:9443/convert' })))), [])
})

test('the name is plural and group', () => {
  const errors = validateCrd({ ...prepareCrd(crd()), metadata: { name: 'other' } }).map(fieldErrorText)
  assert.deepEqual(errors, ['metadata.name: Invalid value: "other": must be spec.names.plural+"."+spec.group'])
})

test('the keys of a list map are required or have a default', () => {
  const list = (items: JsonObject) => ({
    type: 'array',
    items,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  })
  const item = { type: 'object', properties: { name: { type: 'string' } } }
  const faults = (items: JsonObject) => validateCrd(prepareCrd(crd({ versions: [withField(list(items))] }))).length
  assert.equal(faults(item), 1)
  assert.equal(faults({ ...item, required: ['name'] }), 0)
  assert.equal(faults({ type: 'object', properties: { name: { type: 'string', default: 'x' } } }), 0)
})

test('what objects were stored under cannot be taken away', () => {
  const old: ApiObject = { ...prepareCrd(crd()), status: { storedVersions: ['v1'] } }
  const next = {
    ...prepareCrd(crd({ versions: [version({ name: 'v2' })], scope: 'Cluster' })),
    status: { storedVersions: ['v1'] },
  }
  assert.deepEqual(validateCrd(next, old).map(fieldErrorText), [
    'spec.scope: Invalid value: "Cluster": field is immutable',
    'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
  ])
})

test('a condition keeps the time of its last change', () => {
  const prepared = prepareCrd(crd())
  const established: ApiObject = { ...prepared, status: establishedStatus(prepared, FIRST) }
  assert.deepEqual(establishedStatus(established, LATER), established['status'])
  assert.deepEqual(times(conflictingStatus(established, LATER, { reason: 'KindConflict', message: 'x', taken: [] })), [
    LATER,
    LATER,
  ])
  assert.deepEqual(times(establishedStatus(prepared, LATER)), [LATER, LATER])
})

test('a name that another kind of the group holds is a conflict', () => {
  const rival = definitionsOfCrd(prepareCrd(crd({ names: { kind: 'Gadget', plural: 'gadgets', shortNames: ['wd'] } })))
  assert.equal(nameConflict(prepareCrd(crd()), rival), undefined)
  const clash = prepareCrd(crd({ names: { kind: 'Widget', plural: 'widgets', shortNames: ['wd'] } }))
  assert.deepEqual(nameConflict(clash, rival), {
    ...{ reason: 'ShortNamesConflict', message: '"wd" is already in use', taken: ['shortNames'] },
  })
  const accepted = conflictingStatus(clash, LATER, { reason: '', message: '', taken: ['shortNames', 'kind'] })
  assert.deepEqual(accepted['acceptedNames'], {
    ...{ kind: '', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
  })
  assert.equal(nameConflict(clash, definitionsOfCrd(clash)), undefined)
})

test('a kind of Kubernetes cannot be declared again in another version', () => {
  const own = definitionsOfCrd(prepareCrd(crd())).map((each) => ({ ...each, custom: false }))
  assert.equal(nameConflict(prepareCrd(crd()), own)?.reason, 'ListKindConflict')
})

function crd(change: JsonObject = {}): ApiObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      names: { kind: 'Widget', plural: 'widgets' },
      scope: 'Namespaced',
      versions: [version()],
      ...change,
    },
  }
}

function version(change: JsonObject = {}): JsonObject {
  return { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, ...change }
}

function withField(field: JsonObject): JsonObject {
  return version({ schema: { openAPIV3Schema: { type: 'object', properties: { x: field } } } })
}

function times(status: JsonObject): readonly (Json | undefined)[] {
  const conditions: readonly JsonObject[] = JSON.parse(JSON.stringify(status['conditions']))
  return conditions.map((each) => each['lastTransitionTime'])
}
