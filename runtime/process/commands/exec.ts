import { execute } from '../../../hub/streaming/index.ts'
import { ConfigError, RefusedError, SkerryError } from '../../../platform/lifecycle/index.ts'
import { systemClock as clock } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { edgedSocket } from '../reach/edged-socket.ts'
import { chosenContainer, nodePod } from '../reach/node-pod.ts'
import { terminalSizes } from '../reach/terminal-sizes.ts'
import { stopSignal } from '../signals.ts'
import type { Console } from '../terminal.ts'

export interface ExecOptions extends CommonOptions {
  readonly namespace?: string
  readonly container?: string
  readonly stdin?: boolean
  readonly tty?: boolean
}

/** `skerry exec POD -- COMMAND`: runs it in a container of this node, with or without the cloud; its exit code. */
export async function exec(words: readonly string[], options: ExecOptions, terminal: Console): Promise<number> {
  const [name = '', ...command] = words
  if (command.length === 0)
    throw new ConfigError('name the command after two dashes: skerry exec POD -- COMMAND', {
      code: 'PROCESS_EXEC_COMMAND_MISSING',
    })
  if (options.output === 'json')
    throw new ConfigError('what a command prints is printed as it is: leave out -o json', {
      code: 'PROCESS_EXEC_NOT_JSON',
    })
  const edged = await edgedSocket(options.data, clock)
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const pod = await nodePod(edged, { namespace: options.namespace, name }, signal)
  const { container, note } = chosenContainer(pod, options.container)
  if (note !== undefined) terminal.error(note)
  const { stdin, stdout, stderr } = process
  const isTty = options.tty === true && stdin.isTTY === true
  if (options.tty === true && !isTty) terminal.error('skerry: the input is no terminal: -t is left out')
  using sizes = isTty ? terminalSizes(stdout) : undefined
  if (isTty && options.stdin === true) stdin.setRawMode(true)
  try {
    return await execute(
      {
        ...{ connect: edged.connect, path: `/exec/${pod.namespace}/${pod.name}/${container}`, command, clock },
        ...{ stdout, stderr, tty: isTty },
        ...(options.stdin === true ? { stdin } : {}),
        ...(sizes ? { resize: sizes.sizes } : {}),
      },
      signal,
    )
  } catch (error) {
    if (signal.aborted) return EXIT.failure
    throw explained(error)
  } finally {
    if (stdin.isTTY) stdin.setRawMode(false)
    // A terminal that is still read would keep this process.
    stdin.destroy()
  }
}

/** In the words of the node, or of what was to run there. */
function explained(error: unknown): unknown {
  const reason = error instanceof SkerryError ? error.fields['reason'] : undefined
  if (!(error instanceof RefusedError) || typeof reason !== 'string') return error
  return new RefusedError(reason, { code: 'PROCESS_EXEC_REFUSED' })
}
