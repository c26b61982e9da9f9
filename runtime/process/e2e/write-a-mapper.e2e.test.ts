import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { commandsOf } from '../testing/page.ts'
import { collect, run } from '../testing/run.ts'
import { launcher, type RunningUp, startUp, temporaryDirectory } from '../testing/up.ts'

/** A person who pastes the commands of the page one after the other. */
describe('the tutorial that writes a mapper', { skip: needs('kubectl', 'bash') }, () => {
  let folder: string
  let port: number
  let up: RunningUp | undefined
  const children: ChildProcess[] = []

  before(async () => {
    folder = temporaryDirectory()
    port = await freePort()
    await mkdir(join(folder, 'bin'))
    await writeFile(join(folder, 'bin', 'skerry'), `#!/bin/sh\nexec "${process.execPath}" "${launcher}" "$@"\n`)
    await chmod(join(folder, 'bin', 'skerry'), 0o755)
  })

  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await up?.stop()
  })

  it('ends with a device of its own mapper that is online, and takes a value', async () => {
    const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, HOME: folder }
    const place: string[] = []
    const outputs: string[] = []
    const seen: string[] = []
    for (const line of await commandsOf('docs/tutorials/write-a-mapper.md')) {
      const command = line.replaceAll('8100', String(port))
      const script = ['set -e', ...place, command].join('\n')
      if (command.startsWith('cd ') || command.startsWith('export ')) place.push(command)
      else if (command.startsWith('skerry up')) {
        const words = command.split(' ').slice(2)
        const mapper = join(folder, 'barn', 'barn-climate')
        const given = words.map((word) => (word === 'barn-climate' ? mapper : word))
        assert.ok(given.includes(mapper))
        up = await startUp(join(folder, 'barn', '.skerry'), ...given)
      } else if (command.startsWith('node ')) {
        const child = spawn('bash', ['-c', script.replace(command, `exec ${command}`)], {
          cwd: folder,
          env: { ...process.env, ...env },
        })
        children.push(child)
        await collect(child).waitFor(/answers on/)
      } else if (command.startsWith('skerry mapper dev')) {
        const child = spawn('bash', ['-c', script], { cwd: folder, env: { ...process.env, ...env }, stdio: 'pipe' })
        children.push(child)
        const output = collect(child)
        await output.waitFor(/barn-climate-1 is online/)
        await output.waitFor(/co2 +601/)
        child.stdin?.write('set limit 1200\n')
        await output.waitFor(/limit +written and read back: 1200/)
        const closed = once(child, 'close')
        child.stdin?.write('quit\n')
        await closed
        seen.push('dev')
      } else {
        const ran = await run('bash', ['-c', script], { env, cwd: folder, timeoutMs: 60_000 })
        assert.equal(ran.code, 0, `${command}\n${ran.stdout}${ran.stderr}`)
        outputs.push(ran.stdout)
        if (command.startsWith('skerry mapper new'))
          await usePort(join(folder, 'barn', 'barn-climate', 'device.yaml'), port)
      }
    }
    const all = outputs.join('')
    assert.deepEqual(seen, ['dev'])
    assert.match(all, /mapper barn-climate keeps the contract: 29 passed, 0 failed/)
    assert.match(all, /^barn-climate-1 +edge-1 +barn-climate +online/m)
    assert.match(all, /device\.devices\.kubeedge\.io\/barn-climate-1 condition met/)
    assert.match(outputs.at(-1) ?? '', /^601$/m)
  })
})

async function usePort(file: string, port: number): Promise<void> {
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('8100', String(port)))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}
