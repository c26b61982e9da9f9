import type { Bus, EventBus } from '../../platform/bus/index.ts'
import type { Metrics } from '../../platform/health/index.ts'
import type { Module, Scope } from '../../platform/lifecycle/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Store } from '../../platform/store/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import type { DeviceId, Twin } from '../../schemas/index.ts'
import { withConfirmations } from '../model/age.ts'
import { TWIN_LIMITS, type TwinLimits } from '../model/update.ts'
import { serveClients } from './ask.ts'
import { createCounters, followQueues, followTally } from './counters.ts'
import { Expiry } from './expiry.ts'
import { followDevices } from './follow-devices.ts'
import { TwinKeeper } from './keeper.ts'
import { servePlainSets } from './plain-set.ts'
import { PlainView } from './plain-view.ts'
import { serveCloud } from './serve-cloud.ts'
import { serveDesired } from './serve-desired.ts'
import { expireValues } from './serve-expiry.ts'
import { serveReports } from './serve-reports.ts'
import { Showcase } from './showcase.ts'
import { Tally } from './tally.ts'
import { loadFloor, loadTwins } from './twin-store.ts'
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
  const tally = new Tally()
  const follow = (id: DeviceId, twin: Twin | undefined) => {
    expiry.follow(id, twin)
    tally.follow(id, twin)
  }
  const expiry: Expiry = new Expiry(clock, (id, names) =>
    expireValues({ keeper, expiry, voice, expired: counters.expired, log }, id, names),
  )
  const keeper: TwinKeeper = new TwinKeeper({
    store,
    log,
    recorded: (twin) => withConfirmations(twin, (property) => expiry.confirmedAt(twin.id, property)),
    onCommitted(id, twin, before) {
      counters.commits.add(1, { outcome: 'stored' })
      follow(id, twin)
      showcase.show(id, twin)
      plainView.changed(before, twin)
    },
    onFailed: () => counters.commits.add(1, { outcome: 'failed' }),
    onRefused: () => counters.refused.add(),
  })
  const loaded = await loadTwins(store, (id) => {
    log.error('A twin on disk cannot be read; it begins anew when its device arrives', { device: id })
  })
  keeper.load(loaded, await loadFloor(store))
  showcase.open(loaded)
  for (const twin of loaded) follow(twin.id, twin)
  scope.use(plainView.open(keeper))
  for (const following of [...followQueues(metrics, keeper), ...followTally(metrics, tally)]) scope.use(following)
  // Releases run in reverse order: first nobody asks any more, then what was asked is finished.
  scope.defer(async () => {
    expiry[Symbol.dispose]()
    await keeper.idle()
    await keeper.record(expiry.watched).catch((error: unknown) => {
      log.warn('When values were confirmed last could not be stored; after the start they look older', { error })
    })
  })
  for (const serving of serveReports({ bus, keeper, expiry, voice, limits, clock })) scope.use(serving)
  for (const serving of serveClients({ eventBus, keeper, expiry, voice, nodeName, limits, clock, log }))
    scope.use(serving)
  scope.use(serveCloud({ bus, keeper, voice, limits, clock, log, metrics }))
  scope.use(servePlainSets({ eventBus, keeper, voice, limits, clock, log }))
  scope.use(serveDesired({ bus, keeper, voice, limits, clock, log }))
  followDevices({ bus, keeper, voice, clock, random, log, metrics }, scope)
  log.info('Twins loaded', { twins: loaded.length })
}
