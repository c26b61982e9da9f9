import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { silentLogger } from '../../../log/index.ts'
import { PasswordFile } from './password-file.ts'
import { hashPassword } from './password-hash.ts'
import { passwordLine } from './password-lines.ts'

test('who asks after a change is told of it, also while an older question is being answered', async () => {
  const path = join(temporaryFolder('skerry-mqtt-'), 'passwords')
  const hash = await hashPassword(Buffer.from('secret'), 100)
  const replace = (name: string) => {
    writeFileSync(`${path}.new`, `${passwordLine(name, hash)}\n`, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  replace('user-0')
  const file = new PasswordFile({ path, isNamed: true, log: silentLogger })
  await file.open()
  for (let round = 1; round <= 100; round++) {
    const earlier = file.users()
    // The thread that opens the file is given time to find the old one.
    for (let count = 0; count < round % 10; count++) writeFileSync(`${path}.other`, '')
    replace(`user-${round}`)
    const [users, again] = await Promise.all([file.users(), file.users()])
    assert.deepEqual([[...(users?.keys() ?? [])], again], [[`user-${round}`], users])
    await earlier
  }
})
