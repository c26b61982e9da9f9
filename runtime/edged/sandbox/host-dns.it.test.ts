import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { readHostDns } from './host-dns.ts'

test('pods do not get a resolver that listens on this node alone', async () => {
  const folder = temporaryFolder()
  const files = { file: join(folder, 'resolv.conf'), behindStub: join(folder, 'behind.conf') }
  assert.deepEqual(await readHostDns(files), { servers: ['127.0.0.1'], searches: ['.'], options: [] })
  await writeFile(files.file, 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n')
  const stub = { servers: ['127.0.0.53'], searches: ['lan'], options: ['edns0', 'trust-ad'] }
  assert.deepEqual(await readHostDns(files), stub, 'nobody knows better')
  await writeFile(files.behindStub, 'nameserver 192.168.1.1\nsearch lan\n')
  assert.deepEqual(await readHostDns(files), { servers: ['192.168.1.1'], searches: ['lan'], options: [] })
  await writeFile(files.file, 'nameserver 9.9.9.9\n')
  assert.deepEqual((await readHostDns(files)).servers, ['9.9.9.9'])
})
