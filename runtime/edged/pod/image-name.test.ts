import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listedAs, parseImageName } from './image-name.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`

function read(text: string): readonly unknown[] {
  const name = parseImageName(text)
  return typeof name === 'string' ? [name] : [name.reference, name.registry, name.repository, ...listedAs(name)]
}

test('names are completed as runtimes complete them', () => {
  const cases: readonly (readonly [string, ...string[]])[] = [
    ['busybox', 'busybox:latest', 'docker.io', 'docker.io/library/busybox', 'docker.io/library/busybox:latest'],
    ['acme/till:2', 'acme/till:2', 'docker.io', 'docker.io/acme/till', 'docker.io/acme/till:2'],
    [
      'index.docker.io/till:2',
      'index.docker.io/till:2',
      'docker.io',
      'docker.io/library/till',
      'docker.io/library/till:2',
    ],
    ['localhost/till', 'localhost/till:latest', 'localhost', 'localhost/till', 'localhost/till:latest'],
    [
      'reg.local:5000/a/b',
      'reg.local:5000/a/b:latest',
      'reg.local:5000',
      'reg.local:5000/a/b',
      'reg.local:5000/a/b:latest',
    ],
    ['[::1]:5000/a:1', '[::1]:5000/a:1', '[::1]:5000', '[::1]:5000/a', '[::1]:5000/a:1'],
    [`reg.local/a:1@${DIGEST}`, `reg.local/a:1@${DIGEST}`, 'reg.local', 'reg.local/a', `reg.local/a@${DIGEST}`],
    ['Registry/a:1', 'Registry/a:1', 'Registry', 'Registry/a', 'Registry/a:1'],
  ]
  for (const [text, ...expected] of cases) assert.deepEqual(read(text), expected)
})

test('what is no name is told why', () => {
  assert.match(String(read('reg.local/Till:1')), /repository name \(Till\) must be lowercase/)
  assert.match(String(read('ab'.repeat(32))), /64 hexadecimal digits/)
  assert.match(String(read(`reg.local/${'a'.repeat(250)}`)), /not be more than 255/)
  for (const text of [
    '',
    ' ',
    'a b',
    'till:',
    'till:-1',
    'till@sha256:12',
    '/till',
    'till//a',
    'http://reg.local/till',
    '-a.b/c',
    'a_/b',
  ])
    assert.match(String(read(text)), /^invalid reference format/, text)
})
