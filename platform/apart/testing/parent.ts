import { systemClock as clock } from '../../time/index.ts'
import { startChild } from '../index.ts'

/** Starts a child, says its process id, and lives on. */
const child = startChild({ entry: new URL('./child.ts', import.meta.url), heapMegabytes: 64, clock })
child.line('pid').on('message', (pid) => process.send?.(pid))
child.line('do').postMessage(process.argv[2])
