import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pumpDevice, pumpModel } from '../testing/harness.ts'
import { answerReview, deviceErrors, modelErrors } from './review.ts'

test('a desired value outside of the model is refused with its field', () => {
  const errorOf = (value: string) => deviceErrors(pumpDevice('pump-1', value), pumpModel())[0]
  assert.deepEqual(errorOf('9000'), {
    field: 'spec.properties[0].desired.value',
    message: '"9000": must be less than or equal to 3000',
  })
  assert.match(errorOf('-1')?.message ?? '', /greater than or equal to 0/)
  assert.match(errorOf('fast')?.message ?? '', /integer/)
  assert.equal(errorOf('1200'), undefined)
  assert.equal(errorOf(''), undefined)
})

test('a desired value of a ReadOnly or unknown property is refused', () => {
  const properties = [
    { name: 'speed', desired: { value: '1' } },
    { name: 'ghost', desired: { value: '1' } },
  ]
  const device = pumpDevice()
  const errors = deviceErrors({ ...device, spec: { ...device.spec, properties } }, pumpModel())
  assert.deepEqual(
    errors.map(({ field, message }) => [field, message]),
    [
      ['spec.properties[0].desired.value', '"1": is not allowed: the property is ReadOnly in its DeviceModel'],
      ['spec.properties[1].desired.value', '"1": DeviceModel pump has no property ghost'],
    ],
  )
})

test('duplicate names are refused in both kinds', () => {
  const twice = [{ name: 'a' }, { name: 'a' }]
  const device = pumpDevice()
  const expected = [{ field: 'spec.properties[1].name', message: '"a": is a duplicate' }]
  assert.deepEqual(deviceErrors({ ...device, spec: { properties: twice } }, undefined), expected)
  assert.deepEqual(modelErrors(pumpModel(twice)), expected)
})

test('bounds of a model have to be numbers in order', () => {
  const model = (minimum: string, maximum: string) => pumpModel([{ name: 'a', type: 'INT', minimum, maximum }])
  assert.deepEqual(modelErrors(model('0', '10')), [])
  assert.deepEqual(modelErrors(model('', '1.5')), [])
  assert.equal(modelErrors(model('low', '10'))[0]?.field, 'spec.properties[0].minimum')
  assert.equal(modelErrors(model('0', 'high'))[0]?.field, 'spec.properties[0].maximum')
  assert.match(modelErrors(model('9007199254740993', '9007199254740992'))[0]?.message ?? '', /greater than maximum/)
})

test('a review is answered with its uid, a Status and causes', async () => {
  const review = { request: { uid: 'u1', namespace: 'default', object: pumpDevice('pump-1', '9000') } }
  const answer = JSON.stringify(await answerReview(review, { modelOf: async () => pumpModel() }))
  assert.match(answer, /"uid":"u1","allowed":false/)
  assert.match(answer, /"code":422/)
  assert.match(answer, /"field":"spec.properties\[0\].desired.value"/)
})

test('metadata of a device that became invalid stays editable', async () => {
  const object = pumpDevice('pump-1', '9000')
  const oldObject = { ...object, metadata: { ...object.metadata, finalizers: ['a'] } }
  const answer = await answerReview(
    { request: { uid: 'u1', namespace: 'default', object, oldObject } },
    { modelOf: async () => pumpModel() },
  )
  assert.match(JSON.stringify(answer), /"allowed":true/)
})

test('a device whose model is not there yet is allowed, and so is a deletion; what is no review is not answered', async () => {
  const review = { request: { uid: 'u1', namespace: 'default', object: pumpDevice('pump-1', '9000') } }
  assert.match(JSON.stringify(await answerReview(review, { modelOf: async () => undefined })), /"allowed":true/)
  assert.match(
    JSON.stringify(await answerReview({ request: { uid: 'u2', object: null } }, { modelOf: async () => undefined })),
    /true/,
  )
  assert.equal(await answerReview({}, { modelOf: async () => undefined }), undefined)
})

test('a policy that cannot be understood is refused with its field; a device that has one already stays editable', async () => {
  const annotated = (text: string, more: object = {}) => {
    const device = pumpDevice('pump-1', '1200')
    return { ...device, metadata: { ...device.metadata, annotations: { 'skerry.dev/desired-policy': text }, ...more } }
  }
  const review = async (object: object, oldObject?: object) =>
    JSON.stringify(
      await answerReview({ request: { uid: 'u', object, oldObject } }, { modelOf: async () => pumpModel() }),
    )
  assert.match(await review(annotated('targetSpeed=CloudWins, *=EdgeWins')), /"allowed":true/)
  const refused = await review(annotated('targetSpeed=Nobody'), pumpDevice('pump-1', '1200'))
  assert.match(refused, /"field":"metadata.annotations\[skerry.dev\/desired-policy\]"/)
  assert.match(refused, /a policy is one of CloudWins, EdgeWins, NewestIntent/)
  assert.match(await review(annotated('sped=CloudWins')), /names no property: sped/)
  const bad = annotated('Nobody')
  assert.match(await review(annotated('Nobody', { labels: { a: 'b' } }), bad), /"allowed":true/)
  const model = pumpModel()
  const ofModel = { ...model, metadata: { ...model.metadata, annotations: { 'skerry.dev/desired-policy': ',' } } }
  assert.match(await review(ofModel, model), /"allowed":false/)
})

test('an annotation with settings is judged when it changes, with what to write', async () => {
  const { metadata, ...rest } = pumpDevice('pump-1')
  const device = (annotations: Readonly<Record<string, string>>, value?: string) => ({
    ...(value === undefined ? rest : { ...rest, ...{ spec: pumpDevice('pump-1', value).spec } }),
    metadata: { ...metadata, annotations },
  })
  const verdict = async (object: object, oldObject?: object) => {
    const request = { uid: 'u', namespace: 'default', object, ...(oldObject ? { oldObject } : {}) }
    return JSON.stringify(await answerReview({ request }, { modelOf: async () => pumpModel() }))
  }
  const wrong = device({ 'skerry.dev/time-to-live': 'speed=soon' })
  assert.match(await verdict(wrong), /metadata.annotations\[skerry.dev\/time-to-live\].*500ms, 10s, 5m/)
  assert.match(await verdict(wrong, device({})), /"allowed":false/)
  assert.match(await verdict(device({ 'skerry.dev/time-to-live': 'ghost=1s' })), /names no property: ghost/)
  assert.match(await verdict(device({ 'skerry.dev/desired-policy': 'Whoever' })), /CloudWins, EdgeWins, NewestIntent/)
  assert.match(await verdict(device({ 'skerry.dev/time-to-live': 'speed=10s, *=5m' }), wrong), /"allowed":true/)
  // What stood there before the check stays editable in all that is not judged, and its spec is judged on.
  const relabelled = { ...wrong, metadata: { ...wrong.metadata, labels: { a: 'b' } } }
  assert.match(await verdict(relabelled, wrong), /"allowed":true/)
  const model = {
    ...pumpModel(),
    metadata: { ...pumpModel().metadata, annotations: { 'skerry.dev/time-to-live': '5' } },
  }
  assert.match(await verdict(model), /"allowed":false.*time-to-live/)
  // An invalid desired value of before does not stand in the way of a right annotation.
  const invalid = device({}, '9000')
  assert.match(await verdict(device({ 'skerry.dev/time-to-live': '10s' }, '9000'), invalid), /"allowed":true/)
})
