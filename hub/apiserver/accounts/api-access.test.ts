import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMounted, withApiAccess } from './api-access.ts'

const MOUNT = {
  name: 'kube-api-access-x2x2x',
  readOnly: true,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
}

test('every container gets the token, the authority and the namespace where clients look for them', () => {
  const own = { name: 'data', mountPath: '/data' }
  const spec = {
    initContainers: [{ name: 'first' }],
    containers: [{ name: 'main', volumeMounts: [own] }],
    volumes: [{ name: 'data', emptyDir: {} }],
  }
  assert.deepEqual(withApiAccess(spec, 'x2x2x'), {
    initContainers: [{ name: 'first', volumeMounts: [MOUNT] }],
    containers: [{ name: 'main', volumeMounts: [own, MOUNT] }],
    volumes: [
      { name: 'data', emptyDir: {} },
      {
        name: 'kube-api-access-x2x2x',
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
              },
            },
          ],
        },
      },
    ],
  })
})

test('a container that has something there keeps it, and a volume that is there already serves', () => {
  const mount = { ...MOUNT, name: 'own' }
  const spec = { containers: [{ name: 'main', volumeMounts: [mount] }] }
  assert.equal(withApiAccess(spec, 'x2x2x'), spec)
  const volumes = [{ name: 'kube-api-access-aaaaa', projected: { sources: [] } }]
  const made = withApiAccess({ containers: [{ name: 'main' }], volumes }, 'x2x2x')
  assert.deepEqual(made['volumes'], volumes)
  assert.deepEqual(made['containers'], [{ name: 'main', volumeMounts: [{ ...MOUNT, name: 'kube-api-access-aaaaa' }] }])
})

test('the pod decides before its account, and without a word there is a token', () => {
  const none = { automountServiceAccountToken: false }
  const given = { automountServiceAccountToken: true }
  const all = [isMounted({}, undefined), isMounted({}, none), isMounted(given, none), isMounted(none, given)]
  assert.deepEqual(all, [true, false, true, false])
})
