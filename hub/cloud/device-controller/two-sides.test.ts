import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { ms } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import {
  type AssignedDevice,
  type Conflict,
  type Device,
  type DeviceModel,
  type DeviceProperty,
  desiredPolicies,
  type Twin,
  type TwinProperty,
} from '../../../schemas/index.ts'
import { errorOfStatus } from '../kubernetes/errors.ts'
import { DEVICES, EVENTS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type CloudHarness, pumpDevice, pumpModel, startCloud } from '../testing/harness.ts'
import { condition, PUMP } from '../testing/pump.ts'
import { type Carrying, SimulatedEdge } from '../testing/simulated-edge.ts'

const PROPERTIES = ['speed', 'level'] as const
const MODEL: DeviceModel = pumpModel(PROPERTIES.map((name) => ({ name, type: 'INT', accessMode: 'ReadWrite' })))
const ALL: Carrying = { count: 99, isTwice: false, isReversed: false }

type Deed = (world: World) => Promise<void> | void

/** Cloud and edge with everything between them, and a witness of who could know what. */
class World {
  readonly clock = new FakeClock()
  readonly kubernetes = new FakeKubernetes()
  readonly edge: SimulatedEdge
  cloud: CloudHarness | undefined
  /** Wish of each property that the Device showed when a generation of it was made, as text. */
  readonly #shown = new Map<string, string>()
  /** Conflicts that arose, by id, and the property of each. */
  readonly arisen = new Map<string, string>()
  /** Names of the conflict Events that the API took. */
  readonly told: string[] = []
  /** An edit that comes just before the next status is written; the watch shows both late. */
  race: (() => Promise<void>) | undefined
  #showWatch: () => void = () => undefined
  #watched: Promise<void> = Promise.resolve()
  /** The write with which the cloud dies, counted down: after it the API hears nothing of this cloud. */
  death: { writes: number; readonly isWritten: boolean } | undefined

  constructor(skew: number) {
    const now = () => this.clock.now() + skew
    const onAdopted = (before: Twin | undefined, after: Twin, assigned: AssignedDevice) =>
      this.#witness(before, after, assigned)
    this.edge = new SimulatedEdge({ now, onAdopted })
    this.#standBetween()
  }

