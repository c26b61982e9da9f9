/** Standard output and error of a command. */
export interface Console {
  readonly isTty: boolean
  write(text: string): void
  writeError(text: string): void
  /** One line on standard error. */
  error(line: string): void
  /** The result of a command: text for people, one JSON document for programs. */
  print(output: 'text' | 'json', value: unknown, text: string): void
}

export function openConsole(): Console {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', forgiveClosedPipe)
  const write = (text: string) => void process.stdout.write(text)
  const writeError = (text: string) => void process.stderr.write(text)
  return {
    isTty: process.stdout.isTTY === true,
    write,
    writeError,
    error: (line) => writeError(`${line}\n`),
    print: (output, value, text) => write(output === 'json' ? `${JSON.stringify(value, undefined, 2)}\n` : `${text}\n`),
  }
}

/** Whoever read has seen enough (`skerry crds | head`): the work goes on, unheard. */
function forgiveClosedPipe(error: Error): void {
  if (!('code' in error && error.code === 'EPIPE')) throw error
}
