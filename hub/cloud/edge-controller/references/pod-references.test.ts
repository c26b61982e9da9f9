import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../schemas/index.ts'
import type { AnyObject } from '../../kubernetes/index.ts'
import { referencesOf, secretsOfAccount } from './pod-references.ts'

const pod = (spec: JsonObject): AnyObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'till' }, spec })

test('everything that a pod names is found', () => {
  const { configMaps, secrets, claims, serviceAccount } = referencesOf(
    pod({
      serviceAccountName: 'robot',
      imagePullSecrets: [{ name: 's-pull' }],
      volumes: [
        { name: 'a', configMap: { name: 'c-volume' } },
        { name: 'b', secret: { secretName: 's-volume' } },
        {
          name: 'c',
          projected: {
            sources: [{ configMap: { name: 'c-projected' } }, { secret: { name: 's-projected' } }, { downwardAPI: {} }],
          },
        },
        { name: 'd', persistentVolumeClaim: { claimName: 'claim' } },
        { name: 'e', ephemeral: {} },
        { name: 'f', csi: { nodePublishSecretRef: { name: 's-csi' } } },
        { name: 'g', rbd: { secretRef: { name: 's-rbd' } } },
        { name: 'h', azureFile: { secretName: 's-azure' } },
        { name: 'i', emptyDir: {} },
      ],
      initContainers: [{ envFrom: [{ configMapRef: { name: 'c-init' } }] }],
      containers: [
        {
          env: [
            { name: 'A', valueFrom: { configMapKeyRef: { name: 'c-env', key: 'k' } } },
            { name: 'B', valueFrom: { secretKeyRef: { name: 's-env', key: 'k' } } },
            { name: 'C', value: 'plain' },
          ],
          envFrom: [{ secretRef: { name: 's-from' } }],
        },
      ],
      ephemeralContainers: [{ envFrom: [{ secretRef: { name: 's-debug' } }] }],
    }),
  )
  assert.deepEqual([...configMaps].sort(), ['c-env', 'c-init', 'c-projected', 'c-volume'])
  assert.deepEqual([...secrets].sort(), [
    's-azure',
    's-csi',
    's-debug',
    's-env',
    's-from',
    's-projected',
    's-pull',
    's-rbd',
    's-volume',
  ])
  assert.deepEqual([...claims].sort(), ['claim', 'till-e'])
  assert.equal(serviceAccount, 'robot')
})

test('a pod without anything, or with rubbish, names its default service account alone', () => {
  for (const spec of [{}, { volumes: 'x', containers: [null, { env: 3 }] }]) {
    const { configMaps, secrets, claims, serviceAccount } = referencesOf(pod(spec))
    assert.deepEqual([configMaps.size, secrets.size, claims.size, serviceAccount], [0, 0, 0, 'default'])
  }
})

test('a service account brings its pull secrets and its own', () => {
  const account = { ...pod({}), imagePullSecrets: [{ name: 'pull' }], secrets: [{ name: 'own' }, {}] }
  assert.deepEqual([...secretsOfAccount(account)], ['pull', 'own'])
})
