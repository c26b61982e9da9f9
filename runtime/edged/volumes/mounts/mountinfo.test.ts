import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mountsUnder, parseMountinfo } from './mountinfo.ts'

const TEXT = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:40 / /var/pods/u-1/memory rw shared:2 master:1 - tmpfs tmpfs rw,size=4k
41 40 254:0 /home/with\\040space /var/pods/u-1/memory/a\\134b\\040c rw - ext4 /dev/vda rw
42 40 0:42 / /var/pods/u-1/memory rw - tmpfs - rw
43 27 0:43 / /var/pods/u-10 rw - tmpfs tmpfs rw

no mount at all
`

test('the kernel tells where what is mounted', () => {
  assert.deepEqual(parseMountinfo(TEXT).slice(0, 4), [
    { path: '/proc', type: 'proc' },
    { path: '/', type: 'ext4' },
    { path: '/var/pods/u-1/memory', type: 'tmpfs' },
    { path: '/var/pods/u-1/memory/a\\b c', type: 'ext4' },
  ])
  assert.equal(parseMountinfo(TEXT).length, 6)
})

test('of mounts in a folder the deepest and the newest goes first, and its neighbours are not meant', () => {
  assert.deepEqual(mountsUnder('/var/pods/u-1', parseMountinfo(TEXT)), [
    { path: '/var/pods/u-1/memory/a\\b c', type: 'ext4' },
    { path: '/var/pods/u-1/memory', type: 'tmpfs' },
    { path: '/var/pods/u-1/memory', type: 'tmpfs' },
  ])
})
