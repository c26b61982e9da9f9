import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { needsContainerd, startContainerd, TEST_IMAGE, type TestContainerd } from '../../edged/testing/containerd.ts'
import { EdgedBench } from '../../edged/testing/edged-bench.ts'
import { writeEndpoints } from '../endpoints.ts'
import { onTerminal } from '../testing/pty.ts'
import { run } from '../testing/run.ts'
import { launcher } from '../testing/up.ts'

const STAYS = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
const container = (name: string, script: string): JsonObject => ({
  ...{ name, image: TEST_IMAGE, command: ['sh', '-c', script] },
})
const pod = (name: string, spec: JsonObject, namespace = 'default'): JsonObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod' },
  metadata: { name, namespace, uid: `uid-of-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { terminationGracePeriodSeconds: 1, ...spec },
})

describe('pods of this node on the command line', { skip: needsContainerd(), timeout: 240_000 }, () => {
  let containerd: TestContainerd
  let bench: EdgedBench
  const directory = temporaryFolder()
  const skerry = (command: string, ...args: readonly string[]) =>
    run(process.execPath, [launcher, command, '--data', directory, ...args])

  before(async () => {
    containerd = await startContainerd({ subnet: '10.233.63.0/24' })
    bench = new EdgedBench({ runtime: containerd.socket, directory })
    await bench.start()
    await writeEndpoints(directory, { edged: join(directory, 'edged.sock') })
    bench.assign(
      pod('till', {
        containers: [container('app', `for i in 1 2 3; do echo line $i; done; ${STAYS}`), container('side', STAYS)],
      }),
    )
    bench.assign(pod('shop-till', { containers: [container('app', STAYS)] }, 'shop'))
    await bench.phase('default/till', 'Running')
    await bench.phase('shop/shop-till', 'Running')
  })

  after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })

  it('are listed as kubectl lists them', async () => {
    const { stdout, code } = await skerry('pods')
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\ndefault +till +2\/2 +Running +0 +\S+\nshop +shop-till +1\/1 +Running +0 +\S+\n$/,
    )
    const list = JSON.parse((await skerry('pods', '-n', 'shop', '-o', 'json')).stdout)
    assert.deepEqual([list.kind, list.items.length, list.items[0].status.phase], ['PodList', 1, 'Running'])
  })

  it('give their logs', async () => {
    const whole = await skerry('logs', 'till')
    assert.deepEqual([whole.code, whole.stdout], [0, 'line 1\nline 2\nline 3\n'])
    assert.equal(whole.stderr, 'Defaulted container "app" out of: app, side\n')
    const two = await skerry('logs', 'till', '-c', 'app', '--tail', '2', '--timestamps', '--since', '1h')
    assert.match(two.stdout, /^\d{4}-\S+ line 2\n\d{4}-\S+ line 3\n$/)
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['logs', 'till', '-p', '-c', 'app'], /^skerry: previous terminated container "app" in pod "till" not found$/],
      [['logs', 'nobody'], /^skerry: this node has no pod nobody in namespace default: skerry pods lists/],
      [['logs', 'shop-till'], /add -n shop$/],
      [['logs', 'till', '-c', 'x'], /^skerry: pod till has no container x; it has app, side$/],
      [['logs', 'till', '--tail', 'x'], /"x" is no number of lines: write --tail 20$/],
      [['logs', 'till', '-o', 'json'], /leave out -o json$/],
      [['exec', 'till'], /skerry exec POD -- COMMAND$/],
    ]
    for (const [[command = '', ...args], wanted] of cases) {
      const { code, stderr } = await skerry(command, ...args)
      assert.equal(code, 1)
      assert.match(stderr.trim(), wanted)
    }
  })

  it('give their logs for as long as somebody follows, also when a container begins anew', async () => {
    const keep = { name: 'keep', mountPath: '/keep' }
    const app = {
      ...container('app', 'echo run; sleep 1; [ -e /keep/done ] || { touch /keep/done; exit 1; }'),
      volumeMounts: [keep],
    }
    bench.assign(
      pod('twice', { restartPolicy: 'OnFailure', containers: [app], volumes: [{ name: 'keep', emptyDir: {} }] }),
    )
    await bench.phase('default/twice', 'Running')
    const { stdout, code } = await skerry('logs', '-f', 'twice')
    assert.deepEqual([code, stdout], [0, 'run\nrun\n'])
  })

  it('are restarted, without the back-off of crashes, and it is said why one is not', async () => {
    const { code, stdout, stderr } = await skerry('restart', 'till')
    assert.deepEqual([code, stdout, stderr], [0, 'pod till is being restarted\n', ''])
    let shown = ''
    while (!/^till +2\/2 +Running +2 /m.test(shown)) shown = (await skerry('pods')).stdout.replace(/^default +/gm, '')
    const once = pod('once', { restartPolicy: 'Never', containers: [container('app', STAYS)] })
    bench.assign(once)
    await bench.phase('default/once', 'Running')
    const refused = await skerry('restart', 'once')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^skerry: pod once is not restarted: its restartPolicy is Never: delete it/)
    assert.match(
      (await skerry('restart', 'nobody')).stderr,
      /^skerry: this node has no pod nobody in namespace default/,
    )
    bench.unassign('default/once')
  })

  it('run commands with their input, output and exit code', async () => {
    const said = await skerry('exec', 'till', '-c', 'app', '--', 'sh', '-c', 'echo out; echo err >&2; exit 5')
    assert.deepEqual([said.code, said.stdout, said.stderr], [5, 'out\n', 'err\n'])
    const fed = await run(
      process.execPath,
      [launcher, 'exec', '--data', directory, '-i', 'till', '-c', 'app', '--', 'sh', '-c', 'wc -c'],
      {
        input: 'x'.repeat(300_000),
      },
    )
    assert.deepEqual([fed.stderr, fed.code, fed.stdout.trim()], ['', 0, '300000'])
    const missing = await skerry('exec', 'till', '-c', 'app', '--', 'no-such-program')
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /^skerry: .*"no-such-program": executable file not found in \$PATH: unknown\n$/)
  })

  it('are worked in on a terminal, which tells its size', async () => {
    const args = [launcher, 'exec', '--data', directory, '-it', 'till', '-c', 'app', '--', 'sh']
    const terminal = onTerminal(process.execPath, args)
    await terminal.until(/~ # /)
    terminal.type('stty size\r')
    await terminal.until(/^31 91\r?$/m)
    terminal.resize(77, 22)
    terminal.type('sleep 1; stty size\r')
    await terminal.until(/^22 77\r?$/m)
    // What is typed before it reads is the shell's.
    terminal.type("echo rea''dy; cat\r")
    await terminal.until(/^ready\r?$/m)
    terminal.type('echoed\r')
    await terminal.until(/echoed\s+echoed/)
    // The keys of a terminal are the command's.
    terminal.type('\u0003')
    await terminal.until(/\^C/)
    terminal.type('exit 9\r')
    assert.equal(await terminal.exitCode, 9)
  })
})

describe('the command line without an edge', () => {
  it('says what to start', async () => {
    const directory = temporaryFolder()
    const { code, stderr } = await run(process.execPath, [launcher, 'pods', '--data', directory])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^skerry: no edge runs in .*: start it with skerry up or skerry edge, or name another --data\n$/,
    )
    await writeEndpoints(directory, {})
    const off = await run(process.execPath, [launcher, 'logs', 'till', '--data', directory])
    assert.match(off.stderr, /^skerry: what runs in .* runs no pods: /)
  })

  it('says that the edge ended, where a log is cut off', async (t) => {
    const directory = temporaryFolder()
    const edged = join(directory, 'edged.sock')
    const items = [pod('till', { containers: [container('app', STAYS)] })]
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/pods') === true) response.end(JSON.stringify({ kind: 'PodList', items }))
      else response.write('line 1\n', () => response.destroy())
    }).listen(edged)
    t.after(() => server.close())
    await once(server, 'listening')
    await writeEndpoints(directory, { edged })
    const cut = await run(process.execPath, [launcher, 'logs', 'till', '--data', directory])
    assert.deepEqual([cut.code, cut.stdout], [1, 'line 1\n'])
    assert.equal(cut.stderr, 'skerry: the edge ended before the log did: run the command again when it is back\n')
  })
})
