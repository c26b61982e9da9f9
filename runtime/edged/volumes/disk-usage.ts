import { type Clock, minutes } from '../../../platform/time/index.ts'
import { runProgram } from './mounts/run-program.ts'

/** Bytes that a folder takes on its disk, with all in it. */
export type DiskUsage = (folder: string, signal: AbortSignal) => Promise<number>

const DEADLINE = minutes(2)

/**
 * Asks the program `du`, which walks through any tree, however deep, follows no link and leaves other disks out; and what it does is
 * not done by this process.
 */
export function diskUsage(clock: Clock): DiskUsage {
  return async (folder, signal) => {
    const args = ['-s', '-k', '-x', '--', folder]
    // What goes away meanwhile makes it fail and say so; it has counted all else.
    const { output, complaint } = await runProgram(clock, { program: 'du', args, deadline: DEADLINE }, signal)
    const kibibytes = /^(\d+)\s/.exec(output)?.[1]
    if (kibibytes === undefined) throw new Error(`du did not tell what ${folder} takes: ${complaint}`)
    return Number(kibibytes) * 1024
  }
}
