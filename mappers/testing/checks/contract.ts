import { Check as fits } from 'typebox/value'
import { seconds } from '../../../platform/time/index.ts'
import type { ConfigSchema } from '../../contract/index.ts'
import type { Bench } from '../bench.ts'
import type { Check } from '../check.ts'
import { must, mustEqual, needs, shown } from '../must.ts'
import { NotApplicable } from '../not-applicable.ts'
import { deepFreeze } from './frozen.ts'
import { importFindings } from './import-findings.ts'

/** It may look at a whole network. */
const DISCOVERY = seconds(20)

/** What can be told from the mapper alone: nothing is connected. */
export const contractChecks: readonly Check[] = [
  {
    name: 'is one frozen value of contract 1 with all required members',
    advice:
      'Make it with defineMapper({ contract: 1, protocol, deviceConfig, visitorConfig, connectionKey, connect, read }).',
    async run({ mapper }) {
      must(typeof mapper === 'object' && mapper !== null, `the mapper has to be an object, not ${shown(mapper)}`)
      must(mapper.contract === 1, `contract has to be 1, not ${shown(mapper.contract)}`)
      const { protocol } = mapper
      must(
        typeof protocol === 'string' && /^[a-z][a-z0-9-]*$/.test(protocol),
        `protocol has to be a name of lower-case letters, digits and dashes, not ${shown(protocol)}`,
      )
      for (const name of ['connectionKey', 'connect'] as const)
        must(typeof mapper[name] === 'function', `${name} has to be a function`)
      for (const name of ['deviceConfig', 'visitorConfig'] as const)
        must(
          typeof mapper[name]?.parse === 'function',
          `${name} has to be a config schema: configSchema(Type.Object(...))`,
        )
      must(Boolean(mapper.read ?? mapper.watch), 'it needs at least one of read and watch')
      must(Object.isFrozen(mapper), 'it has to be frozen')
    },
  },
  {
    name: 'describes every key of its configurations',
    advice: 'Give each Type.…({ description }) a sentence: it becomes the reference page and what an editor shows.',
    async run({ mapper }) {
      for (const [what, config] of configsOf(mapper)) {
        const { jsonSchema } = config
        must(isRecord(jsonSchema) && jsonSchema['type'] === 'object', `${what} has to be a JSON Schema of an object`)
        const undescribed = keysWithoutDescription(jsonSchema, '')
        must(undescribed.length === 0, `${what} describes nothing at ${undescribed.join(', ')}`)
      }
    },
  },
  {
    name: 'has only defaults that its own schema allows',
    advice: 'Correct the default, or the bounds of the key.',
    async run({ mapper }) {
      for (const [what, config] of configsOf(mapper)) {
        for (const [key, schema] of Object.entries(propertiesOf(config.jsonSchema))) {
          if (!isRecord(schema) || !('default' in schema)) continue
          must(
            fits(schema, schema['default']),
            `${what}: the default ${shown(schema['default'])} of ${key} is not allowed`,
          )
        }
      }
    },
  },
  {
    name: 'parses configurations without throwing, changing or keeping them',
    advice: 'Use configSchema; a parse of your own returns { ok: false, issues } and freezes what it returns.',
    async run(bench) {
      await bench.start()
      const good = [bench.configData(0), bench.cases.readable[0]?.visitor ?? {}]
      for (const [at, [what, config]] of configsOf(bench.mapper).entries()) {
        for (const nonsense of [undefined, null, 'text', 7, [], [{}], true]) mustRefuse(config, nonsense, what)
        const input = deepFreeze(structuredClone(good[at] ?? {}))
        const parsed = config.parse(input)
        must(
          parsed.ok,
          `${what} refuses the subject's own ${shown(input)}: ${shown(parsed.ok ? '' : parsed.issues[0])}`,
        )
        must(Object.isFrozen(parsed.value), `what ${what} parses has to be frozen`)
        mustEqual(config.parse(input), parsed, `${what} parsed twice`)
        const odd = config.parse({ 'no such key': { any: [1] } })
        if (!odd.ok) for (const { pointer } of odd.issues) mustPoint(pointer, what)
      }
    },
  },
  {
    name: 'admits a good device offline',
    advice: 'reject and parse look at nothing but their arguments: no socket, no file, no clock.',
    async run(bench) {
      const server = await bench.start()
      const config = bench.configData()
      const sent = server.requests
      await server[Symbol.asyncDispose]()
      const { refusals } = bench.admit(bench.cases.readable, config)
      must(refusals.length === 0, `a good device is refused: ${shown(refusals[0])}`)
      must(server.connections === 0 && server.requests === sent, 'admission has connected to the device')
    },
  },
  {
    name: 'refuses a bad visitor with a pointer and a reason, offline',
    advice:
      'Say in visitorConfig what is allowed, and in reject what can never work for this property; name the key and the remedy.',
    async run(bench) {
      const refused = needs(bench.cases.refused, 'the subject has no refused visitor')
      await bench.start()
      const { plan, refusals } = bench.admit([refused], bench.configData())
      must(plan === undefined, `the visitor ${shown(refused.visitor)} has to be refused, but it is admitted`)
      const [first] = refusals
      must(
        first?.pointer.startsWith('/spec/properties/0/visitors/configData') === true,
        `the refusal has to point into the visitor, not at ${shown(first?.pointer)}`,
      )
      must(first.message.trim() !== '', 'the refusal has to say why')
      must(
        !/TypeError|undefined|\[object/.test(first.message),
        `the refusal is no sentence for a user: ${first.message}`,
      )
    },
  },
  {
    name: 'refuses a bad device configuration with a pointer and a reason, offline',
    advice: 'Say in deviceConfig what is allowed: minLength, minimum, maximum, pattern.',
    async run(bench) {
      const refused = needs(bench.cases.refusedDevice, 'the subject has no refusedDevice')
      const { plan, refusals } = bench.admit(bench.cases.readable, refused)
      must(plan === undefined, `the device ${shown(refused)} has to be refused, but it is admitted`)
      const [first] = refusals
      must(
        first?.pointer.startsWith('/spec/protocol/configData') === true,
        `the refusal has to point into the configuration, not at ${shown(first?.pointer)}`,
      )
      must(first.message.trim() !== '', 'the refusal has to say why')
    },
  },
  {
    name: 'tells by connectionKey which devices share a connection, always the same',
    advice: 'Build the key from what the link needs, e.g. host and port, and from nothing else: no counter, no time.',
    async run(bench) {
      await bench.start()
      const { subject, mapper } = bench
      const [first, second] = [bench.plan([], 0), bench.plan([], 1)]
      must(typeof first.key === 'string' && first.key !== '', `connectionKey has to be a text, not ${shown(first.key)}`)
      mustEqual(bench.plan([], 0).key, first.key, 'connectionKey of the same configuration')
      if (subject.links === 'own') must(first.key !== second.key, 'the two devices have to have different keys')
      else if (subject.links !== 'none')
        mustEqual(second.key, first.key, 'connectionKey of two devices behind one link')
      if (!mapper.peer) return
      const peer = mapper.peer(first.config)
      must(typeof peer === 'string', `peer has to be a text, not ${shown(peer)}`)
      mustEqual(mapper.peer(bench.plan([], 0).config), peer, 'peer of the same configuration')
      if (bench.server.silenceDevice)
        must(peer !== mapper.peer(second.config), 'two devices that fall silent apart have to be different peers')
    },
  },
  {
    name: 'has a deadline, a bus time and reasons that depend on nothing but their arguments',
    advice:
      'deadline and busTime are milliseconds, positive and finite, or undefined; they and reject and isCallable are pure.',
    async run(bench) {
      await bench.start()
      const { mapper } = bench
      const visits = bench.visits(bench.cases.readable)
      const { config } = bench.plan([])
      const ask = () => ({
        deadline: mapper.deadline?.(config, visits),
        busTime: mapper.busTime?.(visits),
        reject: visits.map(({ property, visitor }) => mapper.reject?.(property, visitor, config)),
        isCallable: visits.map(({ visitor }) => mapper.isCallable?.(visitor)),
      })
      const said = ask()
      mustEqual(ask(), said, 'what the mapper says of the same visits, asked twice')
      for (const name of ['deadline', 'busTime'] as const) {
        const duration = said[name]
        const isGood = duration === undefined || (Number.isFinite(duration) && duration > 0)
        must(isGood, `${name} has to be positive milliseconds or undefined, not ${shown(duration)}`)
      }
      if (mapper.deadline?.(config, visits) !== undefined && visits.length > 0)
        must((mapper.deadline(config, []) ?? 0) >= 0, 'deadline without a visit is negative')
      if (said.isCallable.some(Boolean)) must(mapper.call !== undefined, 'isCallable needs call')
    },
  },
  {
    name: 'finds devices that its own configuration takes',
    advice:
      'Give each found device the configData that deviceConfig accepts, and its properties visitors; end when the signal aborts.',
    async run(bench) {
      const { mapper } = bench
      if (!mapper.discover) throw new NotApplicable('the mapper has no discover')
      await bench.start()
      for (const { name, device, properties } of await bench.within(DISCOVERY, 'discover', bench.discover())) {
        must(name !== '', 'a found device has to have a name')
        const parsed = mapper.deviceConfig.parse(device)
        must(parsed.ok, `the found device ${name} is refused: ${shown(parsed.ok ? '' : parsed.issues[0])}`)
        for (const { visitor } of properties) {
          const read = mapper.visitorConfig.parse(visitor)
          must(read.ok, `a property of the found device ${name} is refused: ${shown(read.ok ? '' : read.issues[0])}`)
        }
      }
    },
  },
]

/** The last one, as it starts a process. */
export const importCheck: Check = {
  name: 'does nothing when it is imported: loads no other package, opens nothing, prints nothing',
  advice: 'Load the vendor library in connect: (await import("./driver.js")). Keep no state outside of the connection.',
  async run({ subject, patience }) {
    const entry = needs(subject.entry, 'the subject names no entry, the module of the mapper')
    const findings = await importFindings(String(entry), patience)
    must(findings.length === 0, `importing it ${findings.join(', ')}`)
  },
}

function configsOf(mapper: Bench['mapper']): readonly (readonly [string, ConfigSchema<unknown>])[] {
  return [
    ['deviceConfig', mapper.deviceConfig],
    ['visitorConfig', mapper.visitorConfig],
  ]
}

function mustRefuse(config: ConfigSchema<unknown>, input: unknown, what: string): void {
  const parsed = config.parse(input)
  must(!parsed.ok && parsed.issues.length > 0, `${what} has to refuse ${shown(input)} with an issue`)
  for (const { pointer } of parsed.issues) mustPoint(pointer, what)
}

function mustPoint(pointer: string, what: string): void {
  must(pointer === '' || pointer.startsWith('/'), `an issue of ${what} has no JSON pointer but ${shown(pointer)}`)
}

function keysWithoutDescription(schema: unknown, path: string): readonly string[] {
  return Object.entries(propertiesOf(schema)).flatMap(([key, part]) => {
    const at = `${path}/${key}`
    const description = isRecord(part) ? part['description'] : undefined
    const isDescribed = typeof description === 'string' && description.trim().length > 3
    return [...(isDescribed ? [] : [at]), ...keysWithoutDescription(part, at)]
  })
}

function propertiesOf(schema: unknown): { readonly [key: string]: unknown } {
  const properties = isRecord(schema) ? schema['properties'] : undefined
  return isRecord(properties) ? properties : {}
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
