import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a program to its end; its standard output. Rejects with what it wrote to standard error where it fails. */
export async function runProgram(program: string, args: readonly string[]): Promise<{ readonly stdout: Buffer }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const [code] = await once(child, 'close')
  if (code === 0) return { stdout: Buffer.concat(out) }
  throw new Error(
    `${program} ${args.join(' ')} ended with ${String(code)}: ${Buffer.concat(err).toString('utf8').slice(-2000)}`,
  )
}
