import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginsFor } from './registry-logins.ts'

function users(repository: string, places: readonly string[]): readonly (string | undefined)[] {
  return loginsFor(
    repository,
    places.map((place) => ({ place, auth: { username: place } })),
  ).map(({ username }) => username)
}

test('a login is for its host, port and path, and for nothing else', () => {
  const fitting: readonly (readonly [string, string])[] = [
    ['reg.local', 'reg.local/a'],
    ['https://reg.local', 'reg.local/a'],
    ['reg.local:5000', 'reg.local:5000/a'],
    ['reg.local/team', 'reg.local/team/a'],
    ['http://reg.local/v2/', 'reg.local/a'],
    ['*.acme.io', 'eu.acme.io/a'],
    ['reg*.acme.io:443/team', 'reg7.acme.io:443/team/a'],
    ['docker.io', 'docker.io/library/busybox'],
    ['https://index.docker.io/v1/', 'docker.io/library/busybox'],
  ]
  for (const [place, repository] of fitting) assert.deepEqual(users(repository, [place]), [place], place)
  const others: readonly (readonly [string, string])[] = [
    ['reg.local', 'reg.local:5000/a'],
    ['reg.local:5000', 'reg.local/a'],
    ['reg.local', 'evil-reg.local/a'],
    ['reg.local', 'reg.local.evil.io/a'],
    ['reg.local/team', 'reg.local/other/a'],
    ['*.acme.io', 'a.b.acme.io/a'],
    ['*.acme.io', 'acme.io/a'],
    ['a*a.io', 'a.io/x'],
    ['a*b*c.io', 'abd.io/x'],
    ['https://index.docker.io/v1/', 'reg.local/busybox'],
    ['', 'reg.local/a'],
  ]
  for (const [place, repository] of others) assert.deepEqual(users(repository, [place]), [], `${place} ${repository}`)
})

test('the more exact login is tried first, the same one once', () => {
  const places = ['reg.local', 'reg.local/team', '*.local', 'reg.local']
  assert.deepEqual(users('reg.local/team/a', places), ['reg.local/team', 'reg.local', '*.local'])
  assert.deepEqual(users('docker.io/library/a', ['https://index.docker.io/v1/', 'docker.io']), ['docker.io'])
})
