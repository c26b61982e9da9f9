import type { Bus, EventBus } from '../../platform/bus/index.ts'
import type { Metrics } from '../../platform/health/index.ts'
import type { Module, Scope } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store } from '../../platform/store/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import { TWIN_LIMITS, type TwinLimits } from '../model/update.ts'
import { serveClients } from './ask.ts'
import { createCounters, followQueues } from './counters.ts'
import { followDevices } from './follow-devices.ts'
import { TwinKeeper } from './keeper.ts'
import { servePlainSets } from './plain-set.ts'
import { PlainView } from './plain-view.ts'
import { serveCloud } from './serve-cloud.ts'
import { serveReports } from './serve-reports.ts'
import { Showcase } from './showcase.ts'
import { loadTwins } from './twin-store.ts'
import { Voice } from './voice.ts'

export interface DeviceTwinOptions {
  /** With `twinStoreDomain` among its domains. */
  readonly store: Store
  readonly bus: Bus
  readonly eventBus: EventBus
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  readonly limits?: TwinLimits
}

/**
 * DeviceTwin: desired and reported of every device of this node, on disk before anybody is told. Serves MQTT clients and the
 * mapper host, follows the devices that the cloud has assigned, and works from its disk alone while there is no cloud.
 */
export function createDeviceTwinModule(options: DeviceTwinOptions): Module {
  const plainView = new PlainView(options.eventBus)
  return { name: 'DeviceTwin', start: (scope) => start(options, plainView, scope) }
}

async function start(options: DeviceTwinOptions, plainView: PlainView, scope: Scope): Promise<void> {
  const { store, bus, eventBus, nodeName, clock, random, log, metrics, limits = TWIN_LIMITS } = options
  const counters = createCounters(metrics)
  const voice = new Voice({ eventBus, nodeName, clock, random, log, unsent: counters.unsent })
  const showcase = new Showcase(bus)
  const keeper = new TwinKeeper({
    store,
    log,
    onCommitted(id, twin, before) {
      counters.commits.add(1, { outcome: 'stored' })
      showcase.show(id, twin)
      plainView.changed(before, twin)
    },
    onFailed: () => counters.commits.add(1, { outcome: 'failed' }),
    onRefused: () => counters.refused.add(),
  })
  const loaded = await loadTwins(store, (id) => {
    log.error('A twin on disk cannot be read; it begins anew when its device arrives', { device: id })
  })
  keeper.load(loaded)
  showcase.open(loaded)
  scope.use(plainView.open(keeper))
  for (const following of followQueues(metrics, keeper)) scope.use(following)
  // Releases run in reverse order: first nobody asks any more, then what was asked is finished.
  scope.defer(() => keeper.idle())
  for (const serving of serveReports({ bus, keeper, voice, limits, clock })) scope.use(serving)
  for (const serving of serveClients({ eventBus, keeper, voice, nodeName, limits, clock, log })) scope.use(serving)
  scope.use(serveCloud({ bus, keeper, voice, limits, clock, log, metrics }))
  scope.use(servePlainSets({ eventBus, keeper, voice, limits, clock, log }))
  followDevices({ bus, keeper, voice, clock, random, log, metrics }, scope)
  log.info('Twins loaded', { twins: loaded.length })
}
