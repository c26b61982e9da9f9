import type { Bus } from '../../../platform/bus/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import {
  type Frame,
  type HeldObject,
  type Json,
  type JsonObject,
  MODULES,
  OPERATIONS,
  parseResource,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import { isObject } from '../json.ts'
import { Departed } from './departed.ts'
import { isLater, metaChangeOf, metaKeyOf, supersedes } from './meta-change.ts'
import { type MetaRow, metaRow, putCall, removeCall } from './meta-store.ts'
import { META_LIMITS, type MetaLimits, MetaTable } from './meta-table.ts'
import { MetaView } from './meta-view.ts'
import { takeOver } from './owner.ts'
import { parseJson } from './parse-device.ts'
import { Refusals } from './refusals.ts'
import { Turns } from './turns.ts'

export interface MetaManagerPorts {
  readonly store: Store
  readonly bus: Bus
  readonly frames: FrameFactory
  readonly nodeName: string
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
  /** Default: META_LIMITS. */
  readonly limits?: MetaLimits
}

/** Who said it. */
export interface Sender {
  /**
   * A Skerry cloud sends the objects of a node in their order, so its latest word counts, also with a smaller resourceVersion: its
   * API may have gone back to a backup. An original cloud repeats itself, so a smaller one is taken for a repetition.
   */
  readonly isSkerry: boolean
}

/** Of an object that is being asked for: whether something else was learned of it meanwhile. */
export interface Expectation {
  readonly key: string
  isOvertaken: boolean
}

export interface MetaManager extends Module {
  /**
   * Takes a downstream frame and gives the reply for the cloud: the acknowledgement after the change is on disk, or an error.
   * Frames of one object are taken in their order; waits for the disk, never for a twin or a mapper. Default: of an original cloud.
   */
  receive(frame: Frame, sender?: Sender): Promise<Frame>
  /** Call before a query is sent, and `remember` with its answer. */
  expect(key: string): Expectation
  /** Keeps the object that answered a query, unless something newer was learned; settles when it is on disk. */
  remember(expected: Expectation, answer: Frame): Promise<void>
  /** The query has no answer to keep. */
  forgo(expected: Expectation): void
  /** The cloud does not know this object: it goes here, too. */
  drop(key: string, uid: string): Promise<void>
  /** An object as it is on disk. */
  stored(key: string): JsonObject | undefined
  /** Keys of all objects on disk. */
  keys(): readonly string[]
  /** Which object it is, and in which version. */
  held(key: string): HeldObject | undefined
  /** All of a type. */
  list(type: string): readonly JsonObject[]
  readonly size: { readonly count: number; readonly bytes: number }
  /** Changes since the start that could not be taken, by cause. */
  readonly refused: Readonly<Record<string, number>>
}

const ORIGINAL: Sender = { isSkerry: false }

