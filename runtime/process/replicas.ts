import { isIP } from 'node:net'
import type { RouterOptions } from '../../hub/cloud/index.ts'
import { environment } from '../../platform/environment/index.ts'
import { ConfigError } from '../../platform/lifecycle/index.ts'
import type { CloudConfig } from '../../schemas/config/index.ts'

/** What the Router is to do, beside others or alone. Throws ConfigError where others could not reach it. */
export function routerOptions({ router, cloudstream }: Pick<CloudConfig, 'router' | 'cloudstream'>): RouterOptions {
  const { replicas, ...options } = router
  if (!replicas.enabled) return options
  const { host } = router
  const address = cloudstream.kubelets.advertise ?? environment('POD_IP') ?? (isAny(host) ? undefined : host)
  if (address === undefined || isIP(address) === 0) {
    throw wrong(
      'other replicas cannot reach this one: set cloudstream.kubelets.advertise to the IP address of this host',
    )
  }
  if (isLoopback(host) && !isLoopback(address)) {
    throw wrong(`the Router listens on loopback alone, where other replicas cannot reach it: set router.host`)
  }
  return { ...options, replicas: { host, port: replicas.port, address } }
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1' || host === 'localhost'
}

function wrong(message: string): ConfigError {
  return new ConfigError(message, { code: 'PROCESS_REPLICAS_CONFIG', fields: { pointer: '/router/replicas' } })
}
