import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { containerOf, FACTS } from '../testing/pods.ts'
import { containerConfig } from './container-config.ts'
import { containerHash } from './hash.ts'

const IMAGE = { id: 'sha256:abc', tags: ['till:1'], digests: [], bytes: 1, username: '', isPinned: false }

function config(fields: JsonObject, environment: ReadonlyMap<string, string> = new Map()) {
  const { pod, container } = containerOf(fields)
  const mounts = [{ containerPath: '/data', hostPath: '/pods/u-1/volumes/data' }]
  return containerConfig({
    ...{ pod, container, attempt: 3, environment, mounts, image: IMAGE, owner: 'edge', facts: FACTS },
    logPath: 'app/3.log',
  })
}

test('a container is made as its pod says', () => {
  const made = config(
    {
      command: ['/bin/run', '--name=$(NAME)'],
      args: ['$(NAME)', '$$(NAME)', '$(NONE)'],
      workingDir: '/srv',
      ...{ stdin: true, stdinOnce: true, tty: true },
      resources: { limits: { memory: '64Mi' } },
    },
    new Map([['NAME', 'täst']]),
  )
  assert.deepEqual(
    [made.command, made.args, made.workingDir],
    [['/bin/run', '--name=täst'], ['täst', '$(NAME)', '$(NONE)'], '/srv'],
  )
  assert.deepEqual(made.envs, [{ key: 'NAME', value: Buffer.from('täst') }])
  assert.deepEqual(
    [made.metadata, made.image, made.logPath, made.stdin, made.stdinOnce, made.tty],
    [{ name: 'app', attempt: 3 }, { image: 'sha256:abc' }, 'app/3.log', true, true, true],
  )
  assert.deepEqual(made.mounts, [{ containerPath: '/data', hostPath: '/pods/u-1/volumes/data' }])
  assert.equal(made.linux?.resources?.memoryLimitInBytes, 67_108_864)
  assert.equal(made.linux?.securityContext?.noNewPrivs, false)
})

test('a container says whose it is, and what it was made from', () => {
  const { labels, annotations } = config({
    terminationMessagePath: '/end',
    terminationMessagePolicy: 'FallbackToLogsOnError',
  })
  assert.deepEqual(labels, {
    'io.kubernetes.pod.name': 'till',
    'io.kubernetes.pod.namespace': 'shop',
    'io.kubernetes.pod.uid': 'u-1',
    'io.kubernetes.container.name': 'app',
    'skerry.io/owner': 'edge',
  })
  assert.deepEqual(annotations, {
    'io.kubernetes.container.hash': containerHash(containerOf().container),
    'io.kubernetes.container.restartCount': '3',
    'io.kubernetes.container.terminationMessagePath': '/end',
    'io.kubernetes.container.terminationMessagePolicy': 'FallbackToLogsOnError',
  })
})

test('another image means another container, and nothing else does', () => {
  const hashOf = (fields: JsonObject) => containerHash(containerOf(fields).container)
  const hash = hashOf({})
  assert.match(hash, /^[0-9a-f]{16}$/)
  assert.notEqual(hashOf({ image: 'till:2' }), hash)
  assert.notEqual(hashOf({ name: 'other' }), hash)
  const probe = { exec: { command: ['true'] } }
  assert.equal(hashOf({ livenessProbe: probe, imagePullPolicy: 'Never' }), hash)
  assert.equal(hash, 'ba8fbbfe4248c891', 'stays the same from version to version')
})
