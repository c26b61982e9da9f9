import type { Mapper } from '../../contract/index.ts'
import { type ConformanceSubject, defineSubject } from '../subject.ts'
import { LineServer } from './line-server.ts'

/** All that the suite can try: `lines` lacks nothing but calls and discovery. */
export function lineSubject<D, V, C extends AsyncDisposable>(
  mapper: Mapper<D, V, C>,
  entry: string,
  timeout = 1000,
): ConformanceSubject<D, V, C, LineServer> {
  return defineSubject({
    mapper,
    entry,
    server: () => new LineServer().listen(),
    device: (server, index) => ({ host: '127.0.0.1', port: server.port, unit: index + 1, timeout }),
    cases: {
      readable: [
        { type: 'STRING', visitor: { name: 'serial' }, value: 'unit-1', second: 'unit-2' },
        { type: 'INT', visitor: { name: 'speed' }, value: 1001, second: 1002 },
        { type: 'FLOAT', visitor: { name: 'temperature' }, value: 21.5, second: 22.5 },
        { type: 'BOOLEAN', visitor: { name: 'running' }, value: true, second: false },
      ],
      writable: { type: 'INT', visitor: { name: 'target' }, value: 250 },
      broken: { type: 'INT', visitor: { name: 'nothing' } },
      unwritable: { type: 'STRING', visitor: { name: 'serial' }, value: 'other' },
      refused: { type: 'INT', visitor: { name: 'serial' } },
      refusedDevice: { host: '127.0.0.1', port: 70_000 },
      many: (index) => ({ type: 'INT', visitor: { name: `m${index}` }, value: index }),
      watchable: { type: 'INT', visitor: { name: 'speed' }, next: 7, change: (server) => server.change(1, 'speed', 7) },
    },
  })
}
