import assert from 'node:assert/strict'
import { test } from 'node:test'
import { podsPage } from './pods.ts'

test('what a node does not read of a pod stands among what is refused, and what it reads does not', () => {
  const row = (path: string) =>
    podsPage()
      .split('\n')
      .find((line) => line.startsWith(`| \`${path}\` |`))
      ?.split(' | ') ?? []
  const [, own, , refused] = row('spec.volumes[]')
  assert.match(refused ?? '', /`persistentVolumeClaim`/)
  assert.match(own ?? '', /`configMap`.*`emptyDir`/)
  assert.doesNotMatch(refused ?? '', /`emptyDir`/)
  assert.match(row('spec')[2] ?? '', /`affinity`.*`tolerations`/)
  assert.match(row('spec')[3] ?? '', /`resourceClaims`/)
  assert.match(podsPage(), /\| `spec\.containers\[\]\.imagePullPolicy` \| `Always`, `IfNotPresent`, `Never` \|/)
})
