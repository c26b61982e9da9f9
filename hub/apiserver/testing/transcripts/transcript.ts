/** One command with what it has to print. */
export interface Step {
  /** Line of the file. */
  readonly line: number
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly input: string
  readonly kind: StepKind
  /** Name of what is kept of it, for steps that keep. */
  readonly keep: string
  /** Lines of standard output, then those of standard error, each of these with `! ` before it. */
  readonly expected: readonly string[]
  readonly code: number
}

/**
 * `once`: run and compared. `awaited`: asked again until it prints this. `beside`: runs while the others do, which go on once it has
 * printed something; compared at the end, and then ended if it did not end itself. `kept`: what it prints is kept under a name.
 */
export type StepKind = 'once' | 'awaited' | 'beside' | 'kept'

export interface Transcript {
  readonly name: string
  readonly steps: readonly Step[]
}

export const NAMESPACE = '{ns}'

const COMMAND = /^(?:([$~&])|= (\w+)) ((?:[A-Z_]+=(?:'[^']*'|\S*) )*)kubectl (.*)$/
const KINDS: Readonly<Record<string, StepKind>> = { $: 'once', '~': 'awaited', '&': 'beside' }

/**
 * Reads a transcript. `$ kubectl ...` is a command (`~ kubectl ...` one that is asked again until its output is right, `& kubectl ...`
 * one that runs beside the following, `= version kubectl ...` one whose output stands for `{version}` later); `NAME=value` before
 * `kubectl` is its environment; behind `<<END` its standard input follows up to a line END. The lines below are what it prints: `! `
 * before those of standard error, `[1]` the exit code, `...` any lines, `# ` a remark. `{ns}` is a namespace of the transcript's own.
 */
export function parseTranscript(name: string, text: string): Transcript {
  const lines = text.split('\n')
  const steps: Step[] = []
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? ''
    at++
    if (line === '' || line.startsWith('#')) continue
    const command = COMMAND.exec(line)
    if (!command) throw new Error(`${name}:${at}: a line that belongs to no command: ${line}`)
    const first = at
    const [, sign = '', keep = '', environment = '', rest = ''] = command
    const [given = '', end = ''] = rest.split(/ *<<(\w+)$/)
    const input: string[] = []
    if (end !== '') {
      for (; at < lines.length && lines[at] !== end; at++) input.push(lines[at] ?? '')
      at++
    }
    const expected: string[] = []
    let code = 0
    for (; at < lines.length && !COMMAND.test(lines[at] ?? ''); at++) {
      const printed = lines[at] ?? ''
      const ended = /^\[(\d+)\]$/.exec(printed)
      if (ended) code = Number(ended[1])
      else if (!printed.startsWith('# ')) expected.push(printed)
    }
    while (expected.at(-1) === '') expected.pop()
    steps.push({
      ...{ line: first, words: wordsOf(given), environment: environmentOf(environment) },
      ...{ kind: KINDS[sign] ?? 'kept', keep, expected, code },
      input: input.length > 0 ? `${input.join('\n')}\n` : '',
    })
  }
  return { name, steps }
}

function environmentOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    wordsOf(text).map((word) => {
      const at = word.indexOf('=')
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
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
