import { connect } from 'node:net'
import { describeError, RefusedError, SkerryError } from '../../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, type Duration, seconds, withDeadline } from '../../../platform/time/index.ts'
import { KUBERNETES_VERSION } from '../../../schemas/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import type { HttpGet, Probe } from '../pod/schema/actions.ts'
import { hostAndPort, hostOf, portOf } from '../reach/address.ts'
import { failureText } from '../reach/failure-text.ts'
import { type HttpAnswer, httpGet, httpUrl } from '../reach/http-get.ts'
import { UNIMPLEMENTED, withHealthServer } from './grpc-health.ts'
import type { ProbeTarget } from './prober.ts'
import { failure, success, type Verdict } from './verdict.ts'

export interface AskPorts {
  readonly runtime: Pick<ContainerRuntime, 'execSync'>
  readonly clock: Clock
}

type Asked = Pick<ProbeTarget, 'container' | 'containerId' | 'podIp'>

/** Of what a command wrote, as much as people are shown of an answer. */
const LONGEST_OUTPUT = 10 * 1024

/** Asks a container once, within the probe's time. Rejects only with the reason of the signal. */
export async function askContainer(probe: Probe, of: Asked, ports: AskPorts, signal: AbortSignal): Promise<Verdict> {
  try {
    return await question(probe, of, ports, signal)
  } catch (error) {
    signal.throwIfAborted()
    return { result: 'unknown', text: error instanceof RefusedError ? error.message : describeError(error) }
  }
}

function question(probe: Probe, of: Asked, ports: AskPorts, signal: AbortSignal): Promise<Verdict> {
  const { exec, httpGet: http, tcpSocket, grpc } = probe
  const within = { clock: ports.clock, timeout: seconds(probe.timeoutSeconds), signal }
  if (exec) return askByCommand(exec.command, of, ports, within)
  if (http) return askByHttp(http, of, within)
  if (tcpSocket) return askByTcp(hostOf(tcpSocket.host, of.podIp), portOf(tcpSocket.port, of.container), within)
  if (grpc) return askByGrpc(hostAndPort(hostOf(undefined, of.podIp), grpc.port), grpc.service, within)
  return Promise.resolve({
    result: 'unknown',
    text: 'missing probe handler: the probe has no exec, httpGet, tcpSocket or grpc',
  })
}

interface Within {
  readonly clock: Clock
  readonly timeout: Duration
  readonly signal: AbortSignal
}

async function askByCommand(command: readonly string[], of: Asked, ports: AskPorts, within: Within): Promise<Verdict> {
  const { timeout, signal } = within
  try {
    const { stdout, stderr, exitCode } = await ports.runtime.execSync(of.containerId, command, timeout, signal)
    if (exitCode === 0) return success
    return failure(Buffer.concat([stdout, stderr]).subarray(0, LONGEST_OUTPUT).toString('utf8'))
  } catch (error) {
    if (!(error instanceof SkerryError) || error.code !== 'EDGED_EXEC_TIMEOUT') throw error
    return failure(`command timed out: "${command.join(' ')}" timed out after ${spoken(timeout)}`)
  }
}

async function askByHttp(action: HttpGet, of: Asked, { clock, timeout, signal }: Within): Promise<Verdict> {
  const url = httpUrl(action, of)
  let late = 'Client.Timeout exceeded while awaiting headers'
  const exchange = async (limited: AbortSignal): Promise<Verdict> => {
    const answer = await httpGet(action, { ...of, as: 'kube-probe' }, limited)
    late = 'Client.Timeout or context cancellation while reading body'
    return judge(answer)
  }
  try {
    return await withDeadline(clock, timeout, signal, exchange)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeadlineError) return failure(`Get "${url}": context deadline exceeded (${late})`)
    if (error instanceof SkerryError && error.code === 'EDGED_HTTP_FAILED') return failure(error.message)
    throw error
  }
}

async function judge(answer: HttpAnswer): Promise<Verdict> {
  const { status } = answer
  const body = await answer.text()
  if (status >= 200 && status < 300) return success
  if (status >= 300 && status < 400) {
    return { result: 'warning', text: `Probe terminated redirects, Response body: ${body}` }
  }
  // Not its body, which may hold what is nobody's business.
  return failure(`HTTP probe failed with statuscode: ${status}`)
}

async function askByTcp(host: string, port: number, { clock, timeout, signal }: Within): Promise<Verdict> {
  const socket = connect({ host, port })
  try {
    await withDeadline(clock, timeout, signal, () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      socket.once('connect', resolve)
      socket.on('error', reject)
      return promise
    })
    return success
  } catch (error) {
    signal.throwIfAborted()
    return failure(failureText(error, hostAndPort(host, port)))
  } finally {
    socket.destroy()
  }
}

async function askByGrpc(address: string, service: string, { clock, timeout, signal }: Within): Promise<Verdict> {
  const userAgent = `kube-probe/${KUBERNETES_VERSION.major}.${KUBERNETES_VERSION.minor}`
  let isConnected = false
  const exchange = (limited: AbortSignal) =>
    withHealthServer(address, userAgent, limited, async (server) => {
      await server.connect()
      isConnected = true
      return await server.check(service)
    })
  try {
    const status = await withDeadline(clock, timeout, signal, exchange)
    return status === 'SERVING' ? success : failure(`service unhealthy (responded with "${status}")`)
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof DeadlineError)) return failure(grpcText(error))
    const time = spoken(timeout)
    if (isConnected) return failure(`timeout: health rpc did not complete within ${time}`)
    return failure(`timeout: failed to connect service "${address}" within ${time}: context deadline exceeded`)
  }
}

function grpcText(error: unknown): string {
  const detail = error instanceof Error && 'details' in error ? String(error.details) : describeError(error)
  return error instanceof Error && 'code' in error && error.code === UNIMPLEMENTED
    ? `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${detail}`
    : `error: health rpc probe failed: ${detail}`
}

/** `5s`. */
function spoken({ milliseconds }: Duration): string {
  return `${milliseconds / 1000}s`
}
