import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { needsContainerd } from '../../edged/testing/containerd.ts'
import { type PodsUp, pod, STAYS, shell, startPodsUp } from '../testing/pods-up.ts'
import { onTerminal } from '../testing/pty.ts'
import { collect, eventually, run } from '../testing/run.ts'
import { launcher } from '../testing/up.ts'

const RUNNING = 'jsonpath={.status.phase}=Running'
const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('pods of skerry up, reached with kubectl through the tunnel', {
  skip: needsContainerd() || needs('kubectl'),
}, () => {
  let cluster: PodsUp
  const environment = () => ({ KUBECONFIG: cluster.up.endpoints.kubeconfig ?? '', HOME: cluster.up.directory })
  const skerry = (command: string, ...args: readonly string[]) =>
    run(process.execPath, [launcher, command, '--data', cluster.up.directory, ...args])

  before(async () => {
    cluster = await startPodsUp('10.233.66.0/24')
    const keep = { name: 'keep', mountPath: '/keep' }
    const once = 'echo run; [ -e /keep/done ] && while :; do sleep 1; done; touch /keep/done; exit 1'
    await cluster.apply(
      pod(
        'talks',
        {
          initContainers: [shell('first', 'echo from the first one')],
          containers: [
            shell('app', `for i in 1 2 3; do echo line $i; done; ${STAYS}`),
            shell('side', `echo aside; ${STAYS}`),
          ],
        },
        { labels: { app: 'talks' } },
      ),
      pod('again', {
        volumes: [{ name: 'keep', emptyDir: {} }],
        containers: [shell('app', once, { volumeMounts: [keep] })],
      }),
      pod('counts', {
        restartPolicy: 'Never',
        containers: [shell('app', 'for i in 1 2 3 4 5; do echo $i; sleep 1; done')],
      }),
      pod('nowhere', { containers: [{ name: 'app', image: '127.0.0.1:1/nowhere:1' }] }),
      pod('box', {
        containers: [
          shell('app', 'echo hi > /www/index.html; exec httpd -f -p 8080 -h /www'),
          { ...shell('asks', ''), command: ['sh', '-c', 'while read line; do echo "heard $line"; done'], stdin: true },
        ],
      }),
    )
  })

  after(() => cluster[Symbol.asyncDispose]())

  it('give their logs, all options of kubectl', async () => {
    const { kubectl, tried, wait } = cluster
    await wait('pod/counts', RUNNING)
    const follower = kubectl('logs', '-f', 'counts')
    await wait('pod/talks', RUNNING)
    assert.equal(await kubectl('logs', 'talks', '-c', 'app'), 'line 1\nline 2\nline 3\n')
    assert.equal(await kubectl('logs', 'talks', '-c', 'first'), 'from the first one\n')
    assert.equal(await kubectl('logs', 'talks', '-c', 'app', '--tail=2'), 'line 2\nline 3\n')
    assert.match(await kubectl('logs', 'talks', '-c', 'app', '--timestamps'), /^(\d{4}-\S+ line \d\n){3}$/)
    assert.equal(await kubectl('logs', 'talks', '-c', 'app', '--limit-bytes=8'), 'line 1\nl')
    assert.equal(await kubectl('logs', 'talks', '-c', 'app', '--since=1h'), 'line 1\nline 2\nline 3\n')
    assert.equal(await kubectl('logs', 'talks', '-c', 'app', '--since-time=2100-01-01T00:00:00Z'), '')
    const all = await kubectl('logs', '-l', 'app=talks', '--all-containers', '--prefix')
    assert.match(all, /\[pod\/talks\/side\] aside\n/)
    const defaulted = await tried('logs', 'talks')
    assert.match(defaulted.stderr, /^Defaulted container "app" out of: app, side, first \(init\)\n$/)
    await wait('pod/again', 'jsonpath={.status.containerStatuses[0].restartCount}=1', RUNNING)
    assert.equal(await kubectl('logs', 'again', '-p'), 'run\n')
    assert.equal(await follower, '1\n2\n3\n4\n5\n')

    await wait('pod/nowhere', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff')
    for (const [args, wanted] of [
      [
        ['nowhere'],
        /BadRequest\): container "app" in pod "nowhere" is waiting to start: (trying and failing to pull image|image can't be pulled)$/,
      ],
      [['talks', '-c', 'app', '-p'], /BadRequest\): previous terminated container "app" in pod "talks" not found$/],
      [['talks', '-c', 'x'], /container x is not valid for pod talks$/],
    ] as const) {
      const { code, stderr } = await tried('logs', ...args)
      assert.equal(code, 1)
      assert.match(stderr.trim(), wanted)
    }
  })

  it('run commands with input and exit code, and on a terminal that is resized', async () => {
    const { tried, wait } = cluster
    await wait('pod/box', 'condition=Ready')
    const said = await tried('exec', 'box', '-c', 'app', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')
    assert.deepEqual([said.code, said.stdout], [7, 'out\n'])
    assert.match(said.stderr, /^err\ncommand terminated with exit code 7\n$/)
    const fed = await run('kubectl', ['exec', '-i', 'box', '-c', 'app', '--', 'wc', '-c'], {
      ...{ env: environment(), input: 'x'.repeat(1_000_000) },
    })
    assert.deepEqual([fed.code, fed.stdout.trim()], [0, '1000000'])
    const terminal = onTerminal('kubectl', ['exec', '-it', 'box', '-c', 'app', '--', 'sh'], { env: environment() })
    await terminal.until(/# /)
    terminal.type('stty size\r')
    await terminal.until(/^31 91\r?$/m)
    terminal.resize(77, 22)
    terminal.type('sleep 1; stty size\r')
    await terminal.until(/^22 77\r?$/m)
    terminal.type('exit 9\r')
    assert.equal(await terminal.exitCode, 9)
  })

  it('are attached to', async () => {
    const child = spawn('kubectl', ['attach', '-i', 'box', '-c', 'asks'], { env: { ...process.env, ...environment() } })
    const output = collect(child)
    child.stdin.write('hello\n')
    await output.waitFor(/^heard hello$/m)
    const closed = once(child, 'close')
    child.kill()
    await closed
  })

  it('have their ports forwarded, many connections at a time', async () => {
    const child = spawn('kubectl', ['port-forward', 'box', ':8080'], { env: { ...process.env, ...environment() } })
    const output = collect(child)
    const [, port] = await output.waitFor(/127\.0\.0\.1:(\d+) -> 8080/)
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
    )
    assert.deepEqual(new Set(answers), new Set(['hi\n']))
    const closed = once(child, 'close')
    child.kill()
    await closed
  })

  it('take and give large files as they are', { timeout: 180_000 }, async () => {
    const { kubectl, up } = cluster
    const bytes = randomBytes(50 * 1024 * 1024)
    const [sent, back] = [join(up.directory, 'sent'), join(up.directory, 'back')]
    writeFileSync(sent, bytes)
    await kubectl('cp', '-c', 'app', sent, 'box:/tmp/file')
    assert.match(
      await kubectl('exec', 'box', '-c', 'app', '--', 'sha256sum', '/tmp/file'),
      new RegExp(`^${sum(bytes)} `),
    )
    await kubectl('cp', '-c', 'app', 'box:/tmp/file', back)
    assert.equal(sum(readFileSync(back)), sum(bytes))
  })

  it('and their node tell what they use', async () => {
    const top = (...args: readonly string[]) =>
      eventually(`kubectl top ${args.join(' ')}`, async () => {
        const { code, stdout } = await cluster.tried('top', ...args)
        return code === 0 ? stdout : undefined
      })
    assert.match(await top('node'), /^edge-1 +\d+m +\d+% +\d+Mi +\d+% *$/m)
    assert.match(await top('pod', 'box', '--containers'), /^box +app +\d+m +\d+Mi *$/m)
  })

  it('are reached on the gateway itself while the cloud is down', async () => {
    assert.equal((await skerry('stop', 'cloud')).code, 0)
    assert.match((await skerry('pods')).stdout, /^default +talks +2\/2 +Running +0 /m)
    assert.equal((await skerry('logs', 'talks', '-c', 'app', '--tail', '1')).stdout, 'line 3\n')
    const said = await skerry('exec', 'box', '-c', 'app', '--', 'sh', '-c', 'echo alone; exit 4')
    assert.deepEqual([said.code, said.stdout], [4, 'alone\n'])
    assert.equal((await skerry('start', 'cloud')).code, 0)
    const back = await eventually('kubectl logs', async () => {
      const { code, stdout } = await cluster.tried('logs', 'talks', '-c', 'app', '--tail=1')
      return code === 0 ? stdout : undefined
    })
    assert.equal(back, 'line 3\n')
  })
})
