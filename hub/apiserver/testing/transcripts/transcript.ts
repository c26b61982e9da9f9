/** One command with what it has to print. */
export interface Step {
  /** Line of the file. */
  readonly line: number
  readonly words: readonly string[]
  readonly input: string
  /** Asked again until it prints this. */
  readonly isAwaited: boolean
  /** Lines of standard output, then those of standard error, each of these with `! ` before it. */
  readonly expected: readonly string[]
  readonly code: number
}

export interface Transcript {
  readonly name: string
  readonly steps: readonly Step[]
}

export const NAMESPACE = '{ns}'

/**
 * Reads a transcript. `$ kubectl ...` is a command (`~ kubectl ...` one that is asked again until its output is right); behind
 * `<<END` its standard input follows up to a line END. The lines below are what it prints: `! ` before those of standard error,
 * `[1]` the exit code, `...` any lines, `# ` a remark. `{ns}` is a namespace of the transcript's own.
 */
export function parseTranscript(name: string, text: string): Transcript {
  const lines = text.split('\n')
  const steps: Step[] = []
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    at++
    if (line === '' || line.startsWith('#')) continue
    const command = /^([$~]) kubectl (.*)$/.exec(line)
    if (!command) throw new Error(`${name}:${at}: a line that belongs to no command: ${line}`)
    const first = at
    const [given = '', end = ''] = (command[2] ?? '').split(/ *<<(\w+)$/)
    const input: string[] = []
    if (end !== '') {
      for (; at < lines.length && lines[at] !== end; at++) input.push(lines[at] ?? '')
      at++
    }
    const expected: string[] = []
    let code = 0
    for (; at < lines.length && !/^[$~] kubectl /.test(lines[at] ?? ''); at++) {
      const printed = lines[at] ?? ''
      const ended = /^\[(\d+)\]$/.exec(printed)
      if (ended) code = Number(ended[1])
      else if (!printed.startsWith('# ')) expected.push(printed)
    }
    while (expected.at(-1) === '') expected.pop()
    steps.push({
      ...{ line: first, words: wordsOf(given), isAwaited: command[1] === '~', expected, code },
      input: input.length > 0 ? `${input.join('\n')}\n` : '',
    })
  }
  return { name, steps }
}

/** Words of a command line; single and double quotes hold them together. */
function wordsOf(text: string): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (const letter of text) {
    if (quote !== '' ? letter === quote : letter === '"' || letter === "'") {
      quote = quote === '' ? letter : ''
      word ??= ''
    } else if (letter === ' ' && quote === '') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = `${word ?? ''}${letter}`
  }
  return word === undefined ? words : [...words, word]
}
