import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Duration } from '../../../platform/time/index.ts'

/** Starting Node.js takes its time on a small machine. */
const STARTING_MS = 20_000
const ROOT = new URL('../../../', import.meta.url).href

/**
 * What importing a module does beside defining values, tried in a process of its own. What it loads of this Skerry (the
 * contract and the schema library) and of its own package is not counted.
 */
export async function importFindings(entry: string, patience: Duration): Promise<readonly string[]> {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const script = fileURLToPath(new URL(`./import-apart.${suffix}`, import.meta.url))
  const timeout = STARTING_MS + patience.milliseconds
  return new Promise((resolve) => {
    execFile(process.execPath, [script, entry, ROOT], { timeout }, (error, stdout, stderr) => {
      const last = stdout.trim().split('\n').at(-1) ?? ''
      if (error)
        return resolve([
          `failed: ${(stderr.trim() || error.message).split('\n').find((line) => /Error/.test(line)) ?? error.message}`,
        ])
      const findings: unknown = JSON.parse(last)
      resolve(Array.isArray(findings) ? findings.map(String) : ['said nothing'])
    })
  })
}
