import { BugError, ConfigError, describeError, type Module, type Scope } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import { Backoff, type Clock, minutes, ms, type Random, seconds } from '../../../platform/time/index.ts'
import { detailOfError, type Kubernetes } from '../kubernetes/index.ts'
import type { CloudAuthority } from './cloud-authority.ts'
import { type AuthorityOptions, openAuthority } from './open-authority.ts'

/** Where later modules find the authority. */
export interface AuthorityHolder {
  /** Throws BugError before the start of the authority's module. */
  readonly current: CloudAuthority
}

export interface AuthorityModule extends Module, AuthorityHolder {
  /** Of the CA; nothing before the start. */
  readonly caPem: string | undefined
}

export interface AuthorityPorts {
  readonly kubernetes: Kubernetes
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Opens the CA, the token key and the serving certificate. Its start waits until the Kubernetes API gives or takes them. */
export function createAuthorityModule(options: AuthorityOptions, ports: AuthorityPorts): AuthorityModule {
  let authority: CloudAuthority | undefined
  return {
    name: 'Authority',
    get caPem() {
      return authority?.caPem
    },
    get current() {
      if (authority) return authority
      throw new BugError('the authority was asked for before its start', { code: 'HUB_AUTHORITY_NOT_STARTED' })
    },
    async start(scope) {
      authority = await openPatiently(options, ports, scope)
      ports.log.info('Authority is open', { caHash: authority.caHash })
      const opened = authority
      scope.run((signal) => keepServing(opened, ports, signal))
    },
  }
}

/** Often enough for a clock that jumps and for what another replica has renewed. */
const LOOK_EVERY = minutes(60)

async function keepServing(
  authority: CloudAuthority,
  { clock, log }: AuthorityPorts,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(LOOK_EVERY, signal)
    try {
      if (await authority.refreshServing(signal)) log.info('Serving certificate renewed')
    } catch (error) {
      signal.throwIfAborted()
      log.warn('The serving certificate could not be looked after; trying again', { error: describeError(error) })
    }
  }
}

async function openPatiently(options: AuthorityOptions, ports: AuthorityPorts, scope: Scope): Promise<CloudAuthority> {
  const { clock, random, log } = ports
  const said = boundedLogger(log, { clock, most: 3 })
  const backoff = new Backoff({ first: ms(100), most: seconds(10) }, random)
  for (;;) {
    try {
      return await openAuthority(options, ports, scope.signal)
    } catch (error) {
      scope.signal.throwIfAborted()
      // A CA that cannot be used is told; an API that refuses, or does not know the cloud half yet, is set right by somebody.
      if (error instanceof ConfigError && backoff.failures >= 8) throw error
      const detail = detailOfError(error)
      const why = `${describeError(error)}${detail === '' ? '' : `: ${detail}`}`
      scope.pending(`the Kubernetes API, for the CA (${why})`)
      said.warn('The CA cannot be opened yet', { error: why })
      await clock.sleep(backoff.next(), scope.signal)
    } finally {
      scope.pending(undefined)
    }
  }
}
