import { LINE_BREAKS } from './line-breaks.ts'

/** What people are told of a structure and its fields. */
export interface ModelText {
  readonly text?: string
  field(name: string): string | undefined
}

/** Texts of a structure by its class name, such as `V1PodSpec`; undefined where there are none. */
export type Documentation = (model: string) => ModelText | undefined

const COMMENT = /\/\*\*\n((?:(?!\*\/)[\s\S])*?)\n\s*\*\/\n(?:export declare class|\s+'([^']+)'\??:)/g
const GAP = /\s+/g
const BREAKS: Readonly<Record<string, string>> = { s: ' ', n: '\n', t: '\t' }

/** Reads the comments of a class as the generator of the client package writes them. */
export function parseModel(model: string, declaration: string): ModelText {
  const fields = new Map<string, string>()
  let text: string | undefined
  for (const [, comment = '', field] of declaration.matchAll(COMMENT)) {
    const line = unescaped(comment)
    if (field === undefined) text = withBreaks(model, line)
    else fields.set(plain(field), line)
  }
  return {
    ...(text === undefined ? {} : { text }),
    field: (name) => {
      const line = fields.get(plain(name))
      return line === undefined ? undefined : withBreaks(`${model}.${name}`, line)
    },
  }
}

function unescaped(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, ''))
  // So that no text ends the comment it stands in, the generator parts `*/` and `/*`.
  return lines.join(' ').replaceAll(/\\(.)/g, '$1').replaceAll('*_/', '*/').replaceAll('/_*', '/*')
}

/** Names that cannot be members of a class are written otherwise: `_default`, `x_kubernetes_list_type`. */
function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, '')
}

/** A text that is not the one that the breaks were found in stays as it is. */
function withBreaks(key: string, line: string): string {
  const [count, ...breaks] = LINE_BREAKS[key]?.split(' ') ?? []
  if (count === undefined || line.match(GAP)?.length !== Number(count)) return line
  const gaps = new Map(breaks.map((each) => [Number.parseInt(each, 10), gap(each.replace(/^\d+/, ''))]))
  let index = 0
  return line.replaceAll(GAP, (blank) => gaps.get(index++) ?? blank) + (gaps.get(Number(count)) ?? '')
}

function gap(letters: string): string {
  return [...letters].map((letter) => BREAKS[letter] ?? ' ').join('')
}
