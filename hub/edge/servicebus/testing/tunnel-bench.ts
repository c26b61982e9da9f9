import type { IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { silentLogger } from '../../../../platform/log/index.ts'
import { type Clock, seconds, systemClock } from '../../../../platform/time/index.ts'
import type { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { LocalServiceConfig } from '../../../../schemas/config/index.ts'
import { serveTunnel, type TunnelServer } from '../services/serve-tunnel.ts'
import { ServiceCalls, type ServiceLimits } from '../services/service-calls.ts'

const LIMITS = { maxConcurrent: 64, maxRequestBytes: 1_000_000, maxAnswerBytes: 1_000_000 }

export function serviceAt(port: number, over: Partial<LocalServiceConfig> = {}): LocalServiceConfig {
  const methods: LocalServiceConfig['methods'] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
  return { port, host: '127.0.0.1', paths: ['/'], methods, timeoutSeconds: 10, maxConcurrent: 16, ...over }
}

/** ServiceBus at the end of a tunnel. */
export function serve(
  t: TestContext,
  services: readonly LocalServiceConfig[],
  { clock = systemClock, ...limits }: Partial<ServiceLimits> & { readonly clock?: Clock } = {},
): TunnelServer {
  const calls = new ServiceCalls({ limits: { ...LIMITS, ...limits, services }, clock, log: silentLogger })
  const server = serveTunnel({ calls, clock, log: silentLogger })
  t.after(() => server[Symbol.dispose]())
  return server
}

export const codeOf = (answer: { readonly headers: NodeJS.Dict<string | string[]> }) => answer.headers['x-skerry-error']

export function endOf(response: IncomingMessage): Promise<'whole' | 'cut off'> {
  return new Promise((resolve) => {
    response.on('error', () => undefined)
    response.on('close', () => resolve(response.complete ? 'whole' : 'cut off'))
    response.resume()
  })
}

/** Virtual time goes on until something on real sockets is done. */
export async function advanceUntil(work: Promise<unknown>, clock: FakeClock, stepMs: number): Promise<void> {
  let isDone = false
  void work.finally(() => {
    isDone = true
  })
  while (!isDone) {
    await clock.advance(seconds(stepMs / 1000))
    for (let turns = 0; turns < 20; turns++) await turn()
  }
}