  /** Between the cloud and its API: the death of the one, races, and a watch that comes late. */
  #standBetween(): void {
    const { kubernetes } = this
    const [create, patch] = [kubernetes.create.bind(kubernetes), kubernetes.patch.bind(kubernetes)]
    const [replace, remove] = [kubernetes.replace.bind(kubernetes), kubernetes.delete.bind(kubernetes)]
    const watch = kubernetes.watch.bind(kubernetes)
    kubernetes.create = (type, namespace, object) =>
      this.#mortal(async () => {
        const made = await create(type, namespace, object)
        const isConflict = type.kind === 'Event' && Reflect.get(object, 'reason') === 'DesiredConflict'
        if (isConflict) this.told.push(made.metadata.name)
        return made
      })
    kubernetes.patch = (type, at, body, options) =>
      this.#mortal(async () => {
        const { race } = this
        if (race && type.kind === 'Device' && options.subresource === 'status') {
          this.race = undefined
          const { promise, resolve } = Promise.withResolvers<void>()
          this.#watched = promise
          this.#showWatch = resolve
          this.clock.after(ms(50), resolve)
          await race()
        }
        return patch(type, at, body, options)
      })
    kubernetes.replace = (...call) => this.#mortal(() => replace(...call))
    kubernetes.delete = (...call) => this.#mortal(() => remove(...call))
    kubernetes.watch = (...call) => heldBack(watch(...call), () => this.#watched)
  }

  async #mortal<T>(write: () => Promise<T>): Promise<T> {
    const { death } = this
    if (!death || --death.writes > 0) return write()
    if (death.writes === 0 && death.isWritten) await write()
    throw errorOfStatus(503, {}, {})
  }

  /** The cloud dies with one of its next writes, which the API may have taken or not; what it has said by then may arrive. */
  async die(writes: number, isWritten: boolean, isHeard: boolean): Promise<void> {
    if (!this.cloud) return
    this.death = { writes, isWritten }
    this.edge.carryUp(ALL)
    await this.pass(300)
    if (isHeard) this.edge.carryDown(ALL)
    await this.stopCloud()
    this.death = undefined
  }

  async begin(): Promise<void> {
    await this.startCloud()
    await this.cloud?.apply(MODEL)
    await this.cloud?.apply({ ...pumpDevice(), spec: { ...pumpDevice().spec, properties: [...PROPERTIES].map(named) } })
  }

  async startCloud(): Promise<void> {
    this.cloud ??= await startCloud(this.kubernetes, this.clock)
  }

  async stopCloud(): Promise<void> {
    const { cloud } = this
    this.cloud = undefined
    this.edge.cut()
    this.#showWatch()
    await cloud?.stop()
  }

  link(isUp: boolean): void {
    if (!isUp) this.edge.cut()
    else if (this.cloud && !this.edge.isConnected) this.edge.connect(this.cloud.hub)
  }

  async device(): Promise<Device> {
    const device = await this.kubernetes.get(DEVICES, PUMP)
    assert.ok(device)
    return device
  }

  async edit(name: string, value: string | undefined): Promise<void> {
    const { spec } = await this.device()
    const properties = (spec.properties ?? []).map((property): DeviceProperty => {
      if (property.name !== name) return property
      return value === undefined ? { name } : { name, desired: { value } }
    })
    await this.#patch({ spec: { properties } })
    const { metadata, status } = await this.device()
    for (const each of PROPERTIES) {
      const twin = status?.twins?.find(({ propertyName }) => propertyName === each)
      const { origin, edge, timestamp } = twin?.observedDesired?.metadata ?? {}
      const key = `${each}/${metadata.generation}`
      if (!this.#shown.has(key)) this.#shown.set(key, origin === 'edge' ? `${edge}.${timestamp}` : '')
    }
  }

  annotate(policy: string): Promise<void> {
    return this.#patch({ metadata: { annotations: { 'skerry.dev/desired-policy': policy } } })
  }

  /** A person tries again while the API is in trouble. */
  async #patch(body: object): Promise<void> {
    for (let attempts = 0; ; attempts++) {
      try {
        await this.kubernetes.patch(DEVICES, PUMP, body, { type: 'merge' })
        return
      } catch (error) {
        if (attempts > 50) throw error
      }
    }
  }

  async pass(milliseconds: number): Promise<void> {
    this.edge.keepAlive()
    await this.clock.advance(ms(milliseconds))
  }

  /** Everything works again, for as long as it takes. */
  async heal(): Promise<void> {
    await this.startCloud()
    for (let rests = 0, rounds = 0; rests < 3; rounds++) {
      assert.ok(rounds < 100, 'it comes to rest')
      this.link(true)
      for (let turns = 0; turns < 4; turns++) {
        this.edge.carryDown(ALL)
        this.edge.adopt()
        this.edge.report()
        this.edge.carryUp(ALL)
        await this.pass(600)
      }
      // Longer than the longest pause of anybody who tries again.
      if (!this.edge.isAtRest) for (let waits = 0; waits < 4; waits++) await this.pass(20_000)
      rests = this.edge.isAtRest ? rests + 1 : 0
    }
  }

  /** The rule, told once more from outside. */
  #witness(before: Twin | undefined, after: Twin, { device, model }: AssignedDevice): void {
    for (const [name, now] of Object.entries(after.properties)) {
      const old = before?.properties[name]
      const wish = old?.desired
      const isNew = now.conflict !== undefined && !idsOf(old).includes(now.conflict.id)
      if (now.conflict && isNew) this.arisen.set(now.conflict.id, name)
      if (!old || !wish || wish.origin !== 'edge' || !now.intent || now.intent.value === wish.value) {
        assert.ok(!isNew, 'no conflict without a wish of the edge that means something else')
        continue
      }
      if (old.intent?.value === now.intent.value && old.intent.generation === now.intent.generation) {
        assert.deepEqual(now.desired, wish)
        continue
      }
      const knew = this.#shown.get(`${name}/${now.intent.generation}`) === `${wish.version.edge}.${wish.timestamp}`
      assert.equal(isNew, !knew, 'a conflict is a wish that the author of the intent could not see')
      const { conflict } = now
      if (conflict && isNew) {
        const { winner, cloud, edge } = conflict
        assert.deepEqual(edge, { value: wish.value, timestamp: wish.timestamp, author: wish.author })
        assert.equal(cloud.value, now.intent.value)
        const policy = desiredPolicies(device, model)(name)
        const newest = edge.timestamp > cloud.timestamp ? 'edge' : 'cloud'
        assert.equal(winner, policy === 'NewestIntent' ? newest : policy === 'EdgeWins' ? 'edge' : 'cloud')
      }
      if (conflict && isNew && conflict.winner === 'edge') assert.deepEqual(now.desired, wish)
      else assert.deepEqual([now.desired?.origin, now.desired?.value], ['cloud', now.intent.value])
    }
  }
}

