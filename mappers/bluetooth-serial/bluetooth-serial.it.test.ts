import type { ConformanceSubject } from '../testing/index.ts'
import { describeMapper } from '../testing/index.ts'
import type { SerialConnection } from './connection.ts'
import type { SerialDevice } from './device-config.ts'
import mapper from './index.ts'
import { type ScriptedLine, ScriptedPtyLine, ScriptedTcpLine } from './testing/scripted-line.ts'
import type { SerialVisitor } from './visitor-config.ts'

function filled<S extends ScriptedLine>(line: S): S {
  line.values.set('01 speed', '1500').set('02 speed', '7').set('weight', '+ 12.50 g').set('on', 'ON')
  line.values.set('name', 'scales').set('target', '0').set('fixed', '3')
  for (let index = 0; index < 1000; index++) line.values.set(`n${index}`, String(index * 3))
  return line
}

const place = { field: 2, separator: 'space' }
const asked = (key: string) => ({ request: `{address} R ${key}`, match: `{address} ${key} `, ...place })
const set = (key: string, format = '') => ({
  ...asked(key),
  write: `{address} W ${key} {value${format}}`,
  ack: `{address} OK ${key}`,
})

function subject(
  start: () => Promise<ScriptedLine>,
  isExclusive: boolean,
): ConformanceSubject<SerialDevice, SerialVisitor, SerialConnection, ScriptedLine> {
  return {
    mapper,
    entry: import.meta.resolve('./index.ts'),
    server: start,
    device: ({ path = '/dev/nowhere' }, index) => ({
      ...{ path, address: `0${index + 1}`, timeout: '300', retries: 0, drain: 20 },
      refuse: [`0${index + 1} ERR`],
    }),
    isExclusive,
    cases: {
      readable: [
        { type: 'INT', visitor: asked('speed'), value: 1500, second: 7 },
        {
          type: 'DOUBLE',
          visitor: { request: '{address} R weight', match: '{address} weight ', column: 10, length: 7 },
          value: 12.5,
        },
        { type: 'BOOLEAN', visitor: { ...asked('on'), trueText: 'ON', falseText: 'OFF' }, value: true },
        { type: 'STRING', visitor: asked('name'), value: 'scales' },
      ],
      writable: { type: 'DOUBLE', visitor: set('target', ':.2f'), value: -70.25 },
      broken: { type: 'INT', visitor: asked('nothing') },
      unwritable: { type: 'INT', visitor: set('fixed'), value: 1 },
      refused: { type: 'INT', visitor: { request: '{adress} R' } },
      refusedDevice: { path: '/dev/ttyUSB0', framing: { kind: 'markers' } },
      many: (index) => ({ type: 'INT', visitor: asked(`n${index}`), value: index * 3 }),
      watchable: {
        type: 'INT',
        accessMode: 'ReadOnly',
        visitor: { match: '{address} !t ', ...place },
        next: 42,
        change: (line) => line.send('noise\n01 !t 42\n02 !t 1\n'),
      },
    },
  }
}

describeMapper(subject(async () => filled(await new ScriptedTcpLine().start()), false))
if (process.platform !== 'win32') {
  describeMapper(subject(async () => filled(await new ScriptedPtyLine().start()), true))
}
