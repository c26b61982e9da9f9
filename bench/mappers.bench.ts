import { measureIdleMemory } from './idle-memory.ts'
import { measureModbus } from './modbus-speed.ts'
import { measureMqtt } from './mqtt-speed.ts'
import { measureOpcua } from './opcua-speed.ts'
import { row } from './print.ts'
import { measureSerial } from './serial-speed.ts'
import { measureWholeWay } from './whole-way.ts'

/** What mappers reach, beside what nature or the bare client libraries allow, in one run. Arguments: only these parts. */
const parts: Readonly<Record<string, () => Promise<void>>> = {
  modbus: measureModbus,
  opcua: measureOpcua,
  mqtt: measureMqtt,
  serial: measureSerial,
  async whole() {
    await measureWholeWay({ devices: 1000, cycleMs: 1000, seconds: 20 })
    // More than there can be: what gives way, and how much there is at most.
    row('asked for ten times as much', '')
    await measureWholeWay({ devices: 1000, cycleMs: 100, seconds: 20 })
  },
  idle: measureIdleMemory,
}
const wanted = process.argv.slice(2)
for (const [name, measure] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  process.stdout.write(`\n## ${name}\n`)
  await measure()
}
