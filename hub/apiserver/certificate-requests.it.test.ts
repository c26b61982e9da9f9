import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { generateKeyPair, pemOf } from '../../platform/certificates/index.ts'
import { createCsr } from '../../platform/certificates/issuing/index.ts'
import { needs } from '../../tools/testing/needs.ts'
import { kubectl } from './testing/kubectl.ts'
import { at, done, refused, until } from './testing/objects.ts'
import { asPerson } from './testing/people.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const CLIENT = 'kubernetes.io/kube-apiserver-client'
const KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'

async function wish(name: string, commonName: string, organizations: readonly string[], spec: object = {}) {
  const keyPair = await generateKeyPair()
  const pem = pemOf(await createCsr({ keyPair, subject: { commonName, organizations } }), 'CERTIFICATE REQUEST')
  const usages = ['digital signature', 'client auth']
  const object = {
    ...{ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name } },
    spec: { request: Buffer.from(pem).toString('base64'), signerName: CLIENT, usages, ...spec },
  }
  return { object, privateKey: keyPair.privateKeyPem }
}

describe('certificate signing requests', { skip: needs('kubectl') }, () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const post = (body: object, who: ServedApi = api) => ask(who, { method: 'POST', path: REQUESTS, body })
  const certificateOf = async (name: string) => {
    const signed = await until(
      api,
      `${REQUESTS}/${name}`,
      (object) => at(object, 'status', 'certificate') !== undefined,
    )
    return Buffer.from(String(at(signed, 'status', 'certificate')), 'base64').toString()
  }

  it('who asks gets a certificate once somebody approves, and is what it says', async () => {
    const { object, privateKey } = await wish('ann', 'ann', ['clerks'], { expirationSeconds: 3600, username: 'liar' })
    const made = await post({ ...object, status: { certificate: 'bm8=' } })
    assert.equal(made.status, 201, made.text)
    assert.deepEqual([at(made.json, 'spec', 'username'), at(made.json, 'status')], ['kubernetes-admin', {}])
    const pending = await kubectl(api, ['get', 'csr', 'ann'])
    assert.match(
      pending.out,
      /^NAME +AGE +SIGNERNAME +REQUESTOR +REQUESTEDDURATION +CONDITION\nann +\d+s +kubernetes\.io\/kube-apiserver-client +kubernetes-admin +60m +Pending\n$/,
    )
    const approved = await kubectl(api, ['certificate', 'approve', 'ann'])
    assert.equal(approved.out, 'certificatesigningrequest.certificates.k8s.io/ann approved\n', approved.err)
    const certificate = await certificateOf('ann')
    assert.match((await kubectl(api, ['get', 'csr', 'ann'])).out, /Approved,Issued\n$/)
    const { validTo, validFrom } = new X509Certificate(certificate)
    assert.ok(Date.parse(validTo) - Date.parse(validFrom) <= 3600_000 + 5 * 60_000)
    const ann = { ...api, pki: { ...api.pki, admin: { certificate, privateKey } } }
    const who = await done(ann, {
      ...{ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews' },
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    })
    assert.equal(at(who, 'status', 'userInfo', 'username'), 'ann')
    assert.deepEqual(at(who, 'status', 'userInfo', 'groups'), ['clerks', 'system:authenticated'])
    const removed = { method: 'PUT', path: `${REQUESTS}/ann/approval`, body: { ...object, status: {} } }
    const { json } = await refused(api, removed, 422, 'Invalid')
    assert.match(String(at(json, 'message')), /updates may not remove a condition of type "Approved"/)
  })

  it('what was denied stays so, and what was asked never changes', async () => {
    const { object } = await wish('bob', 'bob', [])
    await post(object)
    const { out } = await kubectl(api, ['certificate', 'deny', 'bob'])
    assert.match(out, /bob denied/)
    assert.match((await kubectl(api, ['get', 'csr', 'bob', '--no-headers'])).out, / Denied\n$/)
    const changed = await done(api, {
      ...{ method: 'PATCH', path: `${REQUESTS}/bob`, headers: { 'content-type': 'application/merge-patch+json' } },
      body: { metadata: { labels: { a: 'b' } }, spec: { signerName: 'other.io/one' }, status: { conditions: [] } },
    })
    assert.equal(at(changed, 'metadata', 'labels', 'a'), 'b')
    assert.equal(at(changed, 'spec', 'signerName'), CLIENT)
    assert.equal(at(changed, 'status', 'conditions', 0, 'type'), 'Denied')
    const approval = { type: 'Approved', status: 'True', reason: 'x' }
    const both = { ...object, status: { conditions: [at(changed, 'status', 'conditions', 0), approval] } }
    const { json } = await refused(api, { method: 'PUT', path: `${REQUESTS}/bob/approval`, body: both }, 422, 'Invalid')
    assert.match(String(at(json, 'message')), /Approved and Denied conditions are mutually exclusive/)
  })

  it('a group that looks like another notation of system:masters stays that text', async () => {
    const groups = [`#130e${Buffer.from('system:masters').toString('hex')}`, '"system:masters"']
    const { object, privateKey } = await wish('mallory', 'mallory', groups)
    assert.equal((await post(object)).status, 201)
    await kubectl(api, ['certificate', 'approve', 'mallory'])
    const admin = { certificate: await certificateOf('mallory'), privateKey }
    const who = await done(
      { ...api, pki: { ...api.pki, admin } },
      {
        ...{ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews' },
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      },
    )
    assert.deepEqual(at(who, 'status', 'userInfo', 'groups'), [...groups, 'system:authenticated'])
  })

  it('nobody becomes an administrator, approves or signs without a right for the signer', async () => {
    const { object: master } = await wish('eve', 'eve', ['system:masters'])
    const refusal = await post(master)
    assert.equal(refusal.status, 403)
    assert.match(String(at(refusal.json, 'message')), /signer with system:masters group is not allowed/)
    const rules = [
      {
        apiGroups: ['certificates.k8s.io'],
        resources: [
          'certificatesigningrequests',
          'certificatesigningrequests/approval',
          'certificatesigningrequests/status',
        ],
        verbs: ['*'],
      },
    ]
    const head = { apiVersion: 'rbac.authorization.k8s.io/v1' }
    await done(api, {
      method: 'POST',
      path: `${RBAC}/clusterroles`,
      body: { ...head, kind: 'ClusterRole', metadata: { name: 'desk' }, rules },
    })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'desk' }
    await done(api, {
      method: 'POST',
      path: `${RBAC}/clusterrolebindings`,
      body: {
        ...head,
        kind: 'ClusterRoleBinding',
        metadata: { name: 'desk' },
        roleRef,
        subjects: [{ kind: 'User', name: 'clerk' }],
      },
    })
    const clerk = await asPerson(api, 'clerk', [])
    const { object } = await wish('cleo', 'cleo', [])
    assert.equal((await post(object, clerk)).status, 201)
    const { err } = await kubectl(clerk, ['certificate', 'approve', 'cleo'])
    assert.match(
      err,
      /certificatesigningrequests\.certificates\.k8s\.io "cleo" is forbidden: user not permitted to approve requests with signerName "kubernetes\.io\/kube-apiserver-client"/,
    )
    const own = Buffer.from(api.pki.ca).toString('base64')
    const signing = { ...object, status: { certificate: own } }
    const { json } = await refused(
      clerk,
      { method: 'PUT', path: `${REQUESTS}/cleo/status`, body: signing },
      403,
      'Forbidden',
    )
    assert.match(String(at(json, 'message')), /not permitted to sign/)
    const roleName = 'system:certificates.k8s.io:kube-apiserver-client-approver'
    await done(api, {
      ...{ method: 'POST', path: `${RBAC}/clusterrolebindings` },
      body: {
        ...head,
        kind: 'ClusterRoleBinding',
        metadata: { name: 'clerk-approves' },
        roleRef: { ...roleRef, name: roleName },
        subjects: [{ kind: 'User', name: 'clerk' }],
      },
    })
    assert.match((await kubectl(clerk, ['certificate', 'approve', 'cleo'])).out, /cleo approved/)
  })

  it('a kubelet gets only its own name, and by itself where a role lets it', async () => {
    const { object: wrong } = await wish('node-a', 'system:node:a', ['other'], { signerName: KUBELET })
    await post(wrong)
    await kubectl(api, ['certificate', 'approve', 'node-a'])
    const failed = await until(api, `${REQUESTS}/node-a`, (object) => JSON.stringify(object).includes('Failed'))
    assert.equal(at(failed, 'status', 'conditions', 1, 'reason'), 'SignerValidationFailure')
    assert.match(String(at(failed, 'status', 'conditions', 1, 'message')), /subject organization is not system:nodes/)
    const binding = await kubectl(api, [
      'create',
      'clusterrolebinding',
      'boot',
      '--clusterrole=system:certificates.k8s.io:certificatesigningrequests:nodeclient',
      '--group=boots',
    ])
    assert.equal(binding.code, 0, binding.err)
    assert.equal(
      (
        await kubectl(api, [
          'create',
          'clusterrolebinding',
          'boot2',
          '--clusterrole=system:node-bootstrapper',
          '--group=boots',
        ])
      ).code,
      0,
    )
    const boot = await asPerson(api, 'boot', ['boots'])
    const { object } = await wish('node-b', 'system:node:b', ['system:nodes'], { signerName: KUBELET })
    assert.equal((await post(object, boot)).status, 201)
    assert.match(new X509Certificate(await certificateOf('node-b')).subject, /CN=system:node:b/)
  })

  it('what is no request, or asks for what cannot be, is refused', async () => {
    const { object } = await wish('zoe', 'zoe', [])
    for (const [spec, says] of [
      [{ request: 'bm8=' }, /spec\.request: Invalid value: "bm8=": PEM block type must be CERTIFICATE REQUEST/],
      [{ usages: [] }, /spec\.usages: Required value/],
      [{ usages: ['flying'] }, /spec\.usages\[0\]: Unsupported value: "flying"/],
      [{ usages: ['client auth', 'client auth'] }, /spec\.usages\[1\]: Duplicate value/],
      [{ signerName: 'nodot/x' }, /should be a domain with at least two segments separated by dots/],
      [{ signerName: 'acme.io' }, /must be a fully qualified domain and path/],
      [{ expirationSeconds: 10 }, /may not specify a duration less than 600 seconds/],
    ] as const) {
      const reply = await post({ ...object, spec: { ...object.spec, ...spec } })
      assert.equal(reply.status, 422, reply.text)
      assert.match(String(at(reply.json, 'message')), says)
    }
  })
})
