import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { rfcommPort } from './rfcomm.ts'

/** As the kernel lists terminals: a folder for each, with the facts of those that are bound. */
async function terminals(list: Readonly<Record<string, readonly [address: string, channel: string]>>) {
  const folder = temporaryFolder('skerry-rfcomm-')
  await mkdir(join(folder, 'ttyS0'))
  for (const [name, [address, channel]] of Object.entries(list)) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'address'), `${address}\n`)
    await writeFile(join(folder, name, 'channel'), `${channel}\n`)
  }
  return folder
}

test('the port of a Bluetooth device is the one that is bound to its address, and to its channel where one is given', async () => {
  const folder = await terminals({
    rfcomm0: ['00:11:22:33:44:55', '1'],
    rfcomm1: ['AA:BB:CC:DD:EE:FF', '1'],
    rfcomm2: ['AA:BB:CC:DD:EE:FF', '2'],
  })
  assert.equal(await rfcommPort('aa-bb-cc-dd-ee-ff', undefined, folder), '/dev/rfcomm1')
  assert.equal(await rfcommPort('AA:BB:CC:DD:EE:FF', 2, folder), '/dev/rfcomm2')
})

test('without such a port the reason says how to bind one, under a number that is free', async () => {
  const folder = await terminals({ rfcomm3: ['00:11:22:33:44:55', '1'] })
  await assert.rejects(rfcommPort('aa:bb:cc:dd:ee:ff', 7, folder), /sudo rfcomm bind 4 AA:BB:CC:DD:EE:FF 7 /)
  await assert.rejects(rfcommPort('00:11:22:33:44:55', 2, folder), /no port is bound to 00:11:22:33:44:55/)
  await assert.rejects(rfcommPort('aa:bb:cc:dd:ee:ff', undefined, '/nowhere'), /sudo rfcomm bind 0 .* 1 /)
})
