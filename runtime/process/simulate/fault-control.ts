import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { parseDocument } from 'yaml'
import {
  type Fault,
  type FaultScript,
  formatFault,
  parseFault,
  parseFaultScript,
  playFaults,
  type Simulator,
} from '../../../mappers/simulators/index.ts'
import { ConfigError, describeError } from '../../../platform/lifecycle/index.ts'
import { systemClock } from '../../../platform/time/index.ts'

/** The script of a YAML or JSON file. Throws a ConfigError. */
export async function readFaultScript(file: string): Promise<FaultScript> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${describeError(cause)}`, {
      code: 'PROCESS_FAULTS_UNREADABLE',
      cause,
    })
  }
  const document = parseDocument(text)
  const [error] = document.errors
  const parsed = error
    ? ({ ok: false, reason: error.message.split('\n')[0] ?? '' } as const)
    : parseFaultScript(document.toJS())
  if (parsed.ok) return parsed.value
  throw new ConfigError(`${file}: ${parsed.reason}`, { code: 'PROCESS_FAULTS_INVALID' })
}

/** The fault of an option. Throws a ConfigError. */
export function faultNamed(text: string): Fault | undefined {
  const parsed = parseFault(text)
  if (parsed.ok) return parsed.value
  throw new ConfigError(parsed.reason, { code: 'PROCESS_FAULT_UNKNOWN' })
}

export interface FaultControl {
  readonly simulator: Simulator
  readonly signal: AbortSignal
  /** Each fault that takes effect, as text. */
  readonly told: (fault: string) => void
  /** What somebody typed that is no fault. */
  readonly refused: (reason: string) => void
}

export interface FaultSources {
  readonly script?: FaultScript | undefined
  readonly first?: Fault | undefined
}

/** Lets the script, and lines of standard input, decide what is wrong with a simulator. The last word counts. */
export async function controlFaults({ script, first }: FaultSources, control: FaultControl): Promise<void> {
  const apply = async (fault: Fault | undefined) => {
    await control.simulator.fault(fault)
    control.told(formatFault(fault))
  }
  if (first) await apply(first)
  const playing = script ? playFaults(script, { clock: systemClock, signal: control.signal, apply }) : undefined
  if (canReadInput()) readLines(control, apply)
  await playing
}

function readLines(control: FaultControl, apply: (fault: Fault | undefined) => Promise<void>): void {
  const lines = createInterface({ input: process.stdin })
  const stop = () => {
    lines.close()
    process.stdin.destroy()
  }
  control.signal.addEventListener('abort', stop, { once: true })
  lines.on('line', (line) => {
    if (line.trim() === '') return
    const parsed = parseFault(line)
    if (!parsed.ok) return control.refused(parsed.reason)
    apply(parsed.value).catch((error: unknown) => control.refused(describeError(error)))
  })
}

/** A job in the background of a shell is stopped when it reads the terminal. */
function canReadInput(): boolean {
  if (!process.stdin.isTTY) return true
  try {
    const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return group === foreground
  } catch {
    // No such file system here; most commands run in the foreground.
    return true
  }
}
