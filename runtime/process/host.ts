import { join } from 'node:path'
import { lockDirectory, removeFile } from '../../platform/files/index.ts'
import { createMetrics, type Metrics, serveHealth } from '../../platform/health/index.ts'
import { type ControlRoutes, serveControl } from '../../platform/http/index.ts'
import {
  createModuleBoard,
  describeError,
  type ModuleEntry,
  type ModuleState,
  runModules,
} from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import { seconds, systemClock, systemRandom } from '../../platform/time/index.ts'
import type { Endpoints } from '../../schemas/config/index.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { ENDPOINTS_FILE, writeEndpoints } from './endpoints.ts'
import { EXIT } from './exit.ts'
import { type LoggingConfig, openLogger } from './logging.ts'
import { settleHeap } from './settle-heap.ts'
import { stopSignal } from './signals.ts'
import type { LinksReport, StatusReport } from './status/report.ts'
import type { Console } from './terminal.ts'
import { version } from './version.ts'

/** What a composition root hands to the process that runs it. */
export interface Composition extends AsyncDisposable {
  readonly modules: readonly ModuleEntry[]
  /** Asked once all modules serve. */
  endpoints(): Endpoints
  readonly routes?: ControlRoutes
  /** For /readyz, where ready modules are not enough. */
  isServing?(): boolean
  /** For `skerry status`. */
  links?(): LinksReport
}

/** What every composition root stands on. */
export interface Ground {
  readonly directory: string
  readonly log: Logger
  readonly metrics: Metrics
  /** How the modules of this process are just now. */
  readonly states: () => readonly ModuleState[]
}

export interface HostOptions {
  readonly name: 'cloud' | 'edge'
  readonly directory: string
  readonly log: LoggingConfig
  readonly metrics: { readonly host: string; readonly port: number }
  readonly compose: (ground: Ground) => Promise<Composition>
  readonly terminal: Console
}

/** Time for a clean stop; after it the process ends anyway. */
const GRACE = seconds(30)

/**
 * The life of one half: lock the data directory, start the modules in order, say where they are, wait for a signal or a
 * crash, stop in reverse. Answers the exit code.
 */
export async function hostProcess(options: HostOptions): Promise<number> {
  const { name, directory } = options
  await prepareDataDirectory(directory)
  await using _lock = await lockDirectory(directory)
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const log = (await openLogger(options.log, options.terminal)).child({ process: name })
  const metrics = createMetrics()
  const board = createModuleBoard(systemClock)
  const startedMs = systemClock.now()
  let isServing = () => true
  const health = await serveHealth({
    ...{ ...options.metrics, metrics, log },
    states: () => board.states(),
    ready: () => board.ready() && isServing(),
  })
  await using _health = health
  await using composition = await options.compose({ directory, log, metrics, states: () => board.states() })
  isServing = () => composition.isServing?.() ?? true
  const report = (): StatusReport => {
    const state = board.ready() ? 'ready' : 'starting'
    const modules = board.states().map((module) => ({ ...module }))
    const own = { name, state, sinceMs: startedMs, pid: process.pid, modules }
    return { version, processes: [{ ...own, ...composition.links?.() }] }
  }
  const routes = { 'GET /status': async () => report(), ...composition.routes }
  await using _control = await serveControl({ dir: directory, routes, log })
  await using running = await runModules(composition.modules, {
    clock: systemClock,
    random: systemRandom,
    log,
    grace: GRACE,
    signal,
    board,
  })
  const endpoints: Endpoints = { ...composition.endpoints(), metrics: { [name]: health.url } }
  await writeEndpoints(directory, endpoints)
  process.send?.({ ready: endpoints })
  log.info('Ready', { endpoints })
  settleHeap()
  const reason = await running.ended
  await removeFile(join(directory, ENDPOINTS_FILE))
  if (reason === undefined) {
    log.info('Stopped')
    return EXIT.ok
  }
  log.error('Stopped because of an error', { error: reason })
  options.terminal.error(`skerry ${name}: ${describeError(reason)}`)
  return reason.code === 'PLATFORM_STOP_UNCLEAN' ? EXIT.unclean : EXIT.failure
}
