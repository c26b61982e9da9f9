import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../testing/scripted-channel.ts'
import { ImagesBench, oneContainer, pullSecret, UNREACHABLE } from './testing/images-bench.ts'

const IMAGE = 'reg.local:5000/team/till:1'
const DENIED = 'pull access denied, repository does not exist or may require authorization'
const podWith = (...names: readonly string[]) =>
  oneContainer('till', IMAGE, 'Always', { imagePullSecrets: names.map((name) => ({ name })) })

test('logins that fit are tried in turn, the more exact first, until one will do', async () => {
  const bench = new ImagesBench()
  bench.secrets.set('wide', pullSecret({ 'reg.local:5000': 'ann:1', 'other.io': 'eve:1' }))
  bench.secrets.set('exact', pullSecret({ 'reg.local:5000/team': 'bob:2', '*.local:5000/team/till': 'cat:3' }))
  bench.pull = async (reference, { username }) => {
    if (username !== 'ann') throw refusal(DENIED)
    bench.present.add(reference)
  }
  const pod = podWith('wide', 'exact')
  await bench.want(pod)
  await bench.advance()
  assert.equal(await bench.want(pod), 'present')
  assert.deepEqual(bench.pulls, [`bob@${IMAGE}`, `ann@${IMAGE}`])
})

test('a secret that is missing or unreadable is told, and the pull tried without it', async () => {
  const bench = new ImagesBench()
  bench.secrets.set('odd', { type: 'Opaque', data: {} })
  const pod = podWith('gone', 'odd', 'gone')
  await bench.want(pod)
  await bench.advance()
  assert.equal(await bench.want(pod), 'present')
  assert.deepEqual(bench.pulls, [IMAGE])
  assert.equal(
    bench.news()[1],
    'till spec.containers{app} Warning FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets ' +
      '(gone: there is no such secret; odd: it is of type Opaque, not kubernetes.io/dockerconfigjson or ' +
      'kubernetes.io/dockercfg); attempting to pull the image may not succeed.',
  )
})

test('the last refusal is shown, and no login of a secret ever is', async () => {
  const bench = new ImagesBench()
  bench.secrets.set('a', pullSecret({ 'reg.local:5000': 'ann:hunter2', 'reg.local:5000/team': 'bob:hunter3' }))
  bench.pull = (_reference, { username }) => Promise.reject(refusal(`${DENIED} (${String(username).length})`))
  const pod = podWith('a')
  await bench.want(pod)
  await bench.advance()
  assert.equal(await bench.want(pod), `ErrImagePull: ${DENIED} (3)`)
  assert.equal(bench.pulls.length, 2)
  assert.doesNotMatch(bench.told.join(), /hunter/)
})

test('another login is not tried where nobody answers', async () => {
  const bench = new ImagesBench()
  bench.secrets.set('a', pullSecret({ 'reg.local:5000': 'ann:1', 'reg.local:5000/team': 'bob:2' }))
  bench.pull = (reference) => Promise.reject(refusal(UNREACHABLE(reference)))
  const pod = podWith('a')
  await bench.want(pod)
  await bench.advance()
  assert.match(await bench.want(pod), /^ErrImagePull/)
  assert.equal(bench.pulls.length, 1)
})

test('pods with other logins do not share a pull, and a secret that comes later is used by the next try', async () => {
  const bench = new ImagesBench()
  bench.secrets.set('a', pullSecret({ 'reg.local:5000': 'ann:1' }))
  bench.pull = async (reference, { username }) => {
    if (username === undefined) throw refusal(DENIED)
    bench.present.add(reference)
  }
  const [right, wrong] = [podWith('a'), { ...podWith('b'), name: 'other', uid: 'uid-of-other' }]
  await bench.want(right)
  await bench.want(wrong)
  await bench.advance()
  assert.equal(await bench.want(right), 'present')
  assert.equal(await bench.want(wrong), `ErrImagePull: ${DENIED}`)
  bench.secrets.set('b', pullSecret({ 'reg.local:5000': 'bob:1' }))
  await bench.advance({ milliseconds: 10_000 })
  assert.equal(await bench.want(wrong), 'present')
  assert.deepEqual(bench.pulls, [`ann@${IMAGE}`, IMAGE, `bob@${IMAGE}`])
})
