import { ScriptedPtyLine } from '../mappers/bluetooth-serial/testing/scripted-line.ts'

/** A device on a serial line without a speed of its own, in a process of its own: answers `01 R k` at once. */
const line = await new ScriptedPtyLine().start()
line.values.set('speed', '1500')
process.on('disconnect', () => process.exit(0))
process.send?.(line.path)
