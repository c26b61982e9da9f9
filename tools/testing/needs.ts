import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** How a reason to skip begins that a missing program gave; tools/test.ts fails on it in CI. */
export const NEEDS = 'needs '

/**
 * Reason to skip a test on a machine that lacks a program, or false. In CI nothing is skipped for that: the test runs, and
 * fails where the program is missing.
 */
export function needs(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => !isInstalled(program))
  if (missing.length === 0 || process.env['CI'] === 'true') return false
  return `${NEEDS}${missing.join(', ')}`
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
