import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../lifecycle/errors.ts'
import { createLogger, type LoggerSettings } from './index.ts'

test('writes one JSON object a line with level, time, message and fields', async () => {
  const { log, lines } = await capture({ format: 'json' })
  log.child({ module: 'twin' }).info('A module is ready', { took: 3 })
  const [line = ''] = lines
  assert.ok(line.endsWith('\n'))
  const { time, ...rest } = JSON.parse(line)
  assert.deepEqual(rest, { level: 'info', module: 'twin', took: 3, msg: 'A module is ready' })
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

test('writes nothing below its level', async () => {
  const { log, lines } = await capture({ format: 'json', level: 'warn' })
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  assert.equal(lines.length, 2)
})

test('opens errors with code, fields and causes, and shows a stack only where no code says what happened', async () => {
  const { log, lines } = await capture({ format: 'json' })
  const cause = new Error('socket closed')
  const error = new UnavailableError('The link is down', { code: 'LINK_DOWN', fields: { node: 'edge-1' }, cause })
  log.error('Sending failed', { error })
  const { error: shown } = JSON.parse(lines[0] ?? '')
  assert.equal(shown.code, 'LINK_DOWN')
  assert.deepEqual(shown.fields, { node: 'edge-1' })
  assert.equal(shown.cause.message, 'socket closed')
  assert.equal(shown.stack, undefined)
  assert.match(shown.cause.stack, /pino-logger\.test/)
})

for (const format of ['json', 'human'] as const) {
  test(`never shows secrets in ${format}, however deep`, async () => {
    const { log, lines } = await capture({ format })
    const secret = 'hunter2hunter2'
    log.child({ token: secret }).info('Joined', {
      password: secret,
      headers: { Authorization: `Bearer ${secret}`, accept: 'x' },
      list: [{ key: secret }],
      joinToken: secret,
      error: new UnavailableError('no', { code: 'X', fields: { privateKey: secret } }),
    })
    assert.equal(lines.length, 1)
    assert.ok(!lines[0]?.includes(secret))
    assert.match(lines[0] ?? '', /redacted/)
  })
}

test('survives cycles, bigints, views and long lists', async () => {
  const { log, lines } = await capture({ format: 'json' })
  const ring: Record<string, unknown> = {
    big: 5n,
    bytes: new Uint8Array(3),
    many: Array.from({ length: 900 }, () => 1),
  }
  ring['self'] = ring
  log.info('Odd', ring)
  const shown = JSON.parse(lines[0] ?? '')
  assert.equal(shown.big, '5')
  assert.equal(shown.bytes, '[3 bytes]')
  assert.equal(shown.many.length, 50)
})

test('human lines are short: time, level, message and key=value', async () => {
  const { log, lines } = await capture({ format: 'human' })
  log.warn('A device is offline', {
    device: 'default/pump-1',
    reason: 'no answer',
    error: new UnavailableError('Gone', { code: 'X_GONE', cause: 'reset' }),
  })
  assert.match(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}A device is offline device=default\/pump-1 reason="no answer" error="Gone \(X_GONE\): reset"\n$/,
  )
})

test('human lines let no terminal escape of a peer through', async () => {
  const { log, lines } = await capture({ format: 'human' })
  log.info('Client connected', { client: '\u001b[2J\u009b1mboo\nfake line', error: new Error('\u001b[31mred') })
  for (const control of ['\u001b', '\u009b']) assert.ok(!lines.join('').includes(control))
  assert.ok(!lines.join('').includes('\nfake line'))
})

async function capture(settings: Partial<LoggerSettings>) {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  return { lines, log: await createLogger({ level: 'debug', format: 'json', stream, ...settings }) }
}