async function* heldBack<T>(events: AsyncIterable<T>, until: () => Promise<void>): AsyncGenerator<T> {
  for await (const event of events) {
    await until()
    yield event
  }
}

function named(name: string): DeviceProperty {
  return { name }
}

function idsOf(property: TwinProperty | undefined): readonly string[] {
  return conflictsOf(property).map(({ id }) => id)
}

function conflictsOf(property: TwinProperty | undefined): readonly Conflict[] {
  return [...(property?.pastConflicts ?? []), ...(property?.conflict ? [property.conflict] : [])]
}

const property = fc.constantFrom(...PROPERTIES)
const value = fc.constantFrom('10', '20', '30')
const carrying = fc.record({ count: fc.constantFrom(1, 2, 99), isTwice: fc.boolean(), isReversed: fc.boolean() })

/** Shown in a counterexample by what it does. */
function deed<T>(
  weight: number,
  what: string,
  given: fc.Arbitrary<T>,
  act: (world: World, given: T) => Promise<void> | void,
) {
  const arbitrary = given.map((each) =>
    Object.assign((world: World) => act(world, each), { [fc.toStringMethod]: () => `${what} ${fc.stringify(each)}` }),
  )
  return { weight, arbitrary }
}
const nothing = fc.constant(undefined)

const edit = fc.tuple(property, fc.option(value, { freq: 6, nil: undefined }))
const wish = fc.tuple(property, value, fc.constantFrom('mqtt:panel', 'mqtt:rule'))
const policy = fc.constantFrom('CloudWins', 'EdgeWins', 'NewestIntent', 'speed=EdgeWins, *=CloudWins', 'speed=,')
const dying = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.boolean(), fc.boolean())
const failing = fc.tuple(fc.constantFrom('PATCH devices ', 'POST events', 'PATCH devicestatuses'), fc.nat(3))

const deeds: fc.Arbitrary<Deed> = fc.oneof(
  deed(5, 'edit', edit, (world, [name, text]) => world.edit(name, text)),
  deed(
    2,
    'wish, and an edit in a race with its report',
    fc.tuple(wish, value),
    async (world, [[name, text, author], other]) => {
      const { edge } = world
      world.race = () => world.edit(name, other)
      edge.carryUp(ALL)
      edge.carryDown(ALL)
      edge.wish(name, text, author)
      edge.report()
      edge.carryUp(ALL)
      await world.pass(300)
    },
  ),
  deed(6, 'wish', wish, ({ edge }, [name, text, author]) => {
    const twin = edge.wish(name, text, author)
    if (twin) assert.equal(twin.properties[name]?.desired?.value, text, 'honoured at once')
  }),
  deed(1, 'annotate', policy, (world, text) => world.annotate(text)),
  deed(5, 'carry down', carrying, ({ edge }, how) => edge.carryDown(how)),
  deed(5, 'carry up', carrying, ({ edge }, how) => edge.carryUp(how)),
  deed(4, 'adopt', nothing, ({ edge }) => edge.adopt()),
  deed(4, 'report', nothing, ({ edge }) => edge.report()),
  deed(4, 'link', nothing, (world) => world.link(true)),
  deed(2, 'cut', nothing, (world) => world.link(false)),
  deed(1, 'restart edge', nothing, ({ edge }) => edge.restart()),
  deed(1, 'stop cloud', nothing, (world) => world.stopCloud()),
  deed(2, 'kill cloud', dying, (world, [writes, isWritten, isHeard]) => world.die(writes, isWritten, isHeard)),
  deed(3, 'start cloud', nothing, (world) => world.startCloud()),
  deed(1, 'fail', failing, ({ kubernetes }, [call, times]) => kubernetes.fail(call, 503, times)),
  deed(4, 'pass', fc.constantFrom(1, 60, 300, 6000), (world, milliseconds) => world.pass(milliseconds)),
  deed(1, 'jump', fc.integer({ min: -60_000, max: 60_000 }), ({ clock }, jump) => clock.jump(ms(jump))),
)

