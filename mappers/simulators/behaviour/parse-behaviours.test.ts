import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseBehaviours } from './parse-behaviours.ts'

const parsed = (text: string) => {
  const result = parseBehaviours(text)
  return result.ok ? Object.fromEntries(result.value) : result.reason
}

describe('the annotation that says how simulated values move', () => {
  it('holds a behaviour for each property', () => {
    assert.deepEqual(parsed('speed=follow(targetSpeed,5), temperature=sine(20,80,1m), alarm=above(temperature,70)'), {
      speed: { kind: 'follow', source: { factor: 1, property: 'targetSpeed', offset: 0 }, seconds: 5 },
      temperature: { kind: 'sine', low: 20, high: 80, seconds: 60 },
      alarm: { kind: 'above', source: 'temperature', on: 70, off: 70 },
    })
    assert.deepEqual(parsed('t = noisy( follow(speed*0.02 + 20, 30s, running), 0.1 )'), {
      t: {
        kind: 'noisy',
        inner: {
          kind: 'follow',
          source: { factor: 0.02, property: 'speed', offset: 20 },
          seconds: 30,
          gate: 'running',
        },
        amount: 0.1,
      },
    })
    assert.deepEqual(parsed('a=count(power*-2-1), b=count(3), c=cycle(500ms,on,off), d=hold(true), e=walk(-5,5,1h)'), {
      a: { kind: 'count', rate: { factor: -2, property: 'power', offset: -1 } },
      b: { kind: 'count', rate: { factor: 0, offset: 3 } },
      c: { kind: 'cycle', seconds: 0.5, values: ['on', 'off'] },
      d: { kind: 'hold', value: 'true' },
      e: { kind: 'walk', low: -5, high: 5, seconds: 3600 },
    })
    assert.deepEqual(parsed('l=below(level,10,15)'), { l: { kind: 'below', source: 'level', on: 10, off: 15 } })
  })

  it('is refused with what to write instead', () => {
    assert.match(String(parsed('speed')), /write pairs/)
    assert.match(String(parsed('')), /write pairs/)
    assert.match(String(parsed('a=sinus(1,2,3)')), /one of hold, follow, sine/)
    assert.match(String(parsed('a=constructor(1)')), /one of hold/)
    assert.match(String(parsed('a=sine(1,2)')), /"sine\(1,2\)" in it: write sine\(LOW,HIGH,TIME\)/)
    assert.match(String(parsed('a=sine(2,1,3s)')), /write sine/)
    assert.match(String(parsed('a=sine(1,2,0)')), /write sine/)
    assert.match(String(parsed('a=above(b)')), /write above/)
    assert.match(String(parsed('a=above(b,70,75)')), /write above/)
    assert.match(String(parsed('a=above(b,70,x)')), /write above/)
    assert.match(String(parsed('a=follow(5,1s)')), /write follow/)
    assert.match(String(parsed('a=follow(b,1d)')), /write follow/)
    assert.match(String(parsed('a=noisy(sinus(1),1)')), /write noisy/)
    assert.match(String(parsed(`a=${'noisy('.repeat(9)}hold(1)${',1)'.repeat(9)}`)), /write noisy/)
    assert.equal(parsed('a=hold(1), a=hold(2)'), 'names a twice')
    assert.match(String(parsed(`a=hold(${'x'.repeat(70_000)})`)), /longer than/)
  })

  it('is understood as the page about it writes it, and the page knows every behaviour', () => {
    const page = readFileSync(new URL('../../../docs/how-to/simulate-a-device.md', import.meta.url), 'utf8')
    const [, annotation = ''] = /skerry\.dev\/simulate: >-\n((?: {6}.*\n)+)/.exec(page) ?? []
    assert.deepEqual(Object.keys(parsed(annotation)), ['running', 'speed', 'temperature', 'alarm'])
    for (const name of ['hold', 'follow', 'sine', 'walk', 'count', 'above', 'below', 'cycle', 'noisy']) {
      assert.ok(page.includes(`| \`${name}(`), name)
      assert.match(String(parsed('a=b')), new RegExp(`\\b${name}\\b`))
    }
  })

  it('never throws, whatever stands there', () => {
    const piece = fc.constantFrom('a', '=', ',', '(', ')', 'sine', 'follow', 'noisy', '1', 's', '*', '-', ' ', 'above')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        assert.equal(typeof parseBehaviours(pieces.join('')).ok, 'boolean')
      }),
    )
  })
})
