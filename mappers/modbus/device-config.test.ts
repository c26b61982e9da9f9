import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connectionKey, deviceConfig } from './device-config.ts'
import { conflict } from './same-line.ts'
import { deviceOf } from './testing/configs.ts'

const issuesOf = (input: object) => {
  const parsed = deviceConfig.parse(input)
  return parsed.ok ? [] : parsed.issues.map(({ pointer, message }) => [pointer, message])
}

describe('the configuration of a Modbus device', () => {
  for (const [who, input, wanted] of [
    ['own spelling', { host: 'plc', port: 5020, unitId: 3 }, { host: 'plc', port: 5020, unitId: 3, timeout: 2000 }],
    ['the v1beta1 proposal', { ip: '10.0.0.1', port: 502 }, { mode: 'TCP', host: '10.0.0.1', port: 502, unitId: 1 }],
    [
      'the case study, quoted',
      { communicateMode: 'TCP', ip: '10.0.0.1', port: '1502', slaveID: '7', collectTimeout: '500' },
      { host: '10.0.0.1', port: 1502, unitId: 7, timeout: 500, mode: 'TCP' },
    ],
    [
      'the strings of KubeEdge for a serial line',
      {
        deviceID: '1',
        serialPort: '/dev/ttyS0',
        baudRate: '9600',
        dataBits: '8',
        parity: 'even',
        stopBits: '1',
        protocolID: '1',
      },
      {
        mode: 'RTU',
        serialPort: '/dev/ttyS0',
        unitId: 1,
        timeout: 1000,
        line: { baudRate: 9600, dataBits: 8, parity: 'even', stopBits: 1 },
      },
    ],
    [
      'capitals',
      {
        CommunicateMode: 'RTU',
        SerialPort: '/dev/ttyS0',
        BaudRate: '115200',
        DataBits: '8',
        Parity: 'None',
        StopBits: '1',
      },
      { mode: 'RTU', line: { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 } },
    ],
    [
      'RTU over TCP',
      { mode: 'rtu-over-tcp', host: 'moxa', port: 4001 },
      { mode: 'RTUoverTCP', host: 'moxa', port: 4001 },
    ],
  ] as const) {
    it(`understands ${who}`, () => {
      const parsed = deviceConfig.parse(input)
      assert.ok(parsed.ok, JSON.stringify(parsed))
      assert.partialDeepStrictEqual(parsed.value, wanted)
      assert.ok(Object.isFrozen(parsed.value))
    })
  }

  it('has the characters of 11 bits that the standard wants, unless it is told otherwise', () => {
    const base = { serialPort: '/dev/ttyS0' }
    assert.deepEqual(deviceOf(base).line, { baudRate: 19_200, dataBits: 8, parity: 'even', stopBits: 1 })
    assert.equal(deviceOf({ ...base, parity: 'none' }).line?.stopBits, 2)
    assert.equal(deviceOf({ ...base, parity: 'none', stopBits: 1 }).line?.stopBits, 1)
    assert.equal(deviceOf({ host: 'plc' }).line, undefined)
  })

  it('says what is missing or cannot be, in the spelling of its author', () => {
    assert.deepEqual(issuesOf({}), [['/host', 'is required, or serialPort for a serial line']])
    assert.deepEqual(issuesOf({ communicateMode: 'RTU', ip: 'plc' }), [['/serialPort', 'is required for RTU']])
    assert.deepEqual(issuesOf({ ip: 'plc', SerialPort: '/dev/ttyS0' }), [
      ['/mode', 'is required where both a host and a serialPort are named: TCP, RTU or RTUoverTCP'],
    ])
    assert.deepEqual(issuesOf({ serialPort: '/dev/ttyS0', DataBits: '7', slaveID: 0 }), [
      ['/DataBits', 'must be 8: RTU sends whole bytes'],
      ['/slaveID', 'must be 1 to 247: to 0 all units listen and none answers'],
    ])
    assert.match(
      issuesOf({ serialPort: '/dev/ttyS0', parity: 'mark' })[0]?.join(' ') ?? '',
      /\/parity must be one of none/,
    )
  })

  it('takes a list of units that are asked for', () => {
    for (const [units, wanted] of [
      ['1-3', [1, 2, 3]],
      ['7', [7]],
      ['20-22,5,21', [5, 20, 21, 22]],
    ] as const) {
      assert.deepEqual(deviceOf({ units }).units, wanted)
    }
    for (const units of ['0-3', '250-256', '9-7', '', 'all', '1;2']) {
      assert.deepEqual(
        issuesOf({ host: 'plc', units }).map(([pointer]) => pointer),
        ['/units'],
        units,
      )
    }
  })

  it('shares a connection by line or by host and port', () => {
    assert.equal(connectionKey(deviceOf({ host: 'plc', unitId: 1 })), connectionKey(deviceOf({ ip: 'plc', unitId: 2 })))
    const line = { serialPort: '/dev/ttyS0', unitId: 1 }
    assert.equal(connectionKey(deviceOf(line)), connectionKey(deviceOf({ ...line, unitId: 2, baudRate: 9600 })))
    assert.notEqual(connectionKey(deviceOf(line)), connectionKey(deviceOf({ serialPort: '/dev/ttyS1' })))
  })

  it('knows which two devices cannot share it', () => {
    const line = { serialPort: '/dev/ttyS0' }
    assert.equal(conflict(deviceOf(line), deviceOf({ ...line, unitId: 7, timeout: 50 })), undefined)
    assert.deepEqual(conflict(deviceOf({ ...line, baudRate: 9600 }), deviceOf(line)), {
      key: 'baudRate',
      message: 'is 9600, but 19200 for other devices on /dev/ttyS0: a line has one setting',
    })
    assert.equal(conflict(deviceOf({ ...line, parity: 'odd' }), deviceOf(line))?.key, 'parity')
    assert.equal(conflict(deviceOf({ host: 'a' }), deviceOf({ host: 'a', mode: 'RTUoverTCP' }))?.key, 'mode')
  })
})