test('however edits, losses, repetitions and restarts interleave: both sides end alike, and each conflict is told once', async () => {
  const history = fc.array(deeds, { minLength: 20, maxLength: 60, size: 'max' })
  const skew = fc.constantFrom(0, -3000, 3000)
  let conflicts = 0
  await fc.assert(
    fc.asyncProperty(history, skew, async (todo, edgeSkew) => {
      const world = new World(edgeSkew)
      await world.begin()
      await world.heal()
      for (const deed of todo) {
        await deed(world)
        await world.clock.advance(ms(0))
      }
      await world.heal()
      await compare(world)
      const { intents } = (await world.device()).status ?? {}
      conflicts += world.arisen.size
      // Whoever starts later repeats nothing, even where the API has forgotten its Events.
      for (const event of (await world.kubernetes.list(EVENTS, {})).items) {
        await world.kubernetes.delete(EVENTS, { namespace: 'default', name: event.metadata.name })
      }
      await world.stopCloud()
      world.edge.restart()
      await world.heal()
      await compare(world)
      assert.deepEqual((await world.device()).status?.intents, intents, 'nothing is dated anew')
      await world.stopCloud()
    }),
    { numRuns: 100 },
  )
  assert.ok(conflicts > 20, `only ${conflicts} conflicts arose: the test looks at nothing`)
})

async function compare(world: World): Promise<void> {
  const { edge, arisen, told } = world
  const device = await world.device()
  for (const [name, { desired, intent }] of Object.entries(edge.twin?.properties ?? {})) {
    const shown = device.status?.twins?.find(({ propertyName }) => propertyName === name)?.observedDesired
    const { origin, author, timestamp } = shown?.metadata ?? {}
    const seen = shown && { value: shown.value, origin, author, timestamp: Number(timestamp) }
    const { value, origin: from, author: by, timestamp: at } = desired ?? {}
    assert.deepEqual(seen, desired && { value, origin: from, author: by, timestamp: at }, `${name} is alike`)
    const wanted = device.spec.properties?.find((each) => each.name === name)?.desired?.value
    const known = device.status?.intents?.find(({ propertyName }) => propertyName === name)
    assert.equal(known?.value, wanted)
    assert.equal(intent?.value, wanted, `the edge knows what the spec wants of ${name}`)
    // A cloud that died between seeing a value that came back and writing it down does not know of it any more.
    assert.ok((intent?.generation ?? 0) >= (known?.generation ?? 0), `the edge knows the newest intent of ${name}`)
    assert.ok(desired?.value === wanted || desired?.origin === 'edge', `only a wish of the edge overrides ${name}`)
  }
  const atEdge = Object.values(edge.twin?.properties ?? {}).flatMap(conflictsOf)
  const inCloud = (device.status?.conflicts ?? []).map(({ propertyName: _p, standing: _s, ...conflict }) => conflict)
  assert.deepEqual(inCloud, atEdge)
  const standing = Object.values(edge.twin?.properties ?? {}).some(({ conflict }) => conflict)
  assert.equal(condition(device, 'Agreed')?.status, standing ? 'False' : 'True')
  for (const [id, name] of arisen) {
    const its = `pump-1.${createHash('sha256').update(id).digest('hex').slice(0, 16)}`
    const times = told.filter((each) => each === its).length
    // Only where more ended than the edge keeps may one have been dropped before it could be told.
    const { pastConflicts = [] } = edge.twin?.properties[name] ?? {}
    const isDropped = pastConflicts.length === 4 && !atEdge.some((conflict) => conflict.id === id)
    assert.ok(times === 1 || (times === 0 && isDropped), `${id} is told ${times} times`)
  }
  assert.ok(told.length <= arisen.size)
}
