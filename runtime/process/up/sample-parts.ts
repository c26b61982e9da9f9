import { join } from 'node:path'
import type { SimulatorEntry } from '../../../mappers/simulators/index.ts'
import type { UpPorts } from './ports.ts'

/** A simulated device of `skerry up`, and the child process that simulates it. Its name is that of its folder in samples/. */
export interface SamplePart {
  readonly name: string
  readonly entry: SimulatorEntry
  readonly args: readonly string[]
}

export interface SampleParts {
  readonly parts: readonly SamplePart[]
  /** Why samples are missing, a line for each. */
  readonly left: readonly string[]
}

export interface SamplePlaces {
  readonly directory: string
  readonly ports: UpPorts
  /** Why there are no pseudo-terminals here. */
  readonly serialProblem: string | undefined
}

/** What is simulated on this machine. */
export function sampleParts(
  entries: readonly SimulatorEntry[],
  { directory, ports, serialProblem }: SamplePlaces,
): SampleParts {
  const parts: SamplePart[] = []
  const left: string[] = []
  for (const entry of entries) {
    const name = entry.sample
    const part = (...more: readonly string[]) =>
      parts.push({ name, entry, args: ['simulate', entry.protocol, ...more] })
    const { reach } = entry
    if (reach.kind === 'port') {
      const kept = reach.keepsFiles ? ['--data', directory] : []
      part('--port', String(ports[reach.port]), ...kept)
    } else if (reach.kind === 'broker') part('--port', String(ports.mqtt))
    else if (serialProblem === undefined) part('--serial', join(directory, 'serial', name))
    else left.push(`the sample ${name} is left out: ${serialProblem}`)
  }
  return { parts, left }
}
