import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../schemas/index.ts'
import { fieldErrorText } from '../schema/index.ts'
import { webhookRules } from './webhook-kinds.ts'

const RULE = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
const HOOK = {
  name: 'a.acme.io',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { url: 'https://acme.example/x' },
}

function errorsOf(...webhooks: readonly { readonly [key: string]: Json }[]): readonly string[] {
  const kind = 'ValidatingWebhookConfiguration'
  const { validate } = webhookRules(kind)
  const whole = webhooks.map((webhook) => ({ ...HOOK, ...webhook }))
  const object = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: 'a' }, webhooks: whole }
  return (validate?.(object, undefined) ?? []).map(fieldErrorText)
}

test('rules name operations, groups, versions and resources that fit together', () => {
  const ruleErrors = (rule: { readonly [key: string]: Json }) =>
    errorsOf({ rules: [{ ...RULE, ...rule }] }).map((text) => text.replace('webhooks[0].rules[0].', ''))
  assert.deepEqual(ruleErrors({ resources: ['pods', 'pods/log', '*/scale'], scope: 'Namespaced' }), [])
  assert.deepEqual(ruleErrors({ operations: ['*', 'CREATE'], apiGroups: [], apiVersions: [''] }), [
    `operations: Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations`,
    'apiGroups: Required value',
    'apiVersions[0]: Required value',
  ])
  assert.deepEqual(ruleErrors({ resources: ['pods/*', 'pods/log', '*/log', 'nodes/log', '*', 'nodes', ''] }), [
    `resources[1]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log`,
    `resources[3]: Invalid value: "nodes/log": if '*/log' is present, must not specify nodes/log`,
    'resources[6]: Required value',
    `resources: Invalid value: ["pods/*","pods/log","*/log","nodes/log","*","nodes",""]: if '*' is present, must not specify other resources without subresources`,
  ])
})

test('a path of a Service is one of names, and a name stands once', () => {
  const pathErrors = (path: string) =>
    errorsOf({ clientConfig: { service: { name: 'a', namespace: 'b', port: 443, path } } })
  for (const path of ['', '/', '/check', '/check/']) assert.deepEqual(pathErrors(path), [], path)
  const field = 'webhooks[0].clientConfig.service.path'
  assert.deepEqual(pathErrors('//'), [`${field}: Invalid value: "//": segment[0] may not be empty`])
  assert.match(pathErrors('/Check')[0] ?? '', /segment\[0\]: a lowercase RFC 1123 subdomain must/)
  assert.deepEqual(errorsOf({}, {}), ['webhooks[1].name: Duplicate value: "a.acme.io"'])
})
