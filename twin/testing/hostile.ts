import fc from 'fast-check'

/** What MQTT clients should never send, and do. */
export interface Hostile {
  readonly topic: string
  readonly payload: Uint8Array
}

const bytes = (text: string) => Buffer.from(text)
const odd = fc.constantFrom(
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'then', '', ' ', 'a/b', '\u0000', '\u001f', '\ud800'],
  ...[
    '\uffff',
    '🙂',
    'é',
    'x'.repeat(128),
    'x'.repeat(129),
    'brightness',
    'BRIGHTNESS',
    'power',
    'note',
    '$',
    '.',
    '..',
  ],
)
const name = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('brightness', 'power', 'note', 'a', 'b') },
  odd,
  fc.string(),
)
const value = fc.oneof(
  fc.constantFrom<unknown>('1', '70', '101', '-1', 'true', 'NaN', 'Infinity', '1e999', '', ' 1', '0x10', '\ud83d', 'ü'),
  fc.constantFrom<unknown>(null, 5, true, [], {}, 1e308, -0, 'v'.repeat(70_000)),
  fc.string(),
)
const type = fc.constantFrom<unknown>(
  'int',
  'string',
  'boolean',
  'float',
  'bytes',
  'stream',
  'INT',
  'deleted',
  '',
  null,
  7,
)
const optionally = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const side = fc.oneof(
  { weight: 4, arbitrary: fc.record({ value, metadata: optionally(fc.anything({ maxDepth: 2 })) }) },
  fc.constantFrom<unknown>(null, {}, [], 'text', 0, { VALUE: '5' }, { value: '5', Value: '6' }),
)
const change = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      expected: optionally(side),
      actual: optionally(side),
      optional: optionally(fc.constantFrom<unknown>(true, false, null, 'true')),
      metadata: optionally(fc.oneof(fc.record({ type }), fc.constantFrom<unknown>(null, [], 'int'))),
      expected_version: optionally(fc.constantFrom<unknown>({ cloud: 9e15, edge: 9e15 }, null, 5)),
    }),
  },
  { weight: 2, arbitrary: fc.constant<unknown>(null) },
  fc.anything({ maxDepth: 2 }),
)
const eventId = fc.constantFrom<unknown>(
  'e',
  '',
  null,
  7,
  undefined,
  'x'.repeat(1024),
  'x'.repeat(1025),
  '\ud800',
  {},
  'é',
)
const message = fc
  .record({
    event_id: eventId,
    timestamp: optionally(fc.constantFrom<unknown>(0, -1, 1.5, '5', null)),
    twin: fc.oneof({ weight: 8, arbitrary: fc.dictionary(name, change, { maxKeys: 6 }) }, fc.anything({ maxDepth: 2 })),
    state: optionally(
      fc.oneof(fc.constantFrom<unknown>('online', 'OFFLINE', 'ok', 'asleep', '', null, 5, []), fc.string()),
    ),
  })
  .map((body) => JSON.stringify(body) ?? 'null')

/** The same text with something of it broken. */
const broken = fc
  .tuple(message, fc.nat(), fc.constantFrom('cut', 'byte', 'twice', 'quote', 'null'))
  .map(([text, at, how]) => {
    const place = at % (text.length + 1)
    if (how === 'cut') return bytes(text.slice(0, place))
    if (how === 'twice') return bytes(text.replace('{', `{"twin":{"a":{"actual":{"value":"1"}}},${text.slice(1, -1)},`))
    if (how === 'quote') return bytes(`${text.slice(0, place)}"${text.slice(place)}`)
    if (how === 'null') return bytes(text.replace(/"[^"]*"(?!:)/, 'null'))
    const spoiled = bytes(text)
    if (spoiled.length > 0) spoiled[place % spoiled.length] = 0xff
    return spoiled
  })

const nested = (open: string, close: string, depth: number, inside: string) =>
  `${open.repeat(depth)}${inside}${close.repeat(depth)}`
/** Made when it is needed: they are large. */
const heavy = fc
  .constantFrom(
    () => nested('[', ']', 10_000, ''),
    () => nested('{"twin":', '}', 10_000, '1'),
    () => `{"event_id":"deep","twin":{"a":{"actual":${nested('[', ']', 100_000, '')}}}}`,
    () => '['.repeat(500_000),
    () => JSON.stringify({ event_id: 'big', twin: { note: { actual: { value: 'v'.repeat(1_000_000) } } } }),
    () => JSON.stringify({ event_id: 'e'.repeat(1_000_000), twin: {} }),
    () => JSON.stringify({ twin: { [`n${'x'.repeat(900_000)}`]: null } }),
    () => JSON.stringify({ twin: { a: { actual: { value: '1' }, metadata: { type: 't'.repeat(900_000) } } } }),
    () => `{"event_id":"many","twin":{${manyKeys(50_000, 'null')}}}`,
    () => `{"event_id":"many","twin":{${manyKeys(10_000, '{"actual":{"value":"1"}}')}}}`,
    () => `{${manyKeys(50_000, '1')},"twin":{}}`,
    () => `\ufeff${JSON.stringify({ event_id: 'bom', twin: {} })}`,
    () => '{"event_id":"dup","event_id":"last","twin":{"a":null,"a":{"actual":{"value":"1"}}}}',
    () => '{"event_id":"nan","twin":{"a":{"actual":{"value":NaN}}}}',
    () => '{"__proto__":{"event_id":"polluted","twin":{}}}',
    () => '{"event_id":"p","twin":{"__proto__":{"actual":{"value":"1"}}}}',
    () => '{"event_id":"c","twin":{"a":{"__proto__":{"actual":{"value":"1"}}}}}',
  )
  .map((make) => bytes(make()))

function manyKeys(count: number, each: string): string {
  return Array.from({ length: count }, (_, index) => `"k${index}":${each}`).join(',')
}

export const hostilePayload: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: message.map(bytes) },
  { weight: 5, arbitrary: broken },
  { weight: 2, arbitrary: fc.json().map(bytes) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: heavy },
  { weight: 1, arbitrary: fc.constant(new Uint8Array(0)) },
)

const level = fc.oneof(
  fc.constantFrom('default', 'lamp', 'nobody', '', 'twin', 'state', 'update', 'get', 'x'.repeat(253), 'x'.repeat(254)),
  fc.constantFrom('device', '__proto__', 'é', '🙂', ' ', 'x'.repeat(30_000)),
  fc.string({ maxLength: 8 }).map((text) => text.replace(/[+#]|\P{L}/gu, '-')),
)
const action = fc.constantFrom('twin/update', 'twin/get', 'state/update', 'state/get')
export const hostileTopic: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: action.map((last) => `$hw/events/device/default/lamp/${last}`) },
  { weight: 3, arbitrary: action.map((last) => `$hw/events/device/lamp/${last}`) },
  { weight: 3, arbitrary: action.map((last) => `$hw/events/device/default/nobody/${last}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('edge-1', 'other', '').map((node) => `$hw/events/node/${node}/membership/get`),
  },
  { weight: 2, arbitrary: fc.tuple(level, level, action).map(([a, b, last]) => `$hw/events/device/${a}/${b}/${last}`) },
  { weight: 2, arbitrary: fc.array(level, { maxLength: 6 }).map((levels) => `$hw/events/${levels.join('/')}`) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('twin/cloud_updated', 'twin/update/result', 'updated', 'twin/update/', 'twin/', 'twin')
      .map((last) => `$hw/events/device/default/lamp/${last}`),
  },
)

export const hostile: fc.Arbitrary<Hostile> = fc.record({ topic: hostileTopic, payload: hostilePayload })
