import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { askEdged, openEdged } from '../testing/ask-edged.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from '../testing/containerd.ts'
import { EdgedBench } from '../testing/edged-bench.ts'

const STAYS = 'while :; do sleep 1 & wait $!; done'
const shell = (name: string, script: string): JsonObject => ({
  ...{ name, image: TEST_IMAGE, command: ['sh', '-c', `trap 'exit 0' TERM; ${script}`] },
})
const pod = (name: string, spec: JsonObject): JsonObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', uid: `uid-of-${name}` } },
  spec: { terminationGracePeriodSeconds: 1, ...spec },
})

describe('the kubelet server of a node with a containerd', { skip: needsContainerd(), timeout: 240_000 }, () => {
  let containerd: TestContainerd
  let bench: EdgedBench
  const directory = temporaryFolder()
  const socket = join(directory, 'edged.sock')
  const logs = (path: string) => askEdged(socket, `/containerLogs/shop/${path}`)

  before(async () => {
    containerd = await startContainerd({ subnet: '10.233.61.0/24' })
    bench = new EdgedBench({ runtime: containerd.socket, directory })
    await bench.start()
  })

  after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })

  it('is for the owner of its socket, and healthy', async () => {
    assert.equal(statSync(socket).mode & 0o777, 0o600)
    assert.deepEqual(await askEdged(socket, '/healthz'), { status: 200, text: 'ok' })
    assert.equal((await askEdged(socket, '/containerLogs/shop/../../etc/passwd')).status, 404)
    assert.equal((await askEdged(socket, '/containerLogs/shop/%2e%2e/app')).status, 404)
  })

  it('gives the logs of containers that run, have ended or begun anew, and says why there are none', async () => {
    bench.assign(
      pod('talks', {
        initContainers: [shell('first', 'echo from the first one')],
        containers: [shell('app', `echo out; echo err >&2; ${STAYS}`)],
      }),
    )
    bench.assign(pod('crash', { containers: [shell('app', 'echo $(cat /proc/sys/kernel/random/uuid); exit 3')] }))
    bench.assign(pod('nowhere', { containers: [{ name: 'app', image: '127.0.0.1:1/nowhere:1' }] }))
    await bench.phase('shop/talks', 'Running')
    assert.equal((await logs('talks/first')).text, 'from the first one\n')
    const both = await logs('talks/app?timestamps=true')
    assert.match(both.text, /^\d{4}-\S+\.\d{9}(Z|\S{6}) (out|err)\n\d{4}-\S+ (out|err)\n$/)
    assert.equal((await logs('talks/app?stream=Stderr')).text, 'err\n')
    assert.equal((await logs('talks/app?tailLines=0')).text, '')
    assert.equal((await logs('talks/app?limitBytes=2&stream=Stdout')).text, 'ou')
    assert.deepEqual(await logs('talks/app?previous=true'), {
      ...{ status: 400, text: 'previous terminated container "app" in pod "talks" not found\n' },
    })
    assert.deepEqual(await logs('talks/other'), {
      ...{ status: 404, text: 'container "other" not found in pod "talks"\n' },
    })
    assert.deepEqual(await logs('nobody/app'), { status: 404, text: 'pod "nobody" does not exist\n' })
    assert.equal((await logs('talks/app?tailLines=-1')).status, 422)
    assert.equal((await logs('talks/app?sinceTime=yesterday')).status, 400)

    await bench.reported('shop/nowhere', ({ status }) => JSON.stringify(status).includes('ImagePullBackOff'))
    assert.deepEqual(await logs('nowhere/app'), {
      status: 400,
      text: 'container "app" in pod "nowhere" is waiting to start: trying and failing to pull image\n',
    })

    await bench.reported('shop/crash', ({ status }) =>
      /"restartCount":1.*"waiting"|"waiting".*"restartCount":1/.test(JSON.stringify(status)),
    )
    const last = await logs('crash/app')
    assert.match(last.text, /^[0-9a-f-]{36}\n$/)
    assert.equal((await logs('crash/app?previous=true')).text, last.text)
  })

  it('tells of its pods, and what they and the node use', async () => {
    const list = JSON.parse((await askEdged(socket, '/pods')).text)
    const talks = list.items.find((each: { metadata: { name: string } }) => each.metadata.name === 'talks')
    assert.deepEqual([list.kind, talks.kind, talks.status.phase], ['PodList', 'Pod', 'Running'])

    const summary = JSON.parse((await askEdged(socket, '/stats/summary')).text)
    assert.equal(summary.node.nodeName, 'edge-1')
    assert.ok(summary.node.cpu.usageCoreNanoSeconds > 0 && summary.node.memory.workingSetBytes > 0)
    assert.ok(
      summary.node.fs.capacityBytes > summary.node.fs.usedBytes && summary.node.runtime.imageFs.capacityBytes > 0,
    )
    const of = summary.pods.find((each: { podRef: { name: string } }) => each.podRef.name === 'talks')
    assert.deepEqual(of.podRef, { name: 'talks', namespace: 'shop', uid: 'uid-of-talks' })
    const [app] = of.containers
    assert.deepEqual([of.containers.length, app.name], [1, 'app'])
    assert.ok(app.memory.workingSetBytes > 0 && app.logs.usedBytes > 0 && of.memory.workingSetBytes > 0)

    const { text } = await askEdged(socket, '/metrics/resource')
    for (const wanted of [
      /^node_cpu_usage_seconds_total \S+ \d{13}$/m,
      /^node_memory_working_set_bytes \d+ \d{13}$/m,
      /^container_cpu_usage_seconds_total\{container="app",namespace="shop",pod="talks"\} \S+ \d{13}$/m,
      /^container_memory_working_set_bytes\{container="app",namespace="shop",pod="talks"\} \d+ \d{13}$/m,
      /^container_start_time_seconds\{container="app",namespace="shop",pod="talks"\} [\d.]+$/m,
      /^pod_cpu_usage_seconds_total\{namespace="shop",pod="talks"\} \S+ \d{13}$/m,
      /^scrape_error 0$/m,
    ])
      assert.match(text, wanted)
    assert.match((await askEdged(socket, '/metrics/cadvisor')).text, /^container_memory_usage_bytes\{container="app",/m)
    assert.match(
      (await askEdged(socket, '/metrics')).text,
      /^skerry_edged_server_answers_total\{what="logs",status="200"\} /m,
    )
  })

  it('lets a follower have each line at once, and ends with the container', async () => {
    bench.assign(
      pod('once', { restartPolicy: 'Never', containers: [shell('app', 'for i in 1 2 3; do echo $i; sleep 1; done')] }),
    )
    await bench.phase('shop/once', 'Running')
    const answer = await openEdged(socket, '/containerLogs/shop/once/app?follow=true')
    let text = ''
    for await (const piece of answer) text += piece
    assert.equal(text, '1\n2\n3\n')
  })
})
