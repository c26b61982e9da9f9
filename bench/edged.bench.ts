import { needsContainerd } from '../runtime/edged/testing/containerd.ts'
import { measureMany } from './edged/many.ts'
import { measureNode } from './edged/node.ts'
import { openStage, type Stage } from './edged/stage.ts'
import { measureStart } from './edged/start.ts'
import { undoAll, undoAtSignals } from './hub/undo.ts'

/** Pods on a real containerd. Arguments: only these parts. */
const onStage: Readonly<Record<string, (stage: Stage) => Promise<void>>> = { start: measureStart, many: measureMany }
const chosen = process.argv.slice(2)
const isWanted = (name: string) => chosen.length === 0 || chosen.includes(name)
const unknown = chosen.filter((name) => !(name in onStage) && name !== 'node')
if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}; there are: start, many, node`)
const missing = needsContainerd()
if (missing !== false) throw new Error(missing)

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
  if (isWanted('node')) {
    process.stdout.write('\n## node\n')
    await measureNode()
  }
} finally {
  await undoAll()
}
process.stdout.write(`\nmeasured in ${((performance.now() - begin) / 1000).toFixed(0)} s\n`)
