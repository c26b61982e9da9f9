import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MOST_RESTARTED, type PodRestarts, restartPods } from '../../../schemas/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { kubectl } from '../../apiserver/testing/kubectl.ts'
import { ask } from './testing/ask.ts'
import { clusterTokens } from './testing/cluster-tokens.ts'
import { access, pod } from './testing/objects.ts'
import { serveTestNode } from './testing/served-node.ts'

const AT = '/api/v1/namespaces/shop/pods/restart'

/** A node without the cloud, whose Edged knows the pod `till`, and another one that runs once. */
async function served(t: TestContext) {
  const asked: PodRestarts[] = []
  const node = await serveTestNode({
    prepare: (bus) => {
      bus.serve(restartPods, async (question) => {
        asked.push(question)
        return question.names.map((name) => {
          if (name === 'till') return { name, outcome: 'restarting' }
          if (name === 'once') return { name, outcome: 'refused', reason: 'it runs once' }
          return { name, outcome: 'unknown', reason: 'this node has no such pod' }
        })
      })
    },
  })
  t.after(() => node.stop())
  node.cloud.isConnected = false
  return { node, asked }
}

test("pods are restarted in KubeEdge's way without the cloud, with an answer for each", async (t) => {
  const { node, asked } = await served(t)
  const body = ['till', 'once', 'nobody', 'till']
  const { status, json } = await ask(node, { method: 'POST', path: AT, body })
  assert.equal(status, 200)
  assert.deepEqual(json, {
    errMessages: [
      'the pod "shop/once" is not restarted: it runs once',
      'the pod "shop/nobody" is not restarted: this node has no such pod',
    ],
    LogMessages: ['the pod "shop/till" is being restarted'],
  })
  assert.deepEqual(asked, [{ namespace: 'shop', names: ['till', 'once', 'nobody'] }])
  const one = await ask(node, { method: 'POST', path: AT, body: ['till'] })
  assert.deepEqual(one.json, { LogMessages: ['the pod "shop/till" is being restarted'] })
})

test('kubectl asks for it with a file', { skip: needs('kubectl') }, async (t) => {
  const { node } = await served(t)
  const { out, err } = await kubectl(node, ['create', '--raw', AT, '-f', '-'], { input: '["till"]' })
  assert.equal(out, '{"LogMessages":["the pod \\"shop/till\\" is being restarted"]}\n', err)
})

test('a body that names no pods, or too many, is refused and says what it takes', async (t) => {
  const { node, asked } = await served(t)
  const many = Array.from({ length: MOST_RESTARTED + 1 }, (_, index) => `till-${index}`)
  for (const [body, wanted] of [
    [undefined, /JSON array of names of pods/],
    [{ pods: ['till'] }, /JSON array of names of pods/],
    [[], /JSON array of names of pods/],
    [['till', 5], /JSON array of names of pods/],
    [many, /no more than 256 pods are restarted at once, and these are 257/],
  ] as const) {
    const { status, text } = await ask(node, { method: 'POST', path: AT, body })
    assert.equal(status, 400)
    assert.match(text, wanted)
  }
  assert.deepEqual(asked, [])
})

test('a service account needs create or update of pods/restart in that namespace', async (t) => {
  const { node, asked } = await served(t)
  const issuer = clusterTokens()
  issuer.publish(node.cloud)
  node.cloud.isConnected = true
  await node.give('shop/pod/till', pod('till'))
  const token = issuer.issue()
  const restart = (path = AT) => ask(node, { method: 'POST', path, body: ['till'], token })
  for (const [resource, verb, wanted] of [
    ['pods', 'create', 403],
    ['pods/restart', 'get', 403],
    ['pods/restart', 'create', 200],
    ['pods/restart', 'update', 200],
  ] as const) {
    await node.give(
      'shop/serviceaccountaccess/robot',
      access([{ apiGroups: [''], resources: [resource], verbs: [verb] }]),
    )
    const { status, text } = await restart()
    assert.equal(status, wanted, `${verb} ${resource}: ${text}`)
    if (wanted === 403) assert.match(text, /cannot create resource \\"pods\/restart\\"/)
  }
  assert.equal((await restart('/api/v1/namespaces/other/pods/restart')).status, 403)
  assert.equal((await ask(node, { method: 'POST', path: AT, body: ['till'], token: '' })).status, 403)
  assert.equal(asked.length, 2)
})

test('a node that runs no pods says so, and a pod called restart is read as any other', async (t) => {
  const node = await serveTestNode()
  t.after(() => node.stop())
  await node.give('shop/pod/restart', pod('restart'))
  const { status, text } = await ask(node, { method: 'POST', path: AT, body: ['restart'] })
  assert.equal(status, 503)
  assert.match(text, /this node runs no pods now/)
  assert.equal((await ask(node, { path: AT })).status, 200)
})
