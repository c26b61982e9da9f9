import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { StatusError } from '../status.ts'
import { matchesFields, matchesLabels, parseFieldSelector, parseLabelSelector, requirementsOf } from './index.ts'

const LABELS = { app: 'pump', tier: 'edge', empty: '', size: '5' }
const SUPPORTED = { fields: new Set(['metadata.name', 'spec.nodeName']) }
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a,b' }, spec: { nodeName: 'edge-1' } }

describe('label selectors', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['app=pump', true],
    ['app==pump,tier!=cloud', true],
    ['app!=pump', false],
    ['missing!=x', true],
    ['app in (valve, pump)', true],
    ['app notin (valve,pump)', false],
    ['missing notin (x)', true],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['empty=', true],
    ['app in (pump),tier=edge,!missing', true],
    ['skerry.dev/part=x', false],
    ['size>4,size<6', true],
    ['size>5', false],
    ['app in (pump,),empty in ()', true],
  ]
  for (const [text, expected] of cases) {
    it(`"${text}" ${expected ? 'selects' : 'leaves out'}`, () => {
      assert.equal(matchesLabels(parseLabelSelector(text), LABELS), expected)
    })
  }
  for (const text of ['app in pump', '=x', 'a=b=c', 'app=p!', ',', 'a b']) {
    it(`refuses "${text}"`, () => {
      assert.throws(() => parseLabelSelector(text), isBadRequest)
    })
  }
})

test('a word that is a method of objects is no operator', () => {
  assert.throws(() => parseLabelSelector('a constructor b'), /found 'constructor', expected: in, notin/)
  const odd = { matchExpressions: [{ key: 'a', operator: 'toString', values: ['b'] }] }
  assert.deepEqual(requirementsOf(odd), [])
})

test('a label selector that cannot be read is refused in the words of an API server', () => {
  const words = (text: string) => {
    try {
      parseLabelSelector(text)
    } catch (error) {
      return error instanceof StatusError ? error.status.message : error
    }
    return 'read'
  }
  assert.equal(words('a===b'), "unable to parse requirement: found '=', expected: identifier")
  assert.equal(words('a b'), "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt")
  assert.equal(words('a in b'), "unable to parse requirement: found 'b' expected: '('")
  assert.equal(words('a in (b'), "unable to parse requirement: found '', expected: ',' or ')'")
  assert.equal(words('a in (b,='), "unable to parse requirement: found '=', expected: ',', or identifier")
  assert.match(String(words('-a=b')), /^unable to parse requirement: <nil>: Invalid value: "-a": name part must/)
  assert.equal(words('a=b,'), "found '', expected: identifier after ','")
  assert.equal(words('a=b)'), "found ')', expected: ',' or 'end of string'")
})

describe('field selectors', () => {
  it('compares fields, absent ones as empty', () => {
    assert.ok(matchesFields(parseFieldSelector('spec.nodeName=edge-1', SUPPORTED), pod))
    assert.ok(matchesFields(parseFieldSelector('spec.nodeName!=', SUPPORTED), pod))
    assert.ok(!matchesFields(parseFieldSelector('spec.nodeName!=edge-1', SUPPORTED), pod))
  })
  it('reads escaped commas', () => {
    assert.ok(matchesFields(parseFieldSelector('metadata.name=a\\,b,spec.nodeName==edge-1', SUPPORTED), pod))
  })
  it('refuses fields that the kind cannot be selected by', () => {
    assert.throws(() => parseFieldSelector('spec.color=red', SUPPORTED), isBadRequest)
    assert.throws(() => parseFieldSelector('metadata.name', SUPPORTED), isBadRequest)
  })
})

function isBadRequest(error: unknown): boolean {
  return error instanceof StatusError && error.status.code === 400
}
