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
