import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { frameOf, hasChecksum } from './rtu-frame.ts'
import { TcpPort } from './tcp-port.ts'

const read = (unitId: number, count: number) => frameOf(unitId, Uint8Array.of(3, 0, 0, 0, count))
const message = (transaction: number, unitId: number, pdu: readonly number[], protocol = 0) =>
  Uint8Array.of(transaction >> 8, transaction & 0xff, 0, protocol, 0, pdu.length + 1, unitId, ...pdu)

function opened() {
  const sent: Uint8Array[] = []
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Uint8Array, _encoding, done) => {
      sent.push(Uint8Array.from(chunk))
      done()
    },
  })
  const port = new TcpPort(stream)
  const got: string[] = []
  port.on('data', (frame: Uint8Array) => {
    assert.ok(hasChecksum(frame))
    got.push(Buffer.from(frame.subarray(0, -2)).toString('hex'))
  })
  port.onWrongAnswer = (reason) => got.push(reason)
  port.onNonsense = () => got.push('nonsense')
  const receive = (...bytes: readonly Uint8Array[]) => {
    for (const each of bytes) stream.emit('data', each)
    return got.splice(0)
  }
  return { port, sent, receive }
}

describe('Modbus TCP', () => {
  it('puts transaction, protocol and length before unit and function, and leaves the checksum out', () => {
    const { port, sent } = opened()
    port.write(read(17, 3))
    port.write(read(255, 1))
    assert.deepEqual(
      sent.map((bytes) => Buffer.from(bytes).toString('hex')),
      ['000100000006110300000003', '000200000006ff0300000001'],
    )
  })

  it('takes an answer in whatever pieces it comes, and several at once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xff), { minLength: 2, maxLength: 250 }), fc.nat(), (list, at) => {
        const bytes = list.length % 2 === 0 ? list : list.slice(1)
        const { port, receive } = opened()
        port.write(read(9, bytes.length / 2))
        const late = message(0, 9, [3, 2, 0, 1])
        const answer = message(1, 9, [3, bytes.length, ...bytes])
        const all = Uint8Array.of(...late, ...answer, ...late)
        const cut = at % all.length
        const frame = Buffer.from([9, 3, bytes.length, ...bytes]).toString('hex')
        assert.deepEqual(receive(all.subarray(0, cut), all.subarray(cut)), [frame])
      }),
    )
  })

  it('never takes a late answer for the answer to a new request, however many there were in between', () => {
    const { port, receive } = opened()
    port.write(read(1, 1))
    port.giveUp()
    for (let count = 0; count < 256; count++) port.write(read(1, 1))
    assert.deepEqual(receive(message(1, 1, [3, 2, 0, 1])), [])
    assert.deepEqual(receive(message(257, 1, [3, 2, 0, 2])), ['0103020002'])
    assert.deepEqual(receive(message(257, 1, [3, 2, 0, 2])), [])
  })

  it('tells what has the number of the request and is no answer to it', () => {
    for (const [pdu, unitId, reason] of [
      [[3, 4, 0, 1, 0, 2], 8, /unit 8 answered in place of unit 7/],
      [[4, 4, 0, 1, 0, 2], 7, /function 4 was answered in place of 3/],
      [[3, 2, 0, 1], 7, /length/],
      [[3, 4, 0, 1], 7, /length/],
      [[3, 2, 0, 1, 0, 2], 7, /length/],
      [[0x83, 2, 0], 7, /length/],
    ] as const) {
      const { port, receive } = opened()
      port.write(read(7, 2))
      const [got = ''] = receive(message(1, unitId, pdu))
      assert.match(got, reason)
      assert.deepEqual(receive(message(1, 7, [3, 4, 0, 1, 0, 2])), [], 'nobody waits any longer')
    }
  })

  it('takes an exception of its function for an answer', () => {
    const { port, receive } = opened()
    port.write(read(7, 2))
    assert.deepEqual(receive(message(1, 7, [0x83, 0x0b])), ['07830b'])
  })

  it('gives up at once what is no Modbus, without keeping any of it', () => {
    for (const bytes of [
      Buffer.from('HTTP/1.1 400 Bad Request\r\n'),
      message(1, 7, [3, 4, 0, 1, 0, 2], 1),
      Uint8Array.of(0, 1, 0, 0, 0, 2, 7, 3),
      Uint8Array.of(0, 1, 0, 0, 1, 0, 7, 3),
    ]) {
      const { port, receive } = opened()
      port.write(read(7, 2))
      assert.deepEqual(receive(bytes), ['nonsense'])
      assert.deepEqual(receive(message(1, 7, [3, 4, 0, 1, 0, 2])), [])
    }
  })
})
