import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../../../schemas/index.ts'
import { startContainerd, TEST_IMAGE, type TestContainerd } from '../../edged/testing/containerd.ts'
import { unmountIn } from '../../edged/testing/power-off.ts'
import { type Ran, run } from './run.ts'
import { type RunningUp, startUp, temporaryDirectory } from './up.ts'

/** A `skerry up` whose node has a containerd, with kubectl as its operators use it. */
export interface PodsUp extends AsyncDisposable {
  readonly up: RunningUp
  readonly containerd: TestContainerd
  /** Folder of static pods. */
  readonly files: string
  apply(...objects: readonly JsonObject[]): Promise<void>
  /** Standard output of a kubectl that has to succeed. */
  kubectl(...args: readonly string[]): Promise<string>
  /** What kubectl prints, and how it ends. */
  tried(...args: readonly string[]): Promise<Ran>
  /** `kubectl wait` for a condition, or for the value of a path. */
  wait(object: string, ...wanted: readonly string[]): Promise<void>
}

/** On a machine that does ten other things; nothing waits so long when all is well. */
const PATIENCE = '60s'

export async function startPodsUp(subnet: string): Promise<PodsUp> {
  const directory = temporaryDirectory()
  const files = join(directory, 'static-pods')
  await mkdir(files)
  const containerd = await startContainerd({ subnet })
  const edged = { runtime: containerd.socket, staticPods: files }
  await writeFile(join(directory, 'config.yaml'), JSON.stringify({ edged }))
  const up = await startUp(directory, '--no-samples').catch(async (error: unknown) => {
    await containerd[Symbol.asyncDispose]()
    throw error
  })
  const kubectl = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await up.kubectl(...args)
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}${stdout}`)
    return stdout
  }
  return {
    ...{ up, containerd, files, kubectl, tried: up.kubectl },
    async apply(...items) {
      const env = { KUBECONFIG: up.endpoints.kubeconfig ?? '', HOME: directory }
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
      const { code, stderr } = await run('kubectl', ['apply', '-f', '-'], { env, input })
      assert.equal(code, 0, stderr)
    },
    async wait(object, ...wanted) {
      for (const each of wanted) {
        const ran = await up.kubectl('wait', object, `--for=${each}`, `--timeout=${PATIENCE}`)
        if (ran.code !== 0) assert.fail(`${object}: ${each}: ${ran.stderr}\n${await told(up, object)}`)
      }
    },
    async [Symbol.asyncDispose]() {
      await up.stop()
      await containerd[Symbol.asyncDispose]()
      // Tokens of pods are in memory; they stay where their node stopped before its pods.
      await unmountIn([directory])
    },
  }
}

async function told(up: RunningUp, object: string): Promise<string> {
  const [described, all] = await Promise.all([up.kubectl('describe', object), up.kubectl('get', 'pods', '-A')])
  return `${described.stdout}\n${all.stdout}`
}

/** A manifest, as short as it can be said. */
export function pod(name: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  const whole = { terminationGracePeriodSeconds: 1, ...spec }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: whole }
}

/** A container that runs a script of busybox, and ends when it is asked to. */
export function shell(name: string, script: string, more: JsonObject = {}): JsonObject {
  return { name, image: TEST_IMAGE, command: ['sh', '-c', `trap 'exit 0' TERM; ${script}`], ...more }
}

export const STAYS = 'while :; do sleep 1 & wait $!; done'
