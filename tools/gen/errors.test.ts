import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorsOf, parse } from './errors.ts'

for (const [what, text, expected] of [
  [
    'a thrown error',
    "throw new RefusedError('No such twin', { code: 'TWIN_UNKNOWN', fields: { device } })",
    { code: 'TWIN_UNKNOWN', kind: 'RefusedError', message: 'No such twin' },
  ],
  [
    'a message with variables',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    "throw new ConfigError(`Port ${port} is taken`, details('PLATFORM_PORT_TAKEN'))",
    { code: 'PLATFORM_PORT_TAKEN', kind: 'ConfigError', message: 'Port … is taken' },
  ],
  [
    'a message in a constant beside it',
    "function f() { const message = 'The cloud refused'; throw new RefusedError(message, { code: 'HUB_REFUSED' }) }",
    { code: 'HUB_REFUSED', kind: 'RefusedError', message: 'The cloud refused' },
  ],
  [
    'details in a constant',
    "function f() { const details = { code: 'TWIN_LOST' }; throw new UnavailableError('The twin is lost', details) }",
    { code: 'TWIN_LOST', kind: 'UnavailableError', message: 'The twin is lost' },
  ],
  [
    'details of errors of two kinds',
    "function f() { const d = { code: 'HUB_NO' }; throw a ? new RefusedError('No', d) : new UnavailableError('No', d) }",
    { code: 'HUB_NO', kind: '', message: 'No' },
  ],
  [
    'a class with its own code',
    "/** Work outlived its deadline. More words. */\nclass DeadlineError extends Error { readonly code = 'PLATFORM_DEADLINE' }",
    { code: 'PLATFORM_DEADLINE', kind: 'DeadlineError', message: 'Work outlived its deadline' },
  ],
  [
    'a class that hands its code on',
    "class PatchError extends SkerryError { constructor() { super('no patch', { code: 'HUB_PATCH_REFUSED' }) } }",
    { code: 'HUB_PATCH_REFUSED', kind: 'PatchError', message: 'no patch' },
  ],
  [
    'an answer that is no error',
    "send(404, { code: 'PLATFORM_CONTROL_UNKNOWN', message: 'No such command' })",
    { code: 'PLATFORM_CONTROL_UNKNOWN', kind: '', message: 'No such command' },
  ],
] as const) {
  test(`the catalogue finds ${what}`, () => assert.deepEqual(errorsOf(parse('twin/a.ts', text)), [expected]))
}

test('the catalogue leaves other words in capitals alone', () => {
  assert.deepEqual(errorsOf(parse('twin/a.ts', "const a = ['HTTP_OK', 'hub_down', 'HUB']")), [])
})
