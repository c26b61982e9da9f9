import assert from 'node:assert/strict'
import { spawn } from '@lydell/node-pty'

/** A program on a terminal of its own, as a person uses it. */
export interface OnTerminal {
  /** All that it has shown. */
  readonly shown: string
  type(keys: string): void
  resize(columns: number, rows: number): void
  /** Settles once it has shown that. */
  until(pattern: RegExp): Promise<void>
  readonly exitCode: Promise<number>
}

const LOOKS = 900

export function onTerminal(
  program: string,
  args: readonly string[],
  {
    env = {},
    columns = 91,
    rows = 31,
  }: { env?: Readonly<Record<string, string>>; columns?: number; rows?: number } = {},
): OnTerminal {
  const pty = spawn(program, [...args], { cols: columns, rows, env: { ...process.env, ...env } })
  let shown = ''
  pty.onData((text) => {
    shown += text
  })
  return {
    get shown() {
      return shown
    },
    type: (keys) => pty.write(keys),
    resize: (width, height) => pty.resize(width, height),
    async until(pattern) {
      for (let looks = 0; !pattern.test(shown); looks++) {
        assert.ok(looks < LOOKS, `never ${pattern}: ${shown}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    exitCode: new Promise((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode))),
  }
}
