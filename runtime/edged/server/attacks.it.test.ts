import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { eventually } from '../../../tools/testing/eventually.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { askEdged, openEdged } from '../testing/ask-edged.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from '../testing/containerd.ts'
import { EdgedBench } from '../testing/edged-bench.ts'
import { KillableEdged } from '../testing/killable-edged.ts'

const LINES = 500_000
const FLOOD = `busybox seq 1 ${LINES}`
const MIB = 1024 * 1024
const pod = (name: string, script: string): JsonObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', uid: `uid-of-${name}` } },
  spec: {
    ...{ terminationGracePeriodSeconds: 1, restartPolicy: 'Never' },
    containers: [{ name: 'app', image: TEST_IMAGE, command: ['sh', '-c', script] }],
  },
})

describe('the kubelet server under attack', { skip: needsContainerd(), timeout: 240_000 }, () => {
  let containerd: TestContainerd

  before(async () => {
    containerd = await startContainerd({ subnet: '10.233.67.0/24' })
  })

  after(() => containerd[Symbol.asyncDispose]())

  it('passes on all that a container writes, however fast, long or binary, and holds none of it', async () => {
    const directory = temporaryFolder()
    await using bench = new EdgedBench({ runtime: containerd.socket, directory })
    await bench.start()
    const socket = join(directory, 'edged.sock')
    const long = `dd if=/dev/zero bs=1M count=10 2>/dev/null | busybox tr '\\0' x; echo`
    // containerd takes a carriage return before a line feed for a part of it.
    const binary = `busybox head -c ${MIB} /dev/urandom | busybox tr '\\r' r`
    bench.assign(pod('flood', `sleep 1; ${FLOOD}; ${long}; ${binary}; echo end`))
    await bench.reported('shop/flood', ({ status }) => JSON.stringify(status).includes('"running"'))
    const before = process.memoryUsage().rss
    // It never reads.
    const stuck = await openEdged(socket, '/containerLogs/shop/flood/app?follow=true')
    const answer = await openEdged(socket, '/containerLogs/shop/flood/app?follow=true')
    let [next, bytes, rest, last] = [1, 0, '', '']
    for await (const piece of answer) {
      bytes += piece.length
      last = (last + piece.toString('latin1')).slice(-4)
      if (next > LINES) continue
      const lines = (rest + piece.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (next <= LINES) assert.equal(line, String(next++))
    }
    const numbers = Array.from({ length: LINES }, (_, index) => String(index + 1).length + 1)
    assert.equal(bytes, numbers.reduce((sum, each) => sum + each, 0) + 10 * MIB + 1 + MIB + 'end\n'.length)
    assert.equal(last, 'end\n')
    assert.ok(process.memoryUsage().rss - before < 150 * MIB)
    assert.equal((await askEdged(socket, '/containerLogs/shop/flood/app?tailLines=0')).status, 200)
    stuck.destroy()
    bench.unassign('shop/flood')
    await bench.retracted('shop/flood')
  })

  it('tells a follower by an error that Edged was killed, and serves the whole log after its restart', async () => {
    const directory = temporaryFolder()
    await using edged = new KillableEdged(containerd.socket, directory)
    edged.assign('shop/stays', pod('stays', 'echo begun; sleep 60'))
    await edged.start()
    const socket = join(directory, 'edged.sock')
    const logs = '/containerLogs/shop/stays/app'
    const begun = () =>
      eventually(async () => {
        const { status, text } = await askEdged(socket, logs)
        return (status === 200 && text === 'begun\n') || undefined
      }, 'the container begins')
    await begun()
    const answer = await openEdged(socket, `${logs}?follow=true`)
    const broken = (async () => {
      for await (const piece of answer) assert.equal(String(piece), 'begun\n')
    })()
    const rejected = assert.rejects(broken, /aborted|ECONNRESET/)
    await edged.kill()
    await rejected
    await edged.start()
    await begun()
    edged.unassign('shop/stays')
  })
})
