import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { jsonError } from './json-error.ts'

describe('what is no JSON is told in the words of Go', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'unexpected end of JSON input'],
    ['not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['no', "invalid character 'o' in literal null (expecting 'u')"],
    ['hello', "invalid character 'h' looking for beginning of value"],
    ['{"a":1', 'unexpected end of JSON input'],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['['.repeat(100_000), 'exceeded max depth'],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ]
  for (const [text, expected] of cases)
    it(JSON.stringify(text).slice(0, 40), () => assert.equal(jsonError(text), expected))

  it('takes whatever JSON there is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => assert.equal(jsonError(JSON.stringify(value, null, 1)), undefined)),
    )
  })
})
