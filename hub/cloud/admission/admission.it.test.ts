import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEVICE_MODELS, VALIDATING_WEBHOOKS } from '../kubernetes/resources.ts'
import { pumpDevice, pumpModel } from '../testing/harness.ts'
import { call, startTlsCloud } from '../testing/tls-cloud.ts'

test('the webhook registers where it listens, and judges with the model in the API', async (t) => {
  const cloud = await startTlsCloud(t)
  const { kubernetes, admission, authority } = cloud
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  const registered = await kubernetes.get(VALIDATING_WEBHOOKS, { name: 'skerry-devices' })
  const text = JSON.stringify(registered)
  assert.match(text, new RegExp(`"url":"https://127.0.0.1:${admission.port}/validate"`))
  assert.ok(text.includes(Buffer.from(authority.caPem).toString('base64')))
  assert.match(text, /"failurePolicy":"Ignore"/)

  const review = async (desired: string) => {
    const request = { uid: 'u', namespace: 'default', object: pumpDevice('pump-1', desired) }
    const body = Buffer.from(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }))
    const answer = await call(admission.port, { path: '/validate', method: 'POST', ca: authority.caPem, body })
    return String(answer.body)
  }
  assert.match(await review('1200'), /"allowed":true/)
  assert.match(await review('9000'), /"allowed":false.*spec\.properties\[0\]\.desired\.value/)
  const rubbish = await call(admission.port, { path: '/validate', method: 'POST', body: Buffer.from('x') })
  assert.equal(rubbish.status, 400)
})
