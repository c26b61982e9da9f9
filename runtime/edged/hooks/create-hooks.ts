import { describeError, RefusedError, SkerryError } from '../../../platform/lifecycle/index.ts'
import { type Clock, minutes, seconds } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { HttpGet } from '../pod/schema/actions.ts'
import { isPlainAnswer } from '../reach/failure-text.ts'
import { httpGet } from '../reach/http-get.ts'
import type { Hooks, HookTarget } from './hooks.ts'

export interface HooksPorts {
  readonly runtime: Pick<ContainerRuntime, 'execSync'>
  readonly clock: Clock
}

/** A command of a hook has the time of its hook; the runtime wants an end nevertheless. */
const LONGEST_COMMAND = minutes(24 * 60)
const LONGEST_OUTPUT = 1024

/** As a kubelet runs them: an answer by HTTP is enough, whatever it says, and `tcpSocket` always fails. */
export function createHooks(ports: HooksPorts): Hooks {
  return {
    run(hook, target, signal) {
      if (hook.exec) return runCommand(hook.exec.command, target, ports, signal)
      if (hook.httpGet) return runHttp(hook.httpGet, target, signal)
      if (hook.sleep) return runSleep(hook.sleep.seconds, target, ports, signal)
      const what = hook.tcpSocket ? 'tcpSocket is not run in hooks' : 'it has no exec, httpGet or sleep'
      return Promise.reject(failed(`Cannot run handler: invalid handler: ${what}`))
    },
  }
}

async function runCommand(
  command: readonly string[],
  target: HookTarget,
  { runtime }: HooksPorts,
  signal: AbortSignal,
): Promise<void> {
  const failedWith = (text: string, output: string, cause?: unknown) =>
    failed(
      `Exec lifecycle hook ([${command.join(' ')}]) ${placeOf(target)} failed - error: ${text}, message: ${JSON.stringify(output)}`,
      cause,
    )
  const { stdout, stderr, exitCode } = await runtime
    .execSync(target.containerId, command, LONGEST_COMMAND, signal)
    .catch((error: unknown) => {
      throw failedWith(reasonOf(error, signal), '', error)
    })
  if (exitCode === 0) return
  const text = `command '${command.join(' ')}' exited with ${exitCode}: ${beginningOf(stderr)}`
  throw failedWith(text, beginningOf(Buffer.concat([stdout, stderr])))
}

async function runHttp(action: HttpGet, target: HookTarget, signal: AbortSignal): Promise<void> {
  const get = async (of: HttpGet) => {
    const answer = await httpGet(of, { ...target, as: 'kube-lifecycle' }, signal)
    answer.close()
  }
  try {
    await get(action).catch((error: unknown) => {
      if (!isAnsweredInTheClear(error)) throw error
      // Hooks were once never encrypted; what is secret stays here.
      const httpHeaders = action.httpHeaders.filter(({ name }) => name.toLowerCase() !== 'authorization')
      return get({ ...action, scheme: 'HTTP', httpHeaders })
    })
  } catch (error) {
    const text = reasonOf(error, signal)
    throw failed(`HTTP lifecycle hook (${action.path}) ${placeOf(target)} failed - error: ${text}`, error)
  }
}

async function runSleep(count: number, target: HookTarget, { clock }: HooksPorts, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(seconds(count), signal)
  } catch (error) {
    const text = 'container terminated before sleep hook finished'
    throw failed(`Sleep lifecycle hook (${count}) ${placeOf(target)} failed - error: ${text}`, error)
  }
}

function isAnsweredInTheClear(error: unknown): boolean {
  return error instanceof SkerryError && error.code === 'EDGED_HTTP_FAILED' && isPlainAnswer(error.cause)
}

function placeOf({ container, pod: { name, namespace, uid } }: HookTarget): string {
  return `for Container "${container.name}" in Pod "${name}_${namespace}(${uid})"`
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'context deadline exceeded'
  return error instanceof RefusedError ? error.message : describeError(error)
}

function beginningOf(output: Buffer): string {
  return output.subarray(0, LONGEST_OUTPUT).toString('utf8')
}

function failed(text: string, cause?: unknown): RefusedError {
  return new RefusedError(text, { code: 'EDGED_HOOK_FAILED', cause })
}
