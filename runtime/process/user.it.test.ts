import assert from 'node:assert/strict'
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { kubectl } from '../../hub/apiserver/testing/kubectl.ts'
import { type ServedApi, serveApi } from '../../hub/apiserver/testing/serve.ts'
import { needs } from '../../tools/testing/needs.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { run } from './testing/run.ts'
import { launcher } from './testing/up.ts'

describe('skerry user', { skip: needs('kubectl') }, () => {
  const data = temporaryFolder('skerry-user-')
  let api: ServedApi
  before(async () => {
    api = await serveApi(data)
  })
  after(() => api[Symbol.asyncDispose]())
  const user = (...args: readonly string[]) =>
    run(process.execPath, [launcher, 'user', ...args, '--data', data], { timeoutMs: 60_000 })
  const as = (file: string, ...words: readonly string[]) => kubectl({ kubeconfig: file, directory: data }, words)

  it('makes a kubeconfig that may do what its role says, and nothing else', async () => {
    const made = await user('create', 'ann', '--group', 'clerks', '--role', 'view', '--namespace', 'kube-public')
    assert.equal(made.code, 0, made.stderr)
    assert.match(
      made.stdout,
      /It has ClusterRole view in namespace kube-public: RoleBinding skerry:user:ann:clusterrole:view/,
    )
    assert.match(made.stdout, /cannot be taken back before it ends/)
    const file = join(data, 'users', 'ann.kubeconfig')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.match((await as(file, 'auth', 'whoami')).out, /^Username +ann\nGroups +\[clerks system:authenticated\]$/m)
    const seen = await as(file, 'get', 'configmaps')
    assert.equal(seen.code, 0, seen.err)
    assert.match((await as(file, 'get', 'configmaps', '-n', 'default')).err, /Forbidden/)
    assert.match((await as(file, 'create', 'configmap', 'x')).err, /is forbidden: User "ann" cannot create/)
    const again = await user('create', 'ann', '--role', 'view', '--namespace', 'kube-public')
    assert.equal(again.code, 0, again.stderr)
    const list = await user('list')
    assert.match(list.stdout, /^NAME +GROUPS +UNTIL \(UTC\) +SERIAL\nann +clerks .*\nann .*\n$/)
    assert.doesNotMatch(await readFile(file, 'utf8'), /token/)
  })

  it('gives the whole cluster, and certificates without rights', async () => {
    const out = join(data, 'boss.kubeconfig')
    const boss = await user(
      'create',
      'boss',
      '--cluster-role',
      'cluster-admin',
      '--out',
      out,
      '--ttl',
      '1h',
      '-o',
      'json',
    )
    assert.equal(boss.code, 0, boss.stderr)
    assert.equal(JSON.parse(boss.stdout).file, out)
    assert.equal((await as(out, 'auth', 'can-i', '*', '*', '-A')).out, 'yes\n')
    const nobody = await user('create', 'nobody')
    assert.match(nobody.stdout, /It may do nothing yet/)
    assert.match((await as(join(data, 'users', 'nobody.kubeconfig'), 'get', 'pods')).err, /User "nobody" cannot list/)
  })

  it('refuses what cannot be, and says what to write', async () => {
    for (const [args, says] of [
      [['system:admin'], /begin with system: are the API's own; an administrator gets --cluster-role cluster-admin/],
      [['ann', '--group', 'system:masters'], /system:masters cannot be given/],
      [['a,b'], /cannot be the name of a user/],
      [['ann', '--role', 'view'], /--role needs the --namespace/],
      [['ann', '--role', 'view', '--namespace', 'x', '--cluster-role', 'view'], /one too many/],
      [
        ['ann', '--role', 'nowhere', '--namespace', 'default'],
        /neither a Role in namespace default nor a ClusterRole nowhere/,
      ],
      [['ann', '--ttl', '400d'], /--ttl has to be from 1m to 365d/],
    ] as const) {
      const { code, stderr } = await user('create', ...args)
      assert.equal(code, 1)
      assert.match(stderr, says)
      assert.equal(stderr.trim().split('\n').length, 1)
    }
  })

  it('works without a running API, but for rights', async () => {
    const elsewhere = temporaryFolder('skerry-user-')
    const other = await serveApi(elsewhere)
    await other[Symbol.asyncDispose]()
    const create = (...args: readonly string[]) =>
      run(process.execPath, [launcher, 'user', 'create', ...args, '--data', elsewhere], { timeoutMs: 60_000 })
    const made = await create('ann')
    assert.equal(made.code, 0, made.stderr)
    const bound = await create('ann', '--cluster-role', 'view')
    assert.match(
      bound.stderr,
      /rights are given by the running Kubernetes API, and it cannot be reached: start skerry cloud/,
    )
    await rm(join(elsewhere, 'pki'), { recursive: true })
    assert.match((await create('ann')).stderr, /is no data directory of a cloud half with the embedded Kubernetes API/)
  })
})
