import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { run } from './testing/run.ts'
import { launcher } from './testing/up.ts'

describe('skerry mqtt password', { concurrency: 2 }, () => {
  const root = temporaryFolder('skerry-password-')

  const password = (data: string, input: string, ...args: readonly string[]) =>
    run(process.execPath, [launcher, 'mqtt', 'password', ...args, '--data', data], { input })

  it('makes, changes and removes a user, and shows no secret', async () => {
    const data = join(root, 'a')
    const file = join(data, 'mqtt', 'passwords')
    const made = await password(data, 'top secret\r\nnot this\n', 'ann')
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stdout, /^ann can log in \(.*passwords\)\nIt may do nothing yet: say what in mqtt\.clients/)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const first = await readFile(file, 'utf8')
    assert.match(first, /^ann:\$7\$100000\$[^$]+\$[^$]+\n$/)
    await password(data, 'other', 'bob')
    await password(data, 'changed', 'ann')
    const second = await readFile(file, 'utf8')
    assert.deepEqual(second.match(/^\w+/gm), ['ann', 'bob'])
    assert.ok(!second.includes(first.trim()) && !`${first}${second}${made.stdout}`.includes('secret'))

    const removed = await password(data, '', 'ann', '--delete', '-o', 'json')
    assert.deepEqual(JSON.parse(removed.stdout), { name: 'ann', file, deleted: true })
    assert.match(await readFile(file, 'utf8'), /^bob:[^\n]+\n$/)
    const again = await password(data, '', 'ann', '--delete')
    assert.deepEqual([again.code, again.stderr], [1, `skerry: there is no user ann in ${file}\n`])
  })

  it('writes the file that the configuration names, of the edge half where there is one', async () => {
    const data = join(root, 'b')
    const file = join(root, 'users')
    await mkdir(join(data, 'edge'), { recursive: true })
    const clients = '    - {name: ann, twins: [default/pump-1], access: app}\n'
    const text = `node: {name: edge-1}\nmqtt:\n  passwordFile: ${file}\n  clients:\n${clients}`
    await writeFile(join(data, 'edge', 'config.yaml'), text)
    const made = await password(data, 'secret', 'ann', '-o', 'json')
    assert.deepEqual(JSON.parse(made.stdout), { name: 'ann', file, listed: true })
    assert.match(await readFile(file, 'utf8'), /^ann:\$7\$/)
  })

  it('refuses what cannot be a name or a password', async () => {
    const data = join(root, 'c')
    for (const [name, input, says] of [
      ['a:b', 'secret', /a user name has no colon/],
      ['ann', '', /it must not be empty/],
      ['ann', '\nsecret', /it must not be empty/],
      ['ann', 'x'.repeat(70_000), /more than 65535 bytes/],
    ] as const) {
      const ran = await password(data, input, name)
      assert.equal(ran.code, 1)
      assert.match(ran.stderr, says)
    }
  })
})
