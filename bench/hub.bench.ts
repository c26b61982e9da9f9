import { measureChanges } from './hub/changes.ts'
import { measureGateways } from './hub/gateways.ts'
import { measureLatency } from './hub/latency.ts'
import { measureRest } from './hub/rest.ts'
import { openStage, type Stage } from './hub/stage.ts'
import { undoAll, undoAtSignals } from './hub/undo.ts'

/** The road between edge and cloud, with real processes. Arguments: only these parts. */
const onStage: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  rest: measureRest,
  latency: measureLatency,
  changes: measureChanges,
}
const chosen = process.argv.slice(2)
const isWanted = (name: string) => chosen.length === 0 || chosen.includes(name)
const unknown = chosen.filter((name) => !(name in onStage) && name !== 'gateways')
if (unknown.length > 0)
  throw new Error(`no such part: ${unknown.join(', ')}; there are: rest, latency, changes, gateways`)

undoAtSignals()
const begin = performance.now()
try {
  const parts = Object.entries(onStage).filter(([name]) => isWanted(name))
  if (parts.length > 0) {
    const stage = await openStage()
    for (const [name, measure] of parts) {
      process.stdout.write(`\n## ${name}\n`)
      await measure(stage)
    }
    await undoAll()
  }
  if (isWanted('gateways')) {
    process.stdout.write('\n## gateways\n')
    await measureGateways()
  }
} finally {
  await undoAll()
}
process.stdout.write(`\nmeasured in ${((performance.now() - begin) / 1000).toFixed(0)} s\n`)
