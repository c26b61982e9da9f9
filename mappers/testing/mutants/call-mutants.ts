// A table of data: one bug each, as a change of the source of `line-mapper.ts`.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source
import { type Mutant, mutant } from './mutant.ts'

/** What reads, writes and their outcomes can get wrong. */
export const callMutants: readonly Mutant[] = [
  // abort
  mutant(
    'abort',
    'swallows the abort of a call and answers nothing',
    'const onAbort = () => reject(signal.reason)',
    'const onAbort = () => resolve({ values: {}, errors: {} })',
  ),
  mutant(
    'abort',
    'never looks at the signal of a call',
    'const onAbort = () => reject(signal.reason)',
    'const onAbort = () => undefined',
  ),
  mutant(
    'abort',
    'notices an abort only between two requests',
    'const onAbort = () => reject(signal.reason)',
    'const onAbort = () => void this.#clock.sleep(8000, new AbortController().signal).then(() => reject(signal.reason))',
  ),
  mutant(
    'abort',
    'connects although its signal has aborted before',
    'async function open(device: Device, { signal, clock }: MapperContext): Promise<Connection> {\n  signal.throwIfAborted()',
    'async function open(device: Device, { clock }: MapperContext): Promise<Connection> {\n  const { signal } = new AbortController()',
  ),
  mutant(
    'abort',
    'hangs when connecting is aborted under way',
    "const onAbort = () => socket.destroy(new Error('connecting was given up'))",
    "const onAbort = () => void socket.removeAllListeners() && socket.on('error', () => undefined)",
  ),
  mutant(
    'abort',
    'leaves the socket of an aborted connect open',
    "const onAbort = () => socket.destroy(new Error('connecting was given up'))",
    'const onAbort = () => undefined',
    ['  } catch (error) {\n    socket.destroy()\n', '  } catch (error) {\n'],
  ),
  mutant(
    'abort',
    'sends a request although the signal has aborted before',
    '    signal.throwIfAborted()\n    if (this.#lost) throw this.#lost\n    const seq = ++this.#last',
    '    if (this.#lost) throw this.#lost\n    const seq = ++this.#last\n    if (signal.aborted) this.#socket.write(`${JSON.stringify({ seq, unit: device.unit, ...request })}\\n`)\n    signal.throwIfAborted()',
    [
      '  signal.throwIfAborted()\n  const results = new Map<VisitId, Outcome<Reading>>()',
      '  const results = new Map<VisitId, Outcome<Reading>>()',
    ],
  ),
  mutant(
    'abort',
    'answers a call whose signal has aborted before with nothing instead of rejecting',
    'async function read(connection: Connection, visits: readonly Visit<Device, Visitor>[], signal: AbortSignal) {\n  signal.throwIfAborted()',
    'async function read(connection: Connection, visits: readonly Visit<Device, Visitor>[], signal: AbortSignal) {\n  if (signal.aborted) return new Map()',
  ),
  // batches
  mutant(
    'batches',
    'forgets the last visit of each batch',
    'for (const visit of batch) results.set(visit.id,',
    'for (const visit of batch.slice(0, -1)) results.set(visit.id,',
  ),
  mutant(
    'batches',
    'forgets visits that failed',
    'for (const visit of batch) results.set(visit.id, outcomeOf(answer, visit.visitor.name))',
    'for (const visit of batch) if (outcomeOf(answer, visit.visitor.name).ok) results.set(visit.id, outcomeOf(answer, visit.visitor.name))',
  ),
  mutant(
    'batches',
    'answers with ids of its own',
    'results.set(visit.id, outcomeOf(',
    'results.set(`${visit.id}` + (visit.property.name === "p1" ? "!" : "") as VisitId, outcomeOf(',
  ),
  mutant(
    'batches',
    'adds an outcome that nobody asked for',
    '  return results\n}\n\nfunction outcomeOf',
    "  results.set('nobody' as VisitId, { ok: true, value: { value: 1 } })\n  return results\n}\n\nfunction outcomeOf",
  ),
  mutant(
    'batches',
    'asks for one name more than the gateway takes',
    'batch.length < MOST_NAMES &&',
    'batch.length <= MOST_NAMES &&',
  ),
  mutant('batches', 'does not split at all', 'batch.length < MOST_NAMES &&', 'batch.length < 100_000 &&'),
  mutant(
    'batches',
    'is off by one from the 512th visit on',
    'const names = batch.map(({ visitor }) => visitor.name)',
    'const names = batch.map((_, at) => visits[visits.indexOf(batch[0]!) + at + (visits.indexOf(batch[0]!) >= 512 ? 1 : 0)]?.visitor.name ?? "speed")',
  ),
  mutant(
    'batches',
    'reads only the first batch',
    'results.set(visit.id, outcomeOf(answer, visit.visitor.name))\n',
    'results.set(visit.id, outcomeOf(answer, visit.visitor.name))\n    break\n',
  ),
  mutant(
    'batches',
    'takes two visits of one place for one',
    'const names = batch.map(({ visitor }) => visitor.name)',
    'const names = batch.map(({ visitor }) => visitor.name)\n    if (new Set(names).size < names.length) batch.length > 1 && (batch as unknown[]).splice(1)',
  ),
  // failures
  mutant(
    'failures',
    'throws for one bad visit',
    "return { ok: false, error: new Error(errors[name] ?? 'the device said nothing of it') }",
    "throw new Error(errors[name] ?? 'the device said nothing of it')",
  ),
  mutant(
    'failures',
    'takes a bad visit for the value 0',
    "return { ok: false, error: new Error(errors[name] ?? 'the device said nothing of it') }",
    'return { ok: true, value: { value: 0 } }',
  ),
  mutant(
    'failures',
    'fails with a text instead of an Error',
    "error: new Error(errors[name] ?? 'the device said nothing of it')",
    "error: (errors[name] ?? 'the device said nothing of it') as unknown as Error",
  ),
  mutant(
    'failures',
    'fails without saying why',
    "new Error(errors[name] ?? 'the device said nothing of it')",
    "new Error('')",
  ),
  mutant(
    'failures',
    'fails all visits next to a bad one',
    'const value = values[name]\n',
    'const value = Object.keys(errors).length > 0 ? undefined : values[name]\n',
  ),
  mutant(
    'failures',
    'takes a lost link for failed visits',
    'const answer = await connection.ask(device, { get: names }, signal)',
    'const answer = await connection.ask(device, { get: names }, signal).catch(() => ({ values: {}, errors: {} }))',
  ),
  mutant(
    'failures',
    'gives every value as text',
    'if (value !== undefined) return { ok: true, value: { value } }',
    'if (value !== undefined) return { ok: true, value: { value: String(value) } }',
  ),
  mutant(
    'failures',
    'gives bare values instead of readings',
    'return { ok: true, value: { value } }\n  return',
    'return { ok: true, value: value as unknown as Reading }\n  return',
  ),
  mutant(
    'failures',
    'gives objects for values',
    'return { ok: true, value: { value } }\n  return',
    'return { ok: true, value: { value: { value } as unknown as PropertyValue } }\n  return',
  ),
  mutant(
    'failures',
    'takes nonsense for a value',
    "        this.#lose(new Error('the gateway sent no JSON'))\n        this.#socket.destroy()\n        return",
    '        for (const [seq, { resolve }] of this.#waiting) resolve({ seq, values: { serial: "?", speed: 0, temperature: 0, running: false }, errors: {} } as unknown as Answer)\n        return',
  ),
  mutant(
    'failures',
    'throws in a listener when nonsense arrives',
    '  try {\n    return JSON.parse(line)\n  } catch {\n    return undefined\n  }',
    '  return JSON.parse(line)',
  ),
  // write
  mutant(
    'write',
    'ignores that a write is refused',
    'results.set(id, refused === undefined ?',
    'results.set(id, refused !== "" ?',
  ),
  mutant(
    'write',
    'throws when a write is refused',
    'results.set(id, refused === undefined ?',
    'if (refused !== undefined) throw new Error(refused)\n    results.set(id, refused === undefined ?',
  ),
  mutant(
    'write',
    'stops at a refused write',
    'results.set(id, refused === undefined ?',
    'if (refused !== undefined) break\n    results.set(id, refused === undefined ?',
  ),
  mutant(
    'write',
    'answers before the write is confirmed',
    'const { errors } = await connection.ask(device, { set: { [visitor.name]: value } }, signal)',
    'const { errors } = { errors: {} as Record<string, string> }\n    connection.ask(device, { set: { [visitor.name]: value } }, signal).catch(() => undefined)',
  ),
  mutant('write', 'misspells write', '  write,\n', '  ...{ wirte: write },\n'),
  mutant('write', 'never sends the value', 'set: { [visitor.name]: value }', 'set: {}'),
  mutant(
    'write',
    'writes text for a number',
    'set: { [visitor.name]: value }',
    'set: { [visitor.name]: String(value) }',
  ),
  mutant(
    'write',
    'writes to the first device only',
    '{ set: { [visitor.name]: value } }',
    '{ unit: 1, set: { [visitor.name]: value } }',
  ),
  mutant(
    'write',
    'answers a write with the value',
    '{ ok: true, value: undefined }',
    '{ ok: true, value: value as unknown as undefined }',
  ),
]
