import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Rule } from '../../../schemas/index.ts'
import { ENDPOINTS, endpoint, rule } from '../router/testing/rules.ts'
import { answerReview } from './review.ts'

async function review(object: object, rules: readonly Rule[] = [], oldObject?: object): Promise<string> {
  const endpoints = {
    get: ({ name }: { readonly name: string }) => ENDPOINTS.find((each) => each.metadata.name === name),
  }
  const request = { uid: 'u', namespace: 'shop', object, ...(oldObject ? { oldObject } : {}) }
  const lookups = { modelOf: async () => undefined, rules: { rules: { list: () => rules }, endpoints } }
  return JSON.stringify(await answerReview({ request }, lookups))
}

const lights = rule('rest->eventbus', { path: 'lights' }, { topic: 'lights' })

test('a good rule is allowed, and so is one whose endpoints are not there yet', async () => {
  assert.match(await review(lights), /"allowed":true/)
  assert.match(await review(rule('soon->later', {}, {})), /"allowed":true/)
})

test('a wrong rule and a wrong endpoint are refused with the field', async () => {
  const refused = await review(rule('rest->rest', { path: 'a' }, { resource: 'http://a' }))
  assert.match(refused, /"allowed":false.*"code":422.*"group":"rules.kubeedge.io".*"field":"spec.target"/)
  assert.match(await review(endpoint('a', 'servicebus')), /spec.properties.service_port/)
})

test('what another rule hears already is refused, but not what the same rule heard before', async () => {
  const other = rule('rest->eventbus', { path: '/lights/' }, { topic: 'x' }, { name: 'other' })
  assert.match(await review(other, [lights]), /rule lights hears the same already/)
  const changed = rule('rest->eventbus', { path: 'lights' }, { topic: 'lamps' })
  assert.match(await review(changed, [lights], lights), /"allowed":true/)
})

test('the status of a rule that became invalid can be written, and its limits are judged when they change', async () => {
  const wrong = rule('rest->rest', { path: 'a' }, { resource: 'http://a' })
  assert.match(await review({ ...wrong, status: { failMessages: 1 } }, [], wrong), /"allowed":true/)
  const limited = { ...lights, metadata: { ...lights.metadata, annotations: { 'skerry.dev/rate-per-second': 'fast' } } }
  assert.match(await review(limited, [], lights), /skerry.dev\/rate-per-second/)
})
