import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Silence } from './silence.ts'

describe('a time-out', () => {
  it('on a serial line is a silent unit, unless nobody was heard for long', () => {
    const silence = new Silence(true)
    silence.heard(1)
    for (let times = 0; times < 4; times++) assert.equal(silence.timedOut(1), false)
    silence.heard(2)
    for (let times = 0; times < 4; times++) assert.equal(silence.timedOut(1), false)
    assert.equal(silence.timedOut(1), true)
  })

  it('over a socket loses the connection when only this unit ever answered on it', () => {
    const silence = new Silence(false)
    silence.heard(1)
    assert.equal(silence.timedOut(1), true)
  })

  it('behind a gateway is a silent unit as long as others answer', () => {
    const silence = new Silence(false)
    assert.equal(silence.timedOut(7), false)
    silence.heard(1)
    for (let times = 0; times < 10; times++) {
      assert.equal(silence.timedOut(7), false)
      silence.heard(1)
    }
  })

  it('behind a gateway loses the connection when it comes again and nobody was heard in between', () => {
    const silence = new Silence(false)
    silence.heard(1)
    silence.heard(2)
    assert.equal(silence.timedOut(1), false)
    assert.equal(silence.timedOut(2), false)
    assert.equal(silence.timedOut(1), true)
  })
})
