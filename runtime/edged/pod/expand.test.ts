import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { expand } from './expand.ts'

const VALUES: Readonly<Record<string, string>> = { VAR_A: 'A', VAR_B: 'B', VAR_C: 'C', VAR_REF: '$(VAR_A)', EMPTY: '' }
const lookup = (name: string) => VALUES[name]

test('expressions are expanded as Kubernetes does', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['$(VAR_A)', 'A'],
    ['___$(VAR_B)___', '___B___'],
    ['$(VAR_A)$(VAR_B)', 'AB'],
    ['f000-$$VAR_A', 'f000-$VAR_A'],
    ['$$(VAR_A)', '$(VAR_A)'],
    ['$$$(VAR_A)', '$A'],
    ['$$$$(VAR_A)', '$$(VAR_A)'],
    ['foo\\$(VAR_C)bar', 'foo\\Cbar'],
    ['$(VAR_REF)', '$(VAR_A)'],
    ['a$(EMPTY)b', 'ab'],
    ['$(VAR_DNE)', '$(VAR_DNE)'],
    ['$()', '$()'],
    ['$VAR_A', '$VAR_A'],
    ['$' + '{VAR_A}', '$' + '{VAR_A}'],
    ['$VAR_A)', '$VAR_A)'],
    ['$(VAR_A', '$(VAR_A'],
    ['$(VAR_A$(VAR_B)', '$(VAR_A$(VAR_B)'],
    ['$(open$$', '$(open$'],
    ['$', '$'],
    ['$$', '$'],
    ['$é$(VAR_A)', '$éA'],
    ['two\n$(VAR_A\n)', 'two\n$(VAR_A\n)'],
    ['', ''],
  ]
  for (const [text, expanded] of cases) assert.equal(expand(text, lookup), expanded, text)
})

const pieces = fc.array(
  fc.oneof(
    fc.record({ text: fc.constant('$$'), meant: fc.constant('$') }),
    fc.constantFrom(...Object.entries(VALUES)).map(([name, value]) => ({ text: `$(${name})`, meant: value })),
    fc.stringMatching(/^[^$()]*$/).map((text) => ({ text, meant: text })),
    fc.stringMatching(/^UNKNOWN[a-z]*$/).map((name) => ({ text: `$(${name})`, meant: `$(${name})` })),
  ),
)

test('a text of expressions and other things becomes what each of them means, once', () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const text = parts.map((part) => part.text).join('')
      assert.equal(expand(text, lookup), parts.map((part) => part.meant).join(''))
    }),
  )
})

test('any text comes back when its dollars are doubled', () => {
  fc.assert(fc.property(fc.string(), (text) => expand(text.replaceAll('$', '$$$$'), lookup) === text))
})

test('a long text of openers is read once', { timeout: 10_000 }, () => {
  const text = '$('.repeat(1_000_000)
  assert.equal(expand(text, lookup), text)
})
