import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { kubectl } from './testing/kubectl.ts'
import { at, done, MAPS, refused } from './testing/objects.ts'
import { asPerson, type Person } from './testing/people.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const LOCAL = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'
const AUTHORIZATION = '/apis/authorization.k8s.io/v1'
const AUTHENTICATION = '/apis/authentication.k8s.io/v1'
const head = { apiVersion: 'rbac.authorization.k8s.io/v1' }

describe('questions about rights', { skip: needs('kubectl') }, () => {
  let api: ServedApi
  let vera: Person
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
    const subjects = [{ kind: 'User', name: 'vera' }]
    const body = { ...head, kind: 'RoleBinding', metadata: { name: 'vera' }, roleRef, subjects }
    await done(api, { method: 'POST', path: `${LOCAL}/rolebindings`, body })
    vera = await asPerson(api, 'vera', ['clerks'])
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const review = (kind: string, spec: object, path = `${AUTHORIZATION}/${kind.toLowerCase()}s`) =>
    ask(api, { method: 'POST', path, body: { apiVersion: 'authorization.k8s.io/v1', kind, spec } })

  it('can-i says yes and no with the exit codes of kubectl', async () => {
    for (const [words, code, out] of [
      [['get', 'pods'], 0, 'yes\n'],
      [['get', 'pods', '--subresource=log'], 0, 'yes\n'],
      [['get', 'secrets'], 1, 'no\n'],
      [['list', 'configmaps', '-n', 'kube-system'], 1, 'no\n'],
      [['get', '/healthz'], 0, 'yes\n'],
      [['get', '/metrics'], 1, 'no\n'],
      [['create', 'rolebindings.rbac.authorization.k8s.io'], 1, 'no\n'],
    ] as const) {
      const run = await kubectl(vera, ['auth', 'can-i', ...words])
      assert.deepEqual([run.code, run.out], [code, out], `${words.join(' ')}: ${run.err}`)
    }
    const quiet = await kubectl(vera, ['auth', 'can-i', 'get', 'secrets', '-q'])
    assert.deepEqual([quiet.code, quiet.out, quiet.err], [1, '', ''])
    assert.equal((await kubectl(api, ['auth', 'can-i', '*', '*', '--all-namespaces'])).out, 'yes\n')
  })

  it('can-i --list shows everything that somebody may', async () => {
    const { out, code, err } = await kubectl(vera, ['auth', 'can-i', '--list'])
    assert.equal(code, 0, err)
    assert.match(out, /^Resources +Non-Resource URLs +Resource Names +Verbs$/m)
    assert.match(out, /^selfsubjectreviews\.authentication\.k8s\.io +\[\] +\[\] +\[create\]$/m)
    assert.match(out, /^configmaps +\[\] +\[\] +\[get list watch\]$/m)
    assert.match(out, /^ +\[\/healthz\] +\[\] +\[get\]$/m)
    assert.doesNotMatch(out, /^secrets/m)
  })

  it('whoami names the user with his groups and credentials', async () => {
    const { out, err } = await kubectl(vera, ['auth', 'whoami'])
    assert.match(out, /^Username +vera$/m, err)
    assert.match(out, /^Groups +\[clerks system:authenticated\]$/m)
    assert.match(out, /^Extra: authentication\.kubernetes\.io\/credential-id +\[X509SHA256=[0-9a-f]{64}\]$/m)
  })

  it('administrators act as others, and get what those get', async () => {
    const seen = await kubectl(api, ['get', 'secrets', '--as=vera'])
    assert.match(seen.err, /User "vera" cannot list resource "secrets"/)
    assert.equal((await kubectl(api, ['auth', 'can-i', 'get', 'pods', '--as=vera'])).out, 'yes\n')
    const words = ['auth', 'whoami', '--as=bob', '--as-group=a', '--as-group=b', '--as-uid=7', '-o', 'json']
    const who: unknown = JSON.parse((await kubectl(api, words)).out)
    assert.deepEqual(at(who, 'status', 'userInfo'), {
      ...{ username: 'bob', uid: '7', groups: ['a', 'b', 'system:authenticated'] },
    })
    const robot: unknown = JSON.parse(
      (await kubectl(api, ['auth', 'whoami', '--as=system:serviceaccount:shop:robot', '-o', 'json'])).out,
    )
    assert.deepEqual(at(robot, 'status', 'userInfo', 'groups'), [
      'system:serviceaccounts',
      'system:serviceaccounts:shop',
      'system:authenticated',
    ])
    const extra = await ask(api, {
      method: 'POST',
      path: `${AUTHENTICATION}/selfsubjectreviews`,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      headers: { 'impersonate-user': 'system:anonymous', 'impersonate-extra-acme.io%2fteam': 'red' },
    })
    assert.equal(extra.status, 403, 'who is not authenticated may not ask who he is')
  })

  it('others impersonate whom a role lets them, each part by itself', async () => {
    const rules = [{ apiGroups: [''], resources: ['users'], resourceNames: ['vera'], verbs: ['impersonate'] }]
    const metadata = { name: 'act-as-vera' }
    await done(api, {
      ...{ method: 'POST', path: '/apis/rbac.authorization.k8s.io/v1/clusterroles' },
      body: { ...head, kind: 'ClusterRole', metadata, rules },
    })
    await done(api, {
      ...{ method: 'POST', path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings' },
      body: {
        ...{ ...head, kind: 'ClusterRoleBinding', metadata, subjects: [{ kind: 'User', name: 'ian' }] },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'act-as-vera' },
      },
    })
    const ian = await asPerson(api, 'ian', [])
    await refused(ian, { path: MAPS }, 403, 'Forbidden')
    await done(ian, { path: MAPS, headers: { 'impersonate-user': 'vera' } })
    for (const [headers, what] of [
      [
        { 'impersonate-user': 'bob' },
        /users "bob" is forbidden: User "ian" cannot impersonate resource "users" in API group "" at the cluster scope/,
      ],
      [{ 'impersonate-user': 'vera', 'impersonate-group': 'system:masters' }, /groups "system:masters" is forbidden/],
      [{ 'impersonate-user': 'vera', 'impersonate-uid': '1' }, /uids\.authentication\.k8s\.io "1" is forbidden/],
      [
        { 'impersonate-user': 'vera', 'impersonate-extra-a%2fb': 'c' },
        /userextras\.authentication\.k8s\.io "c" is forbidden: User "ian" cannot impersonate resource "userextras\/a\/b"/,
      ],
    ] as const) {
      const { json } = await refused(ian, { path: MAPS, headers }, 403, 'Forbidden')
      assert.match(String(at(json, 'message')), what)
    }
    const alone = await refused(ian, { path: MAPS, headers: { 'impersonate-group': 'g' } }, 400, 'BadRequest')
    assert.equal(at(alone.json, 'message'), 'requested [{Group  g    }] without impersonating a user')
  })

  it('a review of somebody else says why', async () => {
    const resourceAttributes = { namespace: 'default', verb: 'get', resource: 'pods' }
    const yes = await review('SubjectAccessReview', { user: 'vera', resourceAttributes })
    assert.equal(yes.status, 201)
    assert.deepEqual(at(yes.json, 'status'), {
      allowed: true,
      reason: 'RBAC: allowed by RoleBinding "vera/default" of ClusterRole "view" to User "vera"',
    })
    const no = await review('SubjectAccessReview', { groups: ['clerks'], resourceAttributes })
    assert.deepEqual(at(no.json, 'status'), { allowed: false })
    const local = `${AUTHORIZATION}/namespaces/default/localsubjectaccessreviews`
    const here = await review('LocalSubjectAccessReview', { user: 'vera', resourceAttributes }, local)
    assert.equal(at(here.json, 'status', 'allowed'), true)
    const elsewhere = { user: 'vera', resourceAttributes: { ...resourceAttributes, namespace: 'yard' } }
    const { json } = await review('LocalSubjectAccessReview', elsewhere, local)
    assert.match(
      String(at(json, 'message')),
      /spec\.resourceAttributes\.namespace: Invalid value: "yard": must match metadata\.namespace/,
    )
    const empty = await review('SubjectAccessReview', {})
    assert.equal(empty.status, 422)
    assert.match(
      String(at(empty.json, 'message')),
      /exactly one of nonResourceAttributes or resourceAttributes must be specified, spec\.user: /,
    )
  })

  it('a review of a token says whose it is, and for whom', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts'
    await done(api, {
      method: 'POST',
      path: accounts,
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'till' } },
    })
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['shop'] } }
    const made = await done(api, { method: 'POST', path: `${accounts}/till/token`, body: request })
    const token = String(at(made, 'status', 'token'))
    const asked = (spec: object) =>
      ask(api, {
        ...{ method: 'POST', path: `${AUTHENTICATION}/tokenreviews` },
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec },
      })
    const known = await asked({ token, audiences: ['shop', 'yard'] })
    assert.equal(at(known.json, 'status', 'authenticated'), true)
    assert.deepEqual(at(known.json, 'status', 'audiences'), ['shop'])
    assert.equal(at(known.json, 'status', 'user', 'username'), 'system:serviceaccount:default:till')
    const foreign = await asked({ token })
    const issuer = 'https://kubernetes.default.svc.cluster.local'
    assert.deepEqual(at(foreign.json, 'status'), {
      user: {},
      error: `[invalid bearer token, token audiences ["shop"] is invalid for the target audiences ["${issuer}"]]`,
    })
    const forged = await asked({ token: `${token.slice(0, -8)}AAAAAAAA` })
    assert.deepEqual(at(forged.json, 'status'), { user: {}, error: 'invalid bearer token' })
    assert.equal((await asked({})).status, 400)
  })

  it('questions are asked and not kept', async () => {
    for (const path of [`${AUTHORIZATION}/subjectaccessreviews`, `${AUTHENTICATION}/tokenreviews`]) {
      await refused(api, { path }, 405, 'MethodNotAllowed')
      await refused(api, { path: `${path}/x`, method: 'DELETE' }, 405, 'MethodNotAllowed')
    }
    const { out } = await kubectl(api, ['api-resources', '--api-group=authorization.k8s.io', '-o', 'wide'])
    assert.match(out, /localsubjectaccessreviews +authorization\.k8s\.io\/v1 +true +LocalSubjectAccessReview +create/)
  })

  it('kubectl reconciles roles and bindings', async () => {
    const input = JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'List' },
      items: [
        {
          ...{ ...head, kind: 'Role', metadata: { name: 'peek', namespace: 'default' } },
          rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
        },
      ],
    })
    const first = await kubectl(api, ['auth', 'reconcile', '-f', '-'], { input })
    assert.match(first.out, /role\.rbac\.authorization\.k8s\.io\/peek reconciled/, first.err)
    const second = await kubectl(api, ['auth', 'reconcile', '-f', '-'], { input: input.replace('"get"', '"list"') })
    assert.match(second.out, /peek reconciled/, second.err)
    const role = await done(api, { path: `${LOCAL}/roles/peek` })
    assert.match(JSON.stringify(at(role, 'rules')), /get.*list/)
  })
})