/** The objects that the cloud has given this node, on disk; what others on the bus need of them is shown there. */
export function createMetaManager(ports: MetaManagerPorts): MetaManager {
  const { store, frames, log, metrics = silentMetrics, limits = META_LIMITS } = ports
  const table = new MetaTable(limits)
  const view = new MetaView(ports)
  const departed = new Departed(ports.clock)
  const turns = new Turns()
  const expected = new Map<string, Set<Expectation>>()
  const refusals = new Refusals({ bus: ports.bus, metrics })
  const gauge = (name: string, help: string, read: () => number) => metrics.gauge({ name, help }).follow(read)
  gauge('skerry_metamanager_objects', 'Objects stored.', () => table.size)
  gauge('skerry_metamanager_bytes', 'Bytes of them as JSON.', () => table.bytes)
  gauge('skerry_metamanager_waiting', 'Objects whose changes wait for the disk.', () => turns.size)

  const learned = (key: string) => {
    for (const each of expected.get(key) ?? []) each.isOvertaken = true
  }

  const put = async (row: MetaRow) => {
    await table.take(row, () => store.write([putCall(row)]))
    refusals.applied('stored')
    view.changed(row.key, row)
  }

  const remove = async (row: MetaRow) => {
    await store.write([removeCall(row.key)])
    table.delete(row.key)
    departed.note(row)
    refusals.applied('removed')
    view.changed(row.key, undefined)
  }

  const apply = async (frame: Frame, { isSkerry }: Sender): Promise<Frame> => {
    const change = metaChangeOf(frame)
    if (change.kind === 'bad') {
      refusals.note(frame.route.resource ?? '', 'refused')
      log.warn('A message of the cloud was not understood', { resource: frame.route.resource, reason: change.reason })
      return frames.refuse(frame, change.reason)
    }
    if (change.kind === 'put') {
      const { row, isNew } = change
      const present = table.get(row.key)
      learned(row.key)
      const isBelieved = isSkerry ? !isSame(present, row) : supersedes(present, row)
      if (isBelieved && (isNew || !departed.covers(row))) await put(row)
    } else if (change.kind === 'remove') {
      const present = table.get(change.key)
      learned(change.key)
      // A deletion of an earlier object of the same name does not touch the present one.
      if (present && (change.uid === '' || change.uid === present.uid)) await remove(present)
    }
    return frames.reply(frame, 'OK')
  }

  const forgo = (expectation: Expectation) => {
    const waiting = expected.get(expectation.key)
    waiting?.delete(expectation)
    if (waiting?.size === 0) expected.delete(expectation.key)
  }

  return {
    name: 'MetaManager',
    async start() {
      table.clear()
      await takeOver(ports.nodeName, store, log)
      const rows = (await store.read({ statement: 'meta.all', parameters: [] })).map(metaRow)
      const damaged = new Set(rows.filter((row) => !isObject(parseJson(row.value))))
      if (damaged.size > 0) await letGo([...damaged])
      for (const row of rows) if (!damaged.has(row)) table.set(row)
      view.list(table.rows())
    },
    async receive(frame, sender = ORIGINAL) {
      const path = parseResource(frame.route.resource)
      const key = path ? metaKeyOf(path) : (frame.route.resource ?? '')
      try {
        const reply = await turns.take(key, () => apply(frame, sender))
        refusals.settled(key)
        return reply
      } catch (error) {
        refusals.note(key, { error })
        log.error('A change from the cloud could not be stored', { resource: key, error })
        return frames.refuse(frame, describeError(error), { source: MODULES.metaManager })
      }
    },
    expect(key) {
      const made: Expectation = { key, isOvertaken: false }
      expected.set(key, (expected.get(key) ?? new Set()).add(made))
      return made
    },
    async remember(expectation, answer) {
      const { key } = expectation
      const change = metaChangeOf({ ...answer, route: { operation: OPERATIONS.insert, resource: key } })
      try {
        if (change.kind !== 'put') return
        await turns.take(key, async () => {
          const { row } = change
          const present = table.get(key)
          if (expectation.isOvertaken ? !isNewer(present, row) : isSame(present, row)) return
          await put(row)
        })
      } finally {
        forgo(expectation)
      }
    },
    forgo,
    drop: (key, uid) =>
      turns.take(key, async () => {
        const present = table.get(key)
        if (present?.uid !== uid) return
        learned(key)
        await remove(present)
      }),
    stored(key) {
      const row = table.get(key)
      return row && objectOf(row)
    },
    keys: () => [...table.rows()].map(({ key }) => key),
    held(key) {
      const row = table.get(key)
      return row && { resource: key, uid: row.uid, version: row.resourceVersion }
    },
    list(type) {
      return [...table.rows()].filter((row) => row.type === type).map((row) => objectOf(row) ?? {})
    },
    get size() {
      return { count: table.size, bytes: table.bytes }
    },
    get refused() {
      return refusals.counts
    },
  }

  /** The cloud believes that these are here. As another database, this one is given everything again. */
  async function letGo(damaged: readonly MetaRow[]): Promise<void> {
    const resources = damaged.map(({ key }) => key)
    log.error('Objects on disk cannot be read; the cloud is asked for everything again', { resources })
    const calls = [...resources.map(removeCall), { statement: 'meta.forgetFact', parameters: ['epoch'] }]
    await store.write(calls).catch((error: unknown) => log.error('They could not be removed', { error }))
  }
}

function objectOf({ value }: MetaRow): JsonObject | undefined {
  const object: Json | undefined = parseJson(value)
  return isObject(object) ? object : undefined
}

function isSame(present: MetaRow | undefined, { uid, resourceVersion, value }: MetaRow): boolean {
  return present?.uid === uid && present.resourceVersion === resourceVersion && present.value === value
}

/** An answer that was overtaken counts only where it is later than what overtook it. */
function isNewer(present: MetaRow | undefined, row: MetaRow): boolean {
  return present !== undefined && isLater(row.resourceVersion, present.resourceVersion) === true
}
